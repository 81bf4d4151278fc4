#!/usr/bin/env bash
# What goes wrong ends as a clear error and leaves nothing behind.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
why=$(scripts/net check 2>&1) || { echo "skipped: $why"; exit 77; }
bin=$SHADOWBOOK_BIN
dir=$(mktemp -d)
net=se$$
shard=$(($$ % 1295 + 1))
pids=()
cleanup() {
    local p
    for p in "${pids[@]}"; do kill -KILL "$p" 2>/dev/null; done
    wait 2>/dev/null
    scripts/net down "$net"
    rm -rf "$dir"
}
trap cleanup EXIT
bad=0

# expect LABEL PATTERN COMMAND...: fails within a minute and says PATTERN
expect() {
    local label=$1 pattern=$2 status
    shift 2
    timeout 60 "$@" >"$dir/said" 2>&1 </dev/null
    status=$?
    if ((status == 0 || status >= 124)); then
        echo "$label: exit code $status"
        bad=1
    fi
    if ! grep -qE "$pattern" "$dir/said"; then
        echo "$label: no /$pattern/ in:"
        cat "$dir/said"
        bad=1
    fi
}

running() { # does node A, within a minute?
    local i
    for ((i = 0; i < 600; i++)); do
        grep -q 'node A: boot' "$dir/a" && return
        sleep 0.1
    done
    return 1
}

"$bin" generate --seed 1 --events 2000 --out "$dir/flow.csv.xz" >/dev/null || exit 1
"$bin" generate --seed 1 --events 2000 --out "$dir/flow.csv" >/dev/null || exit 1
scripts/demo-config "$dir/flow.csv" 1 af_xdp "$dir" "$shard" >"$dir/good.conf"
sed 's/^suspect_after_us = .*/suspect_after_us = soon/' "$dir/good.conf" >"$dir/value.conf"
sed 's/^\[memory\]/[memory]\nspeed = 11/' "$dir/good.conf" >"$dir/key.conf"
sed 's/^hugepages = yes/hugepages = no/' "$dir/good.conf" >"$dir/small.conf"
sed 's/^symbol = .*/&\npause_ms = 7/' "$dir/small.conf" >"$dir/pause.conf"
sed 's/^symbol = .*/&\nstatic_band_bp = 700/' "$dir/small.conf" >"$dir/other.conf"
head -c 600 "$dir/flow.csv.xz" >"$dir/cut.csv.xz"
sed '100s/.*/34200000000000,N,7,B,hello,1,DAY/' "$dir/flow.csv" >"$dir/wrong.csv"

expect 'missing configuration' 'none.conf' "$bin" node --config "$dir/none.conf" --name A
expect 'bad value' 'value.conf:[0-9]+: .*suspect_after_us' "$bin" node --config "$dir/value.conf" --check-config
expect 'unknown key' 'key.conf:[0-9]+: .*speed' "$bin" witness --config "$dir/key.conf" --check-config
expect 'key without effect' '\[instrument 1\] pause_ms = 7: .*band_action' "$bin" node --config "$dir/pause.conf" --check-config
expect 'unknown name' 'A or B' "$bin" node --config "$dir/good.conf" --name C
expect 'unknown verb' 'trade' "$bin" trade
expect 'cut flow' 'cut.csv.xz' "$bin" match --flow "$dir/cut.csv.xz"
expect 'wrong flow' 'wrong.csv:100' "$bin" match --flow "$dir/wrong.csv"
expect 'no such interface' 'sb0' "$bin" node --config "$dir/good.conf" --name A
expect 'cut log' 'flow.csv' "$bin" match --log "$dir/flow.csv"

scripts/net up "$net" || exit 1
if command -v setpriv >/dev/null; then
    chmod 755 "$dir"
    expect 'missing rights' '[Pp]ermi|root|denied|privilege' ip netns exec "$net-a" setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$bin" node --config "$dir/good.conf" --name A
fi
# Without huge pages it runs, and says so; then its name, and its port, are taken.
ip netns exec "$net-a" "$bin" node --config "$dir/small.conf" --name A --new-day >"$dir/a" 2>&1 </dev/null &
pids+=($!)
running || { echo "no huge pages: does not run"; cat "$dir/a"; bad=1; }
expect 'second node of the name' "running process ${pids[0]}" ip netns exec "$net-b" "$bin" node --config "$dir/small.conf" --name A --new-day
expect 'port in use' 'sb0: .*other socket' ip netns exec "$net-a" "$bin" node --config "$dir/small.conf" --name B --new-day
kill -TERM "${pids[0]}"
wait "${pids[0]}" || { echo "a stopped node's exit code"; bad=1; }
# A shadow with other rules than the log's ends; its owner does not.
ip netns exec "$net-w" "$bin" witness --config "$dir/small.conf" --name W >"$dir/w" 2>&1 </dev/null &
pids=($!)
ip netns exec "$net-a" "$bin" node --config "$dir/small.conf" --name A --new-day >"$dir/a" 2>&1 </dev/null &
pids+=($!)
running || { echo "does not run beside a witness"; cat "$dir/a"; bad=1; }
expect 'another configuration' '\(input [0-9]+\) defines \[instrument 1\] otherwise than .*other.conf' \
    ip netns exec "$net-b" "$bin" node --config "$dir/other.conf" --name B --new-day
for p in "${pids[@]}"; do
    kill -TERM "$p"
    wait "$p" || { echo "exit code of what runs on"; cat "$dir/a" "$dir/w"; bad=1; }
done
# A journal of another program's rules.
mkdir "$dir/j"
SHADOWBOOK_JOURNAL=$dir/j scripts/demo-config "$dir/flow.csv" 1 af_xdp "$dir" "$shard" >"$dir/journal.conf"
"$MAKE_JOURNAL" "$dir/journal.conf" A "$dir/flow.csv" 500 9 >/dev/null || bad=1
expect 'other rules' '^node A: log made under rules version 9, this program has [0-9]+: ' \
    ip netns exec "$net-a" "$bin" node --config "$dir/journal.conf" --name A
expect 'other rules, by the word of the operator' '^node A: log made under rules version 9, this program has [0-9]+: ' \
    ip netns exec "$net-a" "$bin" node --config "$dir/journal.conf" --name A --force-solo
if compgen -G "/dev/shm/shadowbook-$shard-*" >/dev/null; then
    echo "left behind: $(echo "/dev/shm/shadowbook-$shard-"*)"
    bad=1
fi
exit "$bad"
