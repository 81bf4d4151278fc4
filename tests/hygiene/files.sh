# shellcheck shell=bash
# shellcheck disable=SC2154  # root is the caller's
# What the checks look at: the files of the fixed folders, as they stand under $root.

root_of() { cd "${1:?usage: $0 ROOT}" && pwd; }

c_files() {
    (cd "$root" && find include engine nic replica perf tests -type f \( -name '*.c' -o -name '*.h' \) |
        sort)
}

shell_files() {
    (cd "$root" && find scripts tests .ci -type f -exec grep -l -m1 -E '^#!/bin/(ba)?sh|^# shellcheck shell=' {} + |
        sort)
}
