#!/bin/bash
# Our scripts: bash can read them, and shellcheck has nothing to say about them.
set -u -o pipefail
# shellcheck source=tests/hygiene/files.sh
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
root=$(root_of "$@") || exit 1
cd "$root" || exit 1

mapfile -t files < <(shell_files)
((${#files[@]} > 0)) || exit 1
for file in "${files[@]}"; do
    bash -n "$file" || exit 1
done
if ! command -v shellcheck >/dev/null; then
    echo "SKIP: shellcheck is not here (bash -n found nothing)"
    exit 77
fi
shellcheck -x -S warning "${files[@]}" || exit 1
echo "${#files[@]} scripts are clean"
