#!/usr/bin/env bash
# Ports against each other: echo.sh PROGRAM NETWORK_SCRIPT CASE. Exit code 77: this machine cannot, and why.
set -euo pipefail
readonly echo_program=$1 net=$2 case=$3
readonly prefix="sbt$$"
folder=$(mktemp -d)
server=

cleanup() {
    local status=$?
    trap - EXIT
    if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    [[ $(id -u) != 0 ]] || "$net" down "$prefix" || true
    rm -rf "$folder"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
    echo "FAILED: $*" >&2
    if [[ -s $folder/server ]]; then sed 's/^/  server: /' "$folder/server" >&2; fi
    exit 1
}

skip() {
    echo "SKIP: $*"
    exit 77
}

network() {
    local why
    why=$("$net" check 2>&1) || skip "$why"
    "$net" up "$prefix" a b
}

# The server prints "ready" when its port is open.
serve() { # COMMAND...: in the background
    "$@" --serve --seconds 60 >"$folder/server" 2>&1 &
    server=$!
    for _ in $(seq 200); do
        grep -q '^ready' "$folder/server" && return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    grep -qE 'AF_XDP|not supported|Operation not permitted' "$folder/server" &&
        [[ $case == af_xdp* ]] && skip "AF_XDP: $(tail -n 1 "$folder/server")"
    fail "the server did not become ready"
}

# Both processes end by themselves: the client with 0, the server with 0 on SIGTERM.
finish() {
    kill -TERM "$server"
    wait "$server" || fail "the server ended with $?"
    server=
}

exchange() { # client command...: one at a time, then a burst of 10000 in windows of a whole burst, in odd sizes
    "$@" --count 2000 --warm-up 10 || fail "one frame in flight"
    "$@" --count 10000 --window 32 --bytes 1514 --warm-up 0 || fail "10000 frames of 1514 bytes"
    "$@" --count 10000 --window 64 --bytes 77 --warm-up 0 --json >"$folder/json" || fail "10000 frames of 77 bytes"
    grep -q '"answered":10000,"lost":0,"damaged":0' "$folder/json" || fail "counts: $(cat "$folder/json")"
}

between_namespaces() { # KIND [OPTION...]
    local spec="$1:iface=sb0"
    shift
    network
    serve ip netns exec "$prefix-b" "$echo_program" --port "$spec" --idle yield "$@"
    exchange ip netns exec "$prefix-a" "$echo_program" --port "$spec" --idle yield \
        --peer-mac 02:5b:00:00:00:02 "$@"
}

# Runs a command that must fail with CODE and say WORDS.
refused() { # CODE WORDS COMMAND...
    local code=$1 words=$2 status=0
    shift 2
    "$@" >"$folder/refused" 2>&1 || status=$?
    [[ $status == "$code" ]] || fail "exit code $status, not $code: $* : $(cat "$folder/refused")"
    grep -qF -- "$words" "$folder/refused" || fail "does not say '$words': $(cat "$folder/refused")"
}

case $case in
af_xdp) between_namespaces af_xdp ;;
af_xdp_no_huge) between_namespaces af_xdp --no-huge ;;
af_packet) between_namespaces af_packet --no-huge ;;
memif)
    serve "$echo_program" --port "memif:socket=$folder/s,role=server" --idle yield --no-huge
    exchange "$echo_program" --port "memif:socket=$folder/s,role=client" --idle yield --no-huge
    ;;
memif_client_first)
    "$echo_program" --port "memif:socket=$folder/s,role=client" --idle yield --no-huge --count 2000 \
        >"$folder/client" 2>&1 &
    client=$!
    sleep 0.7
    serve "$echo_program" --port "memif:socket=$folder/s,role=server" --idle yield --no-huge
    wait "$client" || fail "the client ended with $?: $(cat "$folder/client")"
    ;;
memif_after_kill) # the socket file of a killed server is no obstacle
    serve "$echo_program" --port "memif:socket=$folder/s,role=server" --no-huge
    kill -KILL "$server"
    wait "$server" 2>/dev/null || true
    [[ -S $folder/s ]] || fail "no socket file left behind: this tests nothing"
    serve "$echo_program" --port "memif:socket=$folder/s,role=server" --idle yield --no-huge
    exchange "$echo_program" --port "memif:socket=$folder/s,role=client" --idle yield --no-huge
    ;;
af_xdp_after_kill) # nor is the program that a killed process left on its interface
    network
    serve ip netns exec "$prefix-b" "$echo_program" --port af_xdp:iface=sb0
    kill -KILL "$server"
    wait "$server" 2>/dev/null || true
    between=("$echo_program" --port af_xdp:iface=sb0 --idle yield)
    serve ip netns exec "$prefix-b" "${between[@]}"
    exchange ip netns exec "$prefix-a" "${between[@]}"
    ;;
loss) # what the network loses is counted, and is a failure
    network
    "$net" drop "$prefix" b in 20
    serve ip netns exec "$prefix-b" "$echo_program" --port af_packet:iface=sb0 --idle yield --no-huge
    refused 1 '"lost":' ip netns exec "$prefix-a" "$echo_program" --port af_packet:iface=sb0 --no-huge \
        --idle yield --warm-up 0 --count 640 --window 64 --json
    ! grep -q '"lost":0,' "$folder/refused" || fail "nothing was lost: $(cat "$folder/refused")"
    grep -q '"damaged":0,' "$folder/refused" || fail "$(cat "$folder/refused")"
    ;;
errors)
    refused 2 "unknown kind" "$echo_program" --port ethernet:iface=lo
    refused 2 "iface=NAME is missing" "$echo_program" --port af_xdp:queue=0
    refused 2 "role=server|client" "$echo_program" --port memif:socket=/nowhere/s
    refused 2 "--bytes: 64 to 1514" "$echo_program" --port pci:0000:01:00.0 --bytes 1515
    refused 2 "port af_packet nosuchif: interface: No such device" \
        "$echo_program" --port af_packet:iface=nosuchif --no-huge
    refused 2 "port memif /nowhere/at/all: " \
        "$echo_program" --port memif:socket=/nowhere/at/all,role=server --no-huge
    refused 2 "processor 1023 is not there" \
        "$echo_program" --port memif:socket="$folder/s",role=server --lcore 1023 --no-huge
    refused 1 "no link after 100 ms" \
        "$echo_program" --port memif:socket="$folder/s",role=client --wait-ms 100 --no-huge
    ;;
rights)
    [[ $(id -u) == 0 ]] || skip "not root: cannot become somebody else"
    command -v setpriv >/dev/null || skip "no setpriv"
    chmod 755 "$folder"
    cp "$echo_program" "$folder/echo" # the build folder may be closed to others
    refused 2 "Needs root" setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$folder/echo" --port af_packet:iface=lo --no-huge
    ;;
*) fail "no case $case" ;;
esac
[[ -z $server ]] || finish
