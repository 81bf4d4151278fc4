#!/usr/bin/env bash
# Rules of instruments by which more happens than answers tell: shares in a queue, pauses that TIMER ends, across a takeover.
# Each day is judged as every other is; of pauses there must be some.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
report=$(mktemp)
trap 'rm -f "$report"' EXIT

run() { # RULES ARGUMENT...
    local code=0
    SHADOWBOOK_RULES=$1 ./run.sh --kill primary --sessions 3 --no-floor --report "$report" "${@:2}" || code=$?
    ((code == 0)) || exit "$code"
}
run $'matching = pro-rata\npro_rata_min = 10'
[[ $(jq .timers "$report") == 0 ]]
run $'dynamic_band_bp = 2\nband_action = pause\npause_ms = 5' --load steady
timers=$(jq .timers "$report")
((timers >= 5)) || { echo "$timers pauses ended, fewer than 5"; exit 1; }
run $'matching = pro-rata\ndynamic_band_bp = 2\nband_action = pause\npause_ms = 5'
