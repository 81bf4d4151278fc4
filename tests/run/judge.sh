#!/usr/bin/env bash
# The judgement of scripts/run: good evidence passes, and each thing that is wrong in it, alone, is named.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v jq >/dev/null || { echo "SKIP: jq is missing"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

# A primary that was cut off: its shadow serves, itself it has stepped down.
good() {
    jq -n '{name: "cut", words: "cut", right: ["B"], takes: 1, dies: "", victim: "A", kind: "cut", host: "primary"} as $fault |
        {flow: "f", port: "p", load: "burst", kill: "none", signal: "", fault: $fault, suspect_ms: 25,
         times: [1500], struck_ns: 1600, uncross_ns: 1600, dropped: 7, unblocked: "", unmet: ""}' >"$dir/facts.json"
    jq -n '{result: "ok", conflicting: 0, feed_gaps: 0, books_equal: true, trades_equal: true, client_gap_ns: 9,
        start_ns: 1000, wall_ns: 1000, fault: {gap_ns: 8}}' >"$dir/client.json"
    jq -n '{poll_gap_max_ns: 5000000, released_frames: 5, stream_tx: 5, ack_tx: 5, heartbeats: 5, rerequests: 5,
            went_live: 0, went_solo: 0} as $c |
        {processes: [{name: "A", alive: true, counters: ($c + {role: 2})},
                     {name: "B", alive: true, counters: ($c + {role: 6, went_live: 1})},
                     {name: "W", alive: true, counters: {role: 19}}]}' >"$dir/counters.json"
    cp "$dir/counters.json" "$dir/later.json"
    echo '{"lost": 0, "digest_equal": true, "state_digest": "d"}' >"$dir/log.json"
    echo null >"$dir/floor.json"
    echo null >"$dir/log-other.json"
    echo '{"duplicated": 3, "reordered": 3}' >"$dir/forward.out"
}
edit() { # FILE EXPRESSION
    jq "$2" "$dir/$1" >"$dir/edited"
    mv "$dir/edited" "$dir/$1"
}
expect() { # RESULT LABEL: RESULT is `ok`, or words that must be all that is said
    local said
    said=$(scripts/run.d/judge "$dir" | jq -r .result)
    [[ $said == "$1" || ( $1 != ok && $said == *"$1"* && $said != *';'* ) ]] && return 0
    echo "$2: '$said', not '$1'"
    bad=1
}
wrong() { # WORDS FILE EXPRESSION: this alone, in good evidence
    good
    edit "$2" "$3"
    expect "$1" "$2 $3"
}

good
expect ok "good evidence"
wrong 'not in the log' log.json '.lost = 1'
wrong 'not in the log' log.json '.lost = -1'
wrong 'differs from a replay' log.json '.digest_equal = false'
wrong 'conflicting' client.json '.conflicting = 1'
wrong 'conflicting' client.json 'del(.conflicting)'
wrong 'client: no service' client.json '.result = "no service"'
wrong 'gaps in the feed' client.json '.feed_gaps = 2'
wrong 'books differ' client.json '.books_equal = false'
wrong 'trades differ' client.json '.trades_equal = false'
wrong 'did not agree' counters.json '.processes[0].counters.role = 4'
wrong 'did not agree' counters.json '.processes[0].counters.role = 6'
wrong 'outcome blocked' counters.json '.processes[1].counters.role = 3'
wrong 'outcome A, not B' counters.json '.processes[0].counters.role = 6 | .processes[1].counters.role = 2'
wrong 'A is gone' counters.json '.processes[0].alive = false'
wrong 'W is gone' counters.json 'del(.processes[2])'
wrong 'still speaks' later.json '.processes[0].counters.ack_tx += 1'
wrong 'still speaks' later.json '.processes[0].counters.released_frames += 1'
wrong 'never struck' facts.json '.times = [] | .struck_ns = null'
wrong 'when the day was over' facts.json '.struck_ns = 2001 | .uncross_ns = null'
wrong 'after the uncross' facts.json '.uncross_ns = 1599'
wrong 'no frame was dropped' facts.json '.dropped = 0'
wrong 'no frame was dropped' facts.json '.dropped = null'
wrong 'orders were answered' facts.json '.unblocked = "orders were answered though nobody may serve"'

# A process that the fault ends may be gone, another may not.
good
edit facts.json '.fault.dies = "A"'
edit counters.json '.processes[0].alive = false'
expect ok "the victim is gone"

# Where nothing was disturbed nobody may take over, unless the machine stopped an engine; the fault's own stop is no excuse.
wrong 'outcome B, not dual' facts.json '.fault.right = ["dual"]'
edit counters.json '.processes[1].counters.poll_gap_max_ns = 25000000'
expect ok "the machine paused"
wrong 'outcome B, not dual' facts.json '.fault.right = ["dual"] | .times = [1500, 100001500]'
edit counters.json '.processes[0].counters.poll_gap_max_ns = 101000000'
expect 'outcome B, not dual' "the fault's own stop"

# Nobody may serve: the day is not whole, and that is right; a pause of the machine excuses no owner.
wrong 'outcome B, not blocked' facts.json '.fault.right = ["blocked"]'
edit counters.json '.processes[1].counters.poll_gap_max_ns = 99000000'
expect 'outcome B, not blocked' "no excuse"
edit counters.json '.processes[1].counters.role = 3'
edit client.json '.result = "interrupted" | .trades_equal = false'
expect ok "blocked"

# A forwarder that forwarded nothing twice, or all in order.
for what in duplicate reorder; do
    good
    edit facts.json ".fault.name = \"$what\" | .fault.kind = \"forward\" | .times = [] | .struck_ns = null"
    expect ok "$what"
    edit forward.out '.duplicated = 0 | .reordered = 0'
    expect "no frame was ${what%e}ed" "$what"
done
# A node that was started again holds its tongue from the start.
good
edit facts.json '.fault.kind = "restart" | .fault.host = "shadow" | .fault.right = ["A"]'
edit counters.json '.processes[0].counters |= (.role = 6 | .went_solo = 1) | .processes[1].counters = {role: 1, released_frames: 0, stream_tx: 0, ack_tx: 0, went_live: 0, poll_gap_max_ns: 1}'
cp "$dir/counters.json" "$dir/later.json"
expect ok "started again"
edit counters.json '.processes[1].counters.stream_tx = 1'
edit later.json '.processes[1].counters.stream_tx = 1'
expect 'the restarted node' "started again and speaks"
# Both serve again, the other way round: both logs count.
paired() {
    good
    edit facts.json '.fault.kind = "rejoin" | .fault.right = ["swapped"]'
    edit counters.json '.processes[0].counters.role = 3 | .processes[1].counters.role = 4'
    cp "$dir/counters.json" "$dir/later.json"
    edit log.json '.closed = true'
    cp "$dir/log.json" "$dir/log-other.json"
}
unpaired() { # WORDS FILE EXPRESSION
    paired
    edit "$2" "$3"
    expect "$1" "whole again, but $2 $3"
}
paired
expect ok "whole again"
unpaired 'outcome A, not swapped' counters.json '.processes[0].counters.role = 6 | .processes[1].counters.role = 2'
unpaired 'outcome dual, not swapped' counters.json '.processes[0].counters.role = 4 | .processes[1].counters.role = 3'
unpaired 'not in the log' log-other.json '.lost = 1'
unpaired 'not in the log' log-other.json '.lost = -1'
unpaired 'differs from a replay' log-other.json '.digest_equal = false'
unpaired 'the same state' log-other.json '.state_digest = "e"'
unpaired 'the same state' log-other.json '.closed = false'
unpaired 'the same state' log.json '.closed = false'
unpaired 'was not seen' facts.json '.unmet = "A was not seen copying"'

# Rounds: good evidence of one, and what is wrong in it.
source=$PWD/scripts/run.d
rounds_good() {
    paired
    jq -n '{result: "ok", conflicting: 0, feed_gaps: 0, books_equal: true, trades_equal: true}' >"$dir/client.json"
    jq '.inputs = 7' "$dir/log.json" >"$dir/log-A.json"
    cp "$dir/log-A.json" "$dir/log-B.json"
    echo '{"round": 1, "owner": "A", "other": "B", "struck": 1000, "restarted": 2000}' >"$dir/rounds.json"
    echo '{"round": 1, "switch_gap_ns": 30, "join_gap_ns": 4, "answered": 9}' >"$dir/gaps.json"
    jq -n '[1, 2, 3] | {count: 3, p50: 2, p99: 10, max: 10}' >"$dir/normal.json"
    jq -nc '{round: 1, A: {role: 0}, B: {role: 4, went_live: 0}} as $s | $s + {at: 900}, $s + {at: 1500, B: {role: 6, went_live: 1, decide_to_first_ns: 77}},
        ($s + {at: 2500, A: {role: 2, copy_bytes: 5}, B: {role: 6}}), ($s + {at: 2700, A: {role: 3, log_len: 6}, B: {role: 5}}), ($s + {at: 2900, A: {role: 3}})' >"$dir/samples.json"
}
rounds_judge() { # WORDS LABEL [BROKEN]
    local evidence=() name said
    for name in client counters floor normal rounds samples gaps; do evidence+=(--slurpfile "$name" "$dir/$name.json"); done
    jq -n -L "$source" --arg flow f --arg port p --argjson asked 1 --argjson hand_over false --arg broken "${3:-}" "${evidence[@]}" \
        --slurpfile a "$dir/log-A.json" --slurpfile b "$dir/log-B.json" 'include "rounds"; report' >"$dir/report.json"
    said=$(jq -r .result "$dir/report.json")
    [[ $said != *"$1"* ]] || return 0
    echo "$2: '$said', not '$1'"
    bad=1
}
round_wrong() { # WORDS FILE EXPRESSION
    rounds_good
    edit "$2" "$3"
    rounds_judge "$1" "rounds: $2 $3"
}
rounds_good
rounds_judge ok rounds
jq -e '.rounds[0] | .decide_to_first_frame_ns == 77 and .client_gap_ns == 30 and .restart_after_ns == 1000 and .catch_ns == 500 and
    .pairing_ns == 700 and .shadow_ns == 700 and .whole_ns == 900 and .whole_since_strike_ns == 1900 and .copied_bytes == 5 and .inputs == 6' \
    "$dir/report.json" >/dev/null || { echo "the times of a round: $(jq -c '.rounds' "$dir/report.json")"; bad=1; }
jq -e '.gap_p99_over_order_p99 == 3' "$dir/report.json" >/dev/null || { echo "the gap's share"; bad=1; }
rounds_judge 'did not become whole' 'a broken round' 'round 1: the pair did not become whole'
round_wrong 'whole after 0 of 1' samples.json 'select(.at < 2900)'
round_wrong 'whole after 0 of 1' rounds.json empty
round_wrong 'not whole at the end' counters.json '.processes[0].counters.role = 6'
round_wrong 'no order was answered in round 1' gaps.json '.answered = 0'
round_wrong 'client: no service' client.json '.result = "no service"'
round_wrong 'conflicting' client.json '.conflicting = 1'
round_wrong 'gaps in the feed' client.json '.feed_gaps = 1'
round_wrong 'books differ' client.json '.books_equal = false'
round_wrong 'trades differ' client.json '.trades_equal = false'
for name in A B; do
    round_wrong "not in $name's journal" "log-$name.json" '.lost = 2'
    round_wrong "$name differs" "log-$name.json" '.digest_equal = false'
    round_wrong "$name's journal was not closed" "log-$name.json" '.closed = false'
    round_wrong 'the same state' "log-$name.json" '.state_digest = "e"'
    round_wrong 'the same state' "log-$name.json" '.inputs = 6'
done
exit "$bad"
