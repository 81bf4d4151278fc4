#!/usr/bin/env bash
# Both engines are killed under load and start again from their journals, under each setting; 77 where the machine cannot
# make the network.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
why=$(scripts/net check 2>&1) || { echo "SKIP: $why"; exit 77; }
command -v jq >/dev/null || { echo "SKIP: jq is missing"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
scripts/drills both --trials 2 --seed $((RANDOM)) --report "$dir/trials.jsonl" | tee "$dir/out" || exit 1
[[ $(tail -n 1 "$dir/out") == '6 of 6 passed' ]] || { echo 'not six trials'; exit 1; }
# They were killed in the middle, and what they had taken came back.
jq -es 'length == 6 and all(.[]; .acknowledged > 0 and .acknowledged < 8000 and (.how == "resume" or .how == "force")) and
    all(.[] | select(.hold != "two-memories"); .lost == 0)' "$dir/trials.jsonl" >/dev/null || { cat "$dir/trials.jsonl"; exit 1; }
