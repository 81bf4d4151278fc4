#!/bin/bash
# What no file may say: paths of somebody's machine, notes to oneself, numbers of a tracker. This folder is
# left out, because it has to spell them.
set -u -o pipefail
# shellcheck source=tests/hygiene/files.sh
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
root=$(root_of "$@") || exit 1
cd "$root" || exit 1

failures=0
forbid() {
    local what=$1 pattern=$2 found
    found=$(find . -name .git -prune -o -path './build*' -prune -o -path ./tests/hygiene -prune -o \
        -type f -print0 | xargs -0 grep -n -I -E "$pattern" 2>/dev/null)
    if [[ -n $found ]]; then
        echo "$what:"
        echo "$found"
        failures=$((failures + 1))
    fi
}
forbid "a path of one machine" '(^|[^A-Za-z0-9_.$}])/(work|home|root)/'
forbid "a note to oneself" '(^|[^A-Za-z_])(TODO|FIXME|XXX|HACK)([^A-Za-z_]|$)'
forbid "a tracker's number" '([Ii]ssue|[Bb]ug|[Tt]icket|[Pp]ull request) #?[0-9]+|(^|[ (])#[1-9][0-9]*([ ).,:]|$)'
forbid "a left-over of a merge" '^(<<<<<<<|>>>>>>>)( |$)'
((failures == 0)) || exit 1
echo "nothing forbidden is said"
