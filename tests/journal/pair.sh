#!/usr/bin/env bash
# Two real nodes with a journal each, kill -9 of the primary in the middle of a day: both journals are recovered, the survivor's
# is what its log file is, and the two do not differ as far as both go. Snapshots are taken beside the survivor while it runs, and
# of both journals afterwards: these are the same bytes.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
why=$(scripts/net check 2>&1) || { echo "SKIP: $why"; exit 77; }
command -v jq >/dev/null || { echo "SKIP: jq is missing"; exit 77; }
bin=$SHADOWBOOK_BIN
dir=$(mktemp -d) || exit 1
beside=
trap 'touch "$dir/stop"; [[ -z $beside ]] || wait "$beside"; rm -rf "$dir"' EXIT
mkdir "$dir/journal"
bad=0

# hold WHAT LEFT RIGHT
hold() {
    if [[ $2 != "$3" ]]; then
        echo "$1: $2, expected $3"
        bad=1
    fi
}

# Beside the running node: refused (1) is wrong at any moment, but before the first input is there; 2: there is no journal yet.
snapshots() {
    local code
    while [[ ! -e $dir/stop ]]; do
        nice -n 19 "$bin" snapshot --journal "$(echo "$dir/journal/"*-B)" >"$dir/snapshot" 2>&1
        code=$?
        echo "$code" >>"$dir/snapshot.codes"
        [[ $code != 1 ]] || grep -q 'no input is there' "$dir/snapshot" || cp "$dir/snapshot" "$dir/snapshot.refused"
        sleep 0.5
    done
}
snapshots &
beside=$!
SHADOWBOOK_JOURNAL=$dir/journal scripts/run --events 40000 --kill primary --signal KILL --keep "$dir/run" >"$dir/said" 2>&1 ||
    { cat "$dir/said" "$dir/run/"*.err; exit 1; }
touch "$dir/stop"
wait "$beside"
beside=
for name in A B; do
    folders=("$dir/journal/"*-"$name")
    [[ ${#folders[@]} == 1 && -d ${folders[0]} ]] || { echo "node $name has no journal"; exit 1; }
    printf -v "journal_$name" %s "${folders[0]}"
    "$bin" inspect --journal "${folders[0]}" >"$dir/inspect.$name" || { echo "inspect of $name"; bad=1; }
    acks=()
    [[ $name == A ]] || acks=(--acks "$dir/run/acks.csv")
    "$bin" match --log "${folders[0]}" "${acks[@]}" --json >"$dir/$name.json" 2>"$dir/$name.err" || { echo "match of $name"; bad=1; }
    cat "$dir/inspect.$name" "$dir/$name.json"
done
"$bin" match --log "$dir/run/B.log" --acks "$dir/run/acks.csv" --json >"$dir/file.json"
# shellcheck disable=SC2154 # set by printf -v above
"$bin" inspect --journal "$journal_A" --difference "$journal_B" >"$dir/difference" || { echo "the journals differ"; bad=1; }
cat "$dir/difference"

value() { jq -r ".$2" "$dir/$1.json"; }
for what in inputs packets outputs trades digest state_digest state_digest_logged packets_different; do
    hold "the survivor's $what" "$(value B $what)" "$(value file $what)"
done
hold 'the survivor closed its journal' "$(value B closed)" true
hold 'acknowledged and not in the log' "$(value file lost)" 0
hold 'acknowledged and not in the journal' "$(value B lost)" 0
hold 'acknowledged' "$(value B acknowledged)" "$(value file acknowledged)"
(($(value B acknowledged) > 10000)) || { echo "only $(value B acknowledged) acknowledgements"; bad=1; }
hold 'the killed one closed its journal' "$(value A closed)" false
hold 'packets of the killed one that differ' "$(value A packets_different)" 0
(($(value A inputs) > 10000)) || { echo "the killed one's journal has $(value A inputs) inputs"; bad=1; }
grep -qE 'after input [0-9]+: (open|torn)' "$dir/inspect.A" || { echo "the killed one's end"; bad=1; }
grep -q 'after input [0-9]*: closed' "$dir/inspect.B" || { echo "the survivor's end"; bad=1; }
grep -qE '^inputs and digests are equal from 1 to ' "$dir/difference" || { echo "no common part"; bad=1; }

# Whoever asks either node for the day's order events is told the same, as far as the killed one's journal reaches.
for name in A B; do
    folder=journal_$name
    "$bin" inspect --journal "${!folder}" --export "$dir/$name.csv" 2>"$dir/$name.err" || { echo "export of $name: $(cat "$dir/$name.err")"; bad=1; }
    cut -d, -f1-26 "$dir/$name.csv" >"$dir/$name.events"
done
rows=$(wc -l <"$dir/A.events")
((rows > 10000)) || { echo "only $rows rows of order events"; bad=1; }
cmp "$dir/A.events" <(head -n "$rows" "$dir/B.events") || bad=1

# The bytes of a snapshot follow from the inputs: node, life and moment do not show.
at=$(($(value A inputs) / 2))
# shellcheck disable=SC2154
for name in A B; do
    folder=journal_$name
    "$bin" snapshot --journal "${!folder}" --at "$at" --whole --out "$dir/$name.snapshot" >/dev/null || { echo "snapshot of $name"; bad=1; }
done
cmp "$dir/A.snapshot" "$dir/B.snapshot" || bad=1
[[ ! -e $dir/snapshot.refused ]] || { echo 'a snapshot beside the running node was refused:'; cat "$dir/snapshot.refused"; bad=1; }
grep -qx 0 "$dir/snapshot.codes" || { echo 'no snapshot beside the running node'; bad=1; }
"$bin" match --log "$journal_B" --json >"$dir/behind.json" || { echo 'match behind the snapshot'; bad=1; }
(($(value behind snapshot) > 0)) || { echo 'no snapshot was used'; bad=1; }
hold 'the state behind the snapshot' "$(value behind state_digest)" "$(value file state_digest)"
echo "snapshots beside the running node: $(grep -cx 0 "$dir/snapshot.codes"), the last behind input $(value behind snapshot)"

exit "$bad"
