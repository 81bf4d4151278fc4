#!/bin/bash
# Every verb has a page, and the pages format without a warning.
set -u -o pipefail
# shellcheck source=tests/hygiene/files.sh
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
root=$(root_of "$@") || exit 1
cd "$root" || exit 1

failures=0
if [[ -e perf/verbs.h ]]; then
    while read -r verb; do
        if [[ ! -e scripts/man/shadowbook-$verb.1 ]]; then
            echo "no page for the verb $verb: scripts/man/shadowbook-$verb.1"
            failures=$((failures + 1))
        fi
    done < <(grep -o -E 'int sb_[a-z_]+_main' perf/verbs.h | sed -E 's/int sb_(.*)_main/\1/' | sort -u)
fi
((failures == 0)) || exit 1

if ! command -v groff >/dev/null; then
    echo "SKIP: groff is not here (every verb has a page)"
    exit 77
fi
for page in scripts/man/*.[15]; do
    warnings=$(groff -mandoc -Tascii -ww -z "$page" 2>&1)
    if [[ -n $warnings ]]; then
        echo "$page: $warnings"
        failures=$((failures + 1))
    fi
done
((failures == 0)) || exit 1
echo "pages are complete and clean"
