#!/bin/bash
# The arrows between folders point one way (layers.awk has the rules). Long files are named, not refused.
set -u -o pipefail
# shellcheck source=tests/hygiene/files.sh
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
rules=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/layers.awk
root=$(root_of "$@") || exit 1

mapfile -t files < <(c_files)
if ((${#files[@]} == 0)); then
    echo "no C files under $root"
    exit 1
fi
cd "$root" || exit 1
wc -l "${files[@]}" | awk '$2 != "total" && $1 > 500 { print "note: " $2 " has " $1 " lines" }'
awk -f "$rules" "${files[@]}" || exit 1
echo "${#files[@]} files keep to the layers"
