#!/usr/bin/env bash
# A real primary whose disk fills up in the middle of a day: with error = stop it hands over in order, with error = degrade it
# goes on without a journal and says so; either way every order is answered once. And a start that cannot make its journal.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
why=$(scripts/net check 2>&1) || { echo "SKIP: $why"; exit 77; }
command -v jq >/dev/null || { echo "SKIP: jq is missing"; exit 77; }
bin=$SHADOWBOOK_BIN
dir=$(mktemp -d) || exit 1
net=sj$$
shard=$(($$ % 1295 + 1))
declare -A pid=()
bad=0
cleanup() {
    local p
    for p in "${pid[@]}"; do kill -KILL "$p" 2>/dev/null; done
    wait 2>/dev/null
    scripts/net down "$net" 2>/dev/null
    rm -f "/dev/shm/shadowbook-$shard-"*
    umount "$dir/small" 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
mkdir "$dir/small" "$dir/large"
if ! mount -t tmpfs -o size=3m tmpfs "$dir/small" 2>"$dir/why"; then
    echo "SKIP: no file system can be mounted here: $(cat "$dir/why")"
    exit 77
fi

wrong() {
    echo "$policy: $*"
    bad=1
}
on() { # HOST NAME COMMAND...
    local host=$1 name=$2
    shift 2
    ip netns exec "$net-$host" "$@" >"$dir/$name.out" 2>"$dir/$name.err" </dev/null &
    pid[$name]=$!
}
counter() { # NAME COUNTER
    "$bin" top --once --json --shard $shard 2>/dev/null |
        jq -r --arg n "$1" --arg c "$2" '[.. | objects | select(.name? == $n) | .counters[$c]? // empty] | first // 0'
}
until_counter() { # NAME COUNTER VALUE
    local end=$((SECONDS + 30))
    until [[ $(counter "$1" "$2") == "$3" ]]; do
        ((SECONDS < end)) || { wrong "$1: $2 is $(counter "$1" "$2"), not $3"; return 1; }
        sleep 0.05
    done
}
stop() { # NAME EXPECTED
    local code=0
    kill -TERM "${pid[$1]}" 2>/dev/null
    wait "${pid[$1]}" || code=$?
    unset "pid[$1]"
    [[ $code == "$2" ]] || wrong "$1 ended with code $code, expected $2: $(tail -n 3 "$dir/$1.err")"
}

"$bin" generate --seed 1 --events 40000 --out "$dir/flow.csv" >/dev/null || exit 1
scripts/net up "$net" || exit 1

for policy in stop degrade; do
    for name in A B; do # one file for both, but for the disk
        SHADOWBOOK_JOURNAL=$dir/$([[ $name == A ]] && echo small || echo large) \
            scripts/demo-config "$dir/flow.csv" 1 af_xdp "$dir" "$shard" |
            sed "s/^segment_mib = .*/&\nerror = $policy/" >"$dir/$name.conf"
    done
    on w W "$bin" witness --config "$dir/A.conf" --name W
    on a A "$bin" node --config "$dir/A.conf" --name A --new-day
    on b B "$bin" node --config "$dir/B.conf" --name B --new-day
    if ! until_counter A role 4 || ! until_counter B role 3; then
        tail -n 2 "$dir"/{A,B,W}.err
        exit 1
    fi
    ip netns exec "$net-c" "$bin" replay --config "$dir/A.conf" --flow "$dir/flow.csv" --speed max --report "$dir/report.json" \
        >"$dir/client.out" 2>&1 </dev/null || wrong "the client: $(tail -n 3 "$dir/client.out")"
    [[ $(jq -r '.result' "$dir/report.json") == ok ]] || wrong "the client's report: $(jq -r .result "$dir/report.json")"
    if [[ $policy == stop ]]; then
        until_counter B role 6
        stop A 1
        grep -q 'hands over and stops' "$dir/A.err" || wrong "the warning: $(cat "$dir/A.err")"
        grep -qE 'stopped as (resigned|catch)' "$dir/A.err" || wrong "the end: $(tail -n 2 "$dir/A.err")"
    else
        until_counter A role 4
        until_counter A journal_state 2
        until_counter A journal_fault 1
        stop B 0 # the shadow first: A goes on alone
        until_counter A role 6
        stop A 1
        grep -q 'going on WITHOUT a journal' "$dir/A.err" || wrong "the warning: $(cat "$dir/A.err")"
    fi
    [[ $(grep -c 'WARNING: the disk is full' "$dir/A.err") == 1 ]] || wrong "not one warning: $(cat "$dir/A.err")"
    [[ -z ${pid[B]:-} ]] || stop B 0
    stop W 0
    journal=("$dir/small/$shard-A"/*)
    "$bin" match --log "${journal[-1]}" >/dev/null 2>&1 || wrong "what was written until then does not replay"
    "$bin" inspect --journal "${journal[-1]}" --difference "$dir/large/$shard-B" >"$dir/said" || wrong "$(cat "$dir/said")"
    grep -q 'equal from 1 to' "$dir/said" || wrong "$(cat "$dir/said")"
    rm -r "${journal[-1]}"
done

policy='start'
SHADOWBOOK_JOURNAL=$dir/none scripts/demo-config "$dir/flow.csv" 1 af_xdp "$dir" "$shard" >"$dir/none.conf"
if ip netns exec "$net-a" timeout 20 "$bin" node --config "$dir/none.conf" --name A --new-day >"$dir/said" 2>&1; then
    wrong 'a journal without its folder'
fi
grep -q "journal: cannot make the folder $dir/none/$shard-A: No such file or directory; make the folder" "$dir/said" &&
    grep -q 'failed to begin with its journal' "$dir/said" || wrong "$(cat "$dir/said")"
exit "$bad"
