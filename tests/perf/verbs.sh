#!/bin/sh
# verbs.sh SHADOWBOOK: exit codes and words of help, match and generate.
set -u
bin=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

# expect CODE WORDS ARGUMENT...: runs the verb; its exit code and something that it must say.
expect() {
    code=$1 words=$2
    shift 2
    "$bin" "$@" >"$dir/out" 2>&1
    got=$?
    if [ "$got" -ne "$code" ] || ! grep -q -e "$words" "$dir/out"; then
        echo "shadowbook $*: exit $got, expected $code and '$words'; it said:"
        cat "$dir/out"
        failed=1
    fi
}

expect 0 generate help
expect 0 shadowbook --version
expect 2 nosuchverb nosuchverb
expect 2 usage match
expect 2 usage switch
expect 2 usage switch --shard x
expect 2 'no primary of shard 1290' switch --shard 1290
expect 2 usage generate --seed 1
expect 2 usage inspect
expect 2 "$dir/absent: cannot open: No such file" inspect --journal "$dir/absent"
expect 2 'no segment' inspect --journal "$dir"
expect 2 'no folder of a journal' inspect --lineages "$dir"
expect 2 usage inspect --lineages "$dir" --json
expect 2 usage inspect --journal "$dir" --state --export "$dir/x.csv"
expect 2 usage inspect --journal "$dir" --at 5
expect 2 usage inspect --state
expect 2 usage inspect --journal "$dir" --depth 3
expect 2 usage inspect --journal "$dir" --json
expect 2 usage inspect --journal "$dir" --shard 3
expect 2 usage inspect --node A --at 5
expect 2 usage inspect --log "$dir/flow" --difference "$dir/flow" --instrument A
expect 2 'no process nosuchnode' inspect --node nosuchnode
expect 2 'absent: cannot open' inspect --log "$dir/absent" --export "$dir/x.csv"
expect 1 'no segment' match --log "$dir"
expect 2 usage bench --journal "$dir"
expect 2 usage bench match --messages 999
expect 2 usage bench match extra
expect 2 'no workload nosuch' bench match --only nosuch
expect 0 '^queue ' bench match --messages 2000 --passes 1 --only queue --cores any
expect 0 'taken at once' bench match --messages 2000 --passes 1 --only queue --cores any --eager
expect 0 '"hashes_equal": true' bench match --messages 2000 --passes 1 --only crash --json --cores any
expect 0 ', "ids_messages_per_s": [1-9]' bench match --messages 2000 --passes 1 --only keys --json --cores any
expect 0 ', "ratio_plain": [0-9]' bench match --messages 2000 --passes 3 --only swing-1 --json --cores any
expect 0 '"ratio_plain": null' bench match --messages 2000 --passes 1 --only instruments --json --cores any
expect 0 'room for 50000 orders' bench match --messages 2000 --passes 1 --only keys --cores any --plain-orders 50000
expect 2 usage bench match --plain-orders 0
expect 0 'SKIP: .*absent' bench match --only lobster-20120621-AAPL --captures "$dir/absent"
expect 2 'out of range' generate --seed 1 --events 0
expect 2 "$dir/absent.csv: No such file" match --flow "$dir/absent.csv"
expect 0 '^trades' match --generate 7,1000,3 --stats
expect 2 'expected SEED' match --generate 7

# Two sells, one buy that takes the older in full and the other in part.
cat >"$dir/flow.csv" <<'END'
time_ns,op,order_id,side,price,quantity,arg
1,N,11,S,10000,100,DAY
2,N,12,S,10000,100,DAY
3,N,13,B,10000,150,DAY
END
head='buy_order_id,sell_order_id,price,quantity,aggressor'
printf '%s\n13,11,10000,100,buy\n13,12,10000,50,buy\n' "$head" >"$dir/right.csv"
printf '%s\n13,11,10000,100,buy\n13,12,10000,51,buy\n' "$head" >"$dir/wrong.csv"
printf '%s\n13,11,10000,100,buy\n' "$head" >"$dir/short.csv"
printf '%s\n13,11,10000,100,buy\n13,12,10000,50,buy\n13,12,10000,50,buy\n' "$head" >"$dir/long.csv"
expect 0 'trades equal  2 of 2' match --flow "$dir/flow.csv" --trades "$dir/right.csv"
expect 1 'trade 2: engine: .*50 @ 10000 .*; file: .*51 @ 10000' \
    match --flow "$dir/flow.csv" --trades "$dir/wrong.csv"
expect 1 'trade 2 is not in the file' match --flow "$dir/flow.csv" --trades "$dir/short.csv"
expect 1 'the file has more' match --flow "$dir/flow.csv" --trades "$dir/long.csv"

# Plain and compressed files of one seed hold the same rows.
for name in a.csv b.csv.xz; do
    "$bin" generate --seed 5 --events 2000 --out "$dir/$name" || failed=1
    "$bin" match --flow "$dir/$name" --stats >"$dir/out.$name" 2>&1 || failed=1
    grep digest "$dir/out.$name" >"$dir/digest.$name"
done
if ! [ -s "$dir/digest.a.csv" ] || ! cmp "$dir/digest.a.csv" "$dir/digest.b.csv.xz"; then
    echo "plain and compressed flow of one seed differ"
    failed=1
fi
expect 2 'No such file' generate --seed 1 --events 100 --out "$dir/no/such/folder.csv"
exit $failed
