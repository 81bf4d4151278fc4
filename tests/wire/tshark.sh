#!/bin/sh
# Lets tshark judge MoldUDP64 frames that our encoders made: sessions, numbers, counts, block lengths, checksums.
# The expected table is written from make_pcap.c's list, stream names with a calendar.
set -eu
if ! command -v tshark >/dev/null 2>&1; then
    echo "SKIP: no tshark on this host"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" "$dir/mold.pcap"
tshark -r "$dir/mold.pcap" -d udp.port==26477,moldudp64 \
    -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields -E separator=' ' -E aggregator=, \
    -e moldudp64.session -e moldudp64.sequence -e moldudp64.count -e moldudp64.msglen \
    -e ip.checksum.status -e udp.checksum.status >"$dir/got" 2>"$dir/errors" || {
    cat "$dir/errors"
    exit 1
}
# A checksum's status: 1 good, 0 bad, 2 unverified.
lengths=$(yes 36 | head -20 | paste -sd, -)
cat >"$dir/want" <<END
011XX00007 1 1 29 1 1
011XX00007 2 2 29,36 1 1
011XX00007 4 3 29,36,29 1 1
011XX00000 78187493530 20 $lengths 1 1
011XX00007 7 0  1 1
011XX00007 7 65535  1 1
END
diff -u "$dir/want" "$dir/got"
