#!/usr/bin/env bash
# One run of scripts/run; 77 where the machine cannot make the network.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
if ! why=$(scripts/net check 2>&1); then
    echo "skipped: $why"
    exit 77
fi
command -v jq >/dev/null || { echo "skipped: jq is missing"; exit 77; }
exec scripts/run --events 8000 "$@"
