#!/usr/bin/env bash
# Two days on real processes: orders of many kinds that outlive the first one, taken over with `shadowbook carry`; in the second both
# engines have them as they stood, their clients are told and cancel some, the owner is killed -9, and none is lost; 77 where the
# machine cannot make the network.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
why=$(scripts/net check 2>&1) || { echo "SKIP: $why"; exit 77; }
command -v jq >/dev/null || { echo "SKIP: jq is missing"; exit 77; }
bin=$SHADOWBOOK_BIN
member=$CARRY_MEMBER
base=$(mktemp -d) || exit 1
net=sk$$
shard=$(($$ % 1295 + 1))
dir=$base
# shellcheck source=scripts/run.d/cluster
. scripts/run.d/cluster
trap 'end_all; rm -rf "$base"' EXIT
trap 'exit 130' INT TERM

fail() {
    echo "$*"
    tail -n 5 "$dir"/*.err 2>/dev/null
    exit 1
}
hold() { # WHAT LEFT RIGHT
    [[ $2 == "$3" ]] || fail "$1: $2, expected $3"
}

configuration() { # DAY INSTRUMENTS [CARRY]: shard.conf and journals in a folder of that day
    dir=$base/$1
    mkdir -p "$dir/journal"
    SHADOWBOOK_JOURNAL=$dir/journal scripts/demo-config "$base/flow.csv" 2 af_xdp "$dir" "$shard" |
        sed "/^\[instrument/,\$d; s|^trading_day = .*|trading_day = $1${3:+\ncarry = $3}|" >"$dir/shard.conf"
    cat >>"$dir/shard.conf" <<<"$2"
}
begin_day() {
    start witness
    start A
    start B
    until_outcome 60 dual || fail 'the engines do not pair'
}
end_day() { # NAME...
    local name
    for name in "$@" witness; do
        stop "$name"
        await_gone "$name"
    done
}
play() { ip netns exec "$net-c" "$member" "$dir/shard.conf" sb0; } # lines from stdin

"$bin" generate --seed 1 --events 100 --instruments 1 --out "$base/flow.csv" || exit 1
scripts/net up "$net" || exit 1

# --- the first day ---------------------------------------------------------------------------------
configuration 20261130 '[instrument 1]
symbol = TEST
tick_e4 = 100
phase = continuous'
begin_day
play >"$dir/said" <<'END' || fail 'the first day'
login 1
login 2
new 1 1 B 100 95000 L 1
new 2 1 S 40 95000 L 3
new 1 2 S 300 110000 L 1 display 100
new 2 2 B 70 110000 L 3
new 1 3 S 50 109000 L 1 attributes 1
new 1 4 S 30 0 S 1 trigger 80000
new 1 5 S 30 0 R 1 trigger 80000 trail 5000
new 1 6 B 40 0 L 1 peg R
new 1 7 B 50 90000 L 1 attributes 4
new 1 8 B 50 90000 L 1 min 20
new 1 9 T 20 120000 L 6 until 864000
new 1 10 S 20 121000 L 1
new 1 11 S 20 70000 T 1 trigger 70000 oco 10
new 1 12 B 10 90000 L 0
new 1 13 B 10 89000 L 1 attributes 2
new 2 3 B 25 95000 L 1
phase 1 C
END
grep -qE '^1 [0-9]+ J ' "$dir/said" && fail "an order was refused: $(grep ' J ' "$dir/said")"
end_day B A
for name in A B; do
    folders=("$dir/journal/"*-"$name")
    "$bin" carry --from "${folders[0]}" --to "$base/$name.carry" >"$dir/carry.$name" || fail "carry of $name"
done
cmp "$base/A.carry" "$base/B.carry" || fail 'the files of both journals differ'
"$bin" carry --show "$base/A.carry" | sed 1d >"$base/orders"

hold 'orders that go over' "$(wc -l <"$base/orders")" 13
words() { # KEY WORDS: of session 1
    grep -E "session 1, .*key $1, " "$base/orders" | grep -qF -- "$2" || fail "key $1 is not \"$2\""
}
words 1 'quantity 60,'
words 1 'executed 40'
words 2 'quantity 230,'
words 2 'shown 30'
words 3 'attributes 1'
words 4 'stop_price 8.0000'
words 5 'trail 5000'
words 6 'peg '
words 7 'attributes 4'
words 8 'min_quantity 20'
words 9 'side sell_short'
words 9 'tif GTD'
words 11 'oco_key 10'
words 13 'attributes 2'

# --- the second ------------------------------------------------------------------------------------
configuration 20261201 '[instrument 1]
symbol = OTHER
phase = closed
[instrument 2]
symbol = TEST
tick_e4 = 100
phase = closed' "$base/A.carry"
"$bin" carry --show "$base/A.carry" --config "$dir/shard.conf" | tail -n 1 | grep -q '^13 of 13 ' || fail 'they do not fit'
sed 's/^tick_e4 = 100/tick_e4 = 3000/' "$dir/shard.conf" >"$dir/other.conf"
"$bin" carry --show "$base/A.carry" --config "$dir/other.conf" >"$dir/unfit"
hold 'exit code where some do not fit' $? 3
grep -qE '^does not fit \(price_tick\): .*session 1, .*key 1, ' "$dir/unfit" || fail "not named: $(cat "$dir/unfit")"
begin_day
for name in A B; do
    until_counter 10 "$name" carried 13 || fail "$name has $(counter "$name" carried) orders"
    hold "refused of $name" "$(counter "$name" carry_refused)" 0
done
play >"$dir/said" <<'END' || fail 'the second day'
login 1
cancel 1 3 0
END
# In the order of their time, not of keys or prices; before anything else.
grep -qF 'of 13 orders of 20261130 13 are entered, 0 do not fit' "$dir/A.err" || fail 'the node does not say so'
hold 'session 1 is told' "$(head -n 14 "$dir/said" | awk '{ printf "%s%s ", $3, $4 }')" \
    'A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A13 S0 L13 '
hold 'quantities' "$(head -n 12 "$dir/said" | awk '{ printf "%s ", $5 }')" '60 230 50 30 30 40 50 50 20 20 20 10 '
kill -KILL "${pid[A]}"
until_outcome 20 B || fail "nobody took over: $(outcome)"
play >"$dir/said-2" <<'END' || fail 'after the takeover'
login 1
login 2
cancel 1 2 0
cancel 2 3 20
END
grep -qE '^1 [0-9]+ C 2 230 ' "$dir/said-2" || fail 'the iceberg is not canceled whole'
grep -qE '^2 [0-9]+ C 3 5 ' "$dir/said-2" || fail 'session 2 did not cancel 5'
# The client that was there before has the same stream.
cmp <(head -n 15 "$dir/said") <(grep '^1 ' "$dir/said-2" | head -n 15) || fail 'the stream is another one'
# Without its file it says so and ends: the log's DAY names other orders.
sed -i.with 's|^carry = .*||' "$dir/shard.conf"
start_again A
for ((i = 0; i < 400; i++)); do
    kill -0 "${pid[A]}" 2>/dev/null || break
    sleep 0.05
done
((i < 400)) || fail 'it goes on without the orders of its day'
grep -qF 'the log (input 1) has other orders of an earlier day than this node, which has no file' "$dir/A.err" || fail 'it does not say what is missing'
mv "$dir/shard.conf.with" "$dir/shard.conf"
start_again A
until_outcome 60 swapped || fail "not whole again: $(outcome)"
end_day A B
for name in A B; do
    folders=("$dir/journal/"*-"$name")
    "$bin" carry --from "${folders[0]}" --to "$base/$name.again" >/dev/null || fail "carry of $name's second day"
done
cmp "$base/A.again" "$base/B.again" || fail 'the second files differ'
"$bin" carry --show "$base/B.again" | sed 1d >"$base/orders-2"
diff <(grep -vE 'session 1, .*key [23], ' "$base/orders" | sed -E '/session 2/s/quantity 25,/quantity 20,/') "$base/orders-2" ||
    fail 'what is left is not what stood there before'

# What was executed on the first day is in the second one's order events; a replay of its log is what the node was.
"$bin" inspect --journal "${folders[0]}" --export "$dir/B.csv" || fail 'export'
hold 'accepted and executed before' "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["type"] == "accepted" { n++; before += $at["executed"] } END { print n, before }' "$dir/B.csv")" '13 110'
hold 'a replay is the same' "$("$bin" match --log "${folders[0]}" --json 2>/dev/null | jq -r '"\(.digest_equal) \(.closed)"')" 'true true'

# --- who must not begin ----------------------------------------------------------------------------
sed -i 's/^trading_day = .*/trading_day = 20261130/' "$dir/shard.conf"
ip netns exec "$net-a" timeout 30 "$bin" node --config "$dir/shard.conf" --name A --new-day 2>"$dir/early.err" && fail 'a node began the same day again'
grep -q 'can be entered on a later day only' "$dir/early.err" || fail 'it does not say why'
head -c -1 "$base/A.carry" >"$base/cut.carry"
sed -i "s|^carry = .*|carry = $base/cut.carry|" "$dir/shard.conf"
"$bin" node --config "$dir/shard.conf" --name A --check-config >/dev/null 2>"$dir/cut.err" && fail 'a file that is cut was taken'
grep -q 'not of the length that its head says' "$dir/cut.err" || fail 'it does not say what is wrong with the file'
echo 'all of it'
