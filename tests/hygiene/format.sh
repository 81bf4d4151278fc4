#!/bin/bash
# clang-format's result is the format. Other versions than 14 format a few things differently.
set -u -o pipefail
# shellcheck source=tests/hygiene/files.sh
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
root=$(root_of "$@") || exit 1
cd "$root" || exit 1

tool=clang-format-14
command -v $tool >/dev/null || tool=clang-format
if ! command -v $tool >/dev/null || ! $tool --version | grep -q ' version 14\.'; then
    echo "SKIP: clang-format 14 is not here"
    exit 77
fi
mapfile -t files < <(c_files)
((${#files[@]} > 0)) || exit 1
if ! said=$($tool --dry-run -Werror --ferror-limit=1 "${files[@]}" 2>&1); then
    grep -E ': error: ' <<<"$said" || echo "$said"
    exit 1
fi
echo "${#files[@]} files are formatted"
