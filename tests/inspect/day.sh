#!/usr/bin/env bash
# The order events of a generated day. Of every order: what was accepted = executed + canceled + what is still open, which
# is what the state at the end says; every trade has its two sides, and the trades are those that the engine alone makes of
# the flow (match --trades).
set -uo pipefail
bin=$SHADOWBOOK_BIN
make_log=$MAKE_LOG
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
bad=0

"$bin" generate --seed 11 --events 60000 --instruments 7 --out "$dir/flow.csv" || exit 1
"$make_log" "$dir/flow.csv" "$dir/log" "$dir/journal" || exit 1
for from in log journal; do
    "$bin" inspect "--$from" "$dir/$from" --export "$dir/$from.csv" || exit 1
done
# A log file does not say who sequenced an input; all else is the same.
cmp <(cut -d, -f1-26,29- "$dir/log.csv") <(cut -d, -f1-26,29- "$dir/journal.csv") || bad=1

# Books: a line for each symbol, sums over its orders; then the trades as a file of match's.
cat >"$dir/judge.awk" <<'END_OF_AWK'
BEGIN { FS = OFS = "," }
FNR == 1 {
    file++
    if (file == 2) {
        for (i = 1; i <= NF; i++) at[$i] = i
        if (NF != 30) wrong("a heading of " NF " columns")
    }
    next
}
file == 1 { if ($2 == "N") id[++orders] = $3; next } # an order's key is its place among the new ones
{
    rows++
    type = $at["type"]; ref = $at["ref"]; quantity = $at["quantity"]
    if (NF != 30 || $at["event"] != rows) wrong("row " FNR ": columns or number")
    if ($at["input"] < input || $at["time"] < time) wrong("row " FNR ": runs back")
    input = $at["input"]; time = $at["time"]; kinds[type]++
    if (type == "accepted") {
        if (ref in open) wrong("row " FNR ": accepted twice")
        open[ref] = accepted[ref] = quantity; symbol[ref] = $at["symbol"]; key[ref] = $at["key"]
    } else if (type == "executed" || type == "canceled") {
        open[ref] -= quantity; sum[type, ref] += quantity
    }
    if (ref != "" && (open[ref] < 0 || open[ref] != $at["open"])) wrong("row " FNR ": open is " open[ref])
    if (ref != "" && sum["executed", ref] + 0 != $at["executed"]) wrong("row " FNR ": executed")
    if (type == "executed") side(ref, $at["match"], quantity, $at["price"])
    if (type == "cross" && $at["quantity"] != crossed[$at["symbol"], input]) wrong("row " FNR ": sum of the auction")
    if (type == "executed" && $at["side"] == "buy") crossed[$at["symbol"], input] += quantity
}
# The two sides of a trade follow each other.
function side(ref, match_, quantity, price, buy, sell, by) {
    if (match_ != match_open) {
        if (match_open != "") wrong("row " FNR ": trade " match_open " has one side")
        match_open = match_; first = ref; first_quantity = quantity; first_price = price
        first_side = $at["side"]; first_contra = $at["contra_ref"]; first_aggressor = $at["aggressor"]
        return
    }
    if (quantity != first_quantity || price != first_price || $at["side"] == first_side ||
        first_contra != ref || $at["contra_ref"] != first)
        wrong("row " FNR ": the sides of trade " match_ " do not fit")
    buy = first_side == "buy" ? first : ref
    sell = first_side == "buy" ? ref : first
    if ($at["aggressor"] == "" && first_aggressor == "") by = "auction"
    else if ($at["aggressor"] == "yes" && first_aggressor == "no") by = $at["side"]
    else wrong("row " FNR ": aggressor")
    sub(/\./, "", price)
    print id[key[buy]], id[key[sell]], price + 0, quantity, by >trades
    match_open = ""
}
function wrong(what) { print what >"/dev/stderr"; failures++ }
END {
    for (ref in accepted) {
        if (accepted[ref] != open[ref] + sum["executed", ref] + sum["canceled", ref]) wrong("order " ref)
        left += open[ref] > 0
    }
    for (i = split("accepted executed canceled phase cross", wanted, " "); i > 0; i--)
        if (kinds[wanted[i]] < 10) wrong("only " kinds[wanted[i]] + 0 " rows of " wanted[i])
    if (match_open != "") wrong("the last trade has one side")
    print left, kinds["accepted"], kinds["executed"] / 2
    exit failures != 0
}
END_OF_AWK
echo 'buy_order_id,sell_order_id,price,quantity,aggressor' >"$dir/trades.csv"
awk -v trades="$dir/rows" -f "$dir/judge.awk" "$dir/flow.csv" "$dir/log.csv" >"$dir/sums" || bad=1
cat "$dir/rows" >>"$dir/trades.csv"
"$bin" match --flow "$dir/flow.csv" --trades "$dir/trades.csv" >"$dir/match" || bad=1
grep '^trades' "$dir/match" || bad=1

"$bin" inspect --log "$dir/log" --state >"$dir/state" || bad=1
totals=$(sed -n 's/^totals: .*accepted \([0-9]*\),.*trades \([0-9]*\), open_orders \([0-9]*\),.*/\3,\1,\2/p' "$dir/state")
if [[ $totals != "$(cat "$dir/sums")" ]]; then
    echo "orders open, accepted, trades: $totals in the state, $(cat "$dir/sums") in the rows"
    bad=1
fi
exit "$bad"
