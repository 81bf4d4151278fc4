#!/usr/bin/env bash
# Three real takeovers, their report and their picture; 77 where the machine cannot make the network or draw.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if ! why=$(scripts/net check 2>&1); then
    echo "SKIP: $why"
    exit 77
fi
for tool in jq gnuplot; do
    command -v "$tool" >/dev/null || { echo "SKIP: $tool is missing"; exit 77; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$SHADOWBOOK_BIN" failover --run scripts/run --trials 3 --events 6000 --keep "$dir/kept" --report "$dir/r.json" \
    --plot "$dir/p.png" | tee "$dir/out"
grep -q '^3 of 3 passed; lost 0, conflicting 0, ' "$dir/out"

# expect JQ: true of the report
expect() { jq -e "$1" "$dir/r.json" >/dev/null || { echo "not $1 in:"; jq -c . "$dir/r.json"; exit 1; }; }
expect '.passed == 3 and .states_equal == 3 and .lost == 0 and .conflicting == 0'
expect '[.faults[].fault] == ["primary-kill", "primary-stop", "primary-segv"]'
expect '[.faults[].each | length] == [1, 1, 1]'
# A silent primary is suspected after the threshold, and taken over after the other.
expect '.thresholds_ns as $t | .faults[0].each[0] | .detection_ns > $t.suspect_after / 2 and
    .detection_ns + .decision_ns > $t.takeover_after / 2 and .client_gap_ns >= .detection_ns'
expect '[.faults[].each[] | .switch_ns > 0 and .switch_ns < 1e9] | all'
expect '.floor_ns.n > 0 and .floor_ns.p50 > 0 and .machine.cores > 0 and .version != ""'
[[ $(head -c 8 "$dir/p.png" | od -An -tx1 | tr -d ' \n') == 89504e470d0a1a0a ]] || { echo "no PNG"; exit 1; }
(($(stat -c %s "$dir/p.png") > 20000)) || { echo "an empty picture"; exit 1; }
