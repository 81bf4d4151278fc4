#!/usr/bin/env bash
# The system calls of a spinning primary while orders flow: only those of the port itself (AF_XDP's wake-up, sendto)
# may be there. strace follows the thread of the loop alone; the clock's thread sleeps beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

skip() {
    echo "skipped: $*"
    exit 77
}
why=$(scripts/net check 2>&1) || skip "$why"
command -v strace >/dev/null || skip "strace is missing"
bin=$SHADOWBOOK_BIN
dir=$(mktemp -d)
net=sy$$
pids=()
cleanup() {
    local p
    for p in "${pids[@]}"; do kill -KILL "$p" 2>/dev/null || true; done
    wait 2>/dev/null || true
    scripts/net down "$net" || true
    rm -f "/dev/shm/shadowbook-$(($$ % 1295 + 1))-"*
    rm -rf "$dir"
}
trap cleanup EXIT

on() { # HOST COMMAND...
    local host=$1
    shift
    ip netns exec "$net-$host" "$bin" "$@" >>"$dir/out" 2>&1 </dev/null &
    pids+=($!)
}

"$bin" generate --seed 3 --events 6000 --out "$dir/flow.csv" >/dev/null
scripts/demo-config "$dir/flow.csv" 1 af_xdp "$dir" "$(($$ % 1295 + 1))" | awk '/^\[node A\]/ { a = 1 } a && /^idle/ { $0 = "idle = spin"; a = 0 } { print }' >"$dir/c.conf"
scripts/net up "$net"
on w witness --config "$dir/c.conf" --name W
on a node --config "$dir/c.conf" --name A --new-day
primary=${pids[-1]}
on b node --config "$dir/c.conf" --name B --new-day
for ((i = 0; i < 200; i++)); do
    grep -q 'node A: primary' "$dir/out" && break
    sleep 0.1
done
grep -q 'node A: primary' "$dir/out" || { cat "$dir/out"; echo "the engines did not pair"; exit 1; }
on c replay --config "$dir/c.conf" --flow "$dir/flow.csv" --speed 4000 --give-up-s 60
client=${pids[-1]}
sleep 0.5
timeout -s INT 2 strace -qq -o "$dir/trace" -p "$primary" || true
kill -0 "$client" || { cat "$dir/out"; echo "the flow ended before the trace did"; exit 1; }
kill -TERM "$client"
sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$dir/trace" | sort | uniq -c | sort -rn | tee "$dir/calls"
[[ -s $dir/calls ]] || { echo "strace saw no call at all: no order was answered"; exit 1; }
if others=$(awk '$2 != "sendto" && $2 != "recvfrom" && $2 != "poll" { print $2 }' "$dir/calls") && [[ $others ]]; then
    echo "not the port's own: $others"
    exit 1
fi
echo "only the port's own"
