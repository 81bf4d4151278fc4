#!/usr/bin/env bash
# The management network of scripts/net: every host reaches every other one by the kernel's TCP, also while its sb0 is cut.
# management.sh NETWORK_SCRIPT. Exit code 77: this machine cannot, and why.
set -euo pipefail
readonly net=$1 prefix="sbm$$"
why=$("$net" check 2>&1) || { echo "SKIP: $why"; exit 77; }
trap '"$net" down "$prefix"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Nobody listens: a host that is reached says so at once, one that is not says nothing.
reaches() { # HOST ADDRESS
    local said
    said=$("$net" exec "$prefix" "$1" timeout 2 bash -c "exec 3<>/dev/tcp/$2/1" 2>&1) && return 1
    [[ $said == *"Connection refused"* ]]
}

all_reach() {
    local host number
    for host in a b w c; do
        for number in 1 2 3 4; do
            reaches "$host" "10.78.0.$number" || fail "$host does not reach 10.78.0.$number $1"
        done
    done
}

"$net" up "$prefix"
all_reach "on a whole network"
"$net" drop "$prefix" a in 100
"$net" drop "$prefix" a out 100
all_reach "while sb0 of a is cut"
! reaches a 10.78.0.5 || fail "an address that no host has is reached"
[[ -z $(ip -n "$prefix-a" -4 -br address show dev sb0 | awk '{print $3}') ]] || fail "sb0 has a kernel address"
echo "16 of 16 ways, twice"
