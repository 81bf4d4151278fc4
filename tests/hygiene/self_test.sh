#!/bin/bash
# The checks see what they are for: each violation is planted in a copy, alone, and must be named; the
# copy without it must pass.
set -u -o pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
copy=$(mktemp -d) || exit 1
trap 'rm -rf "$copy"' EXIT

failures=0
planted=0

# A tree of its own that keeps to all rules, so that this test does not hang on the state of the real one.
clean_tree() {
    rm -rf "${copy:?}"/*
    mkdir -p "$copy"/{include/shadowbook,engine,nic/wire,nic/dpdk,replica,perf,tests/x,scripts,.ci}
    echo '#include <stdint.h>' >"$copy/include/shadowbook/a.h"
    printf '%s\n' '#include "engine/book.h"' '#include "shadowbook/a.h"' '#include "xxhash.h"' \
        '/* no malloc( here, nor a double */' 'const char *s = "time(";' >"$copy/engine/book.c"
    sed -i 's/"xxhash.h"/<xxhash.h>/' "$copy/engine/book.c"
    echo 'int sb_book(void);' >"$copy/engine/book.h"
    echo '#include "shadowbook/a.h"' >"$copy/nic/wire/udp.h"
    echo '#include <rte_eal.h>' >"$copy/nic/dpdk/port.c"
    echo '#include "nic/wire/udp.h"' >"$copy/replica/node.h"
    printf '%s\n' '#include "nic/dpdk/port.h"' '#include "perf/verbs.h"' >"$copy/replica/main_node.c"
    echo '#include <time.h>' >"$copy/replica/counters.c"
    echo '#include "replica/node.h"' >"$copy/perf/top.c"
    echo '#include "engine/book.h"' >"$copy/tests/x/test_x.c"
    printf '%s\n' '#!/bin/bash' 'echo "$#"' >"$copy/scripts/run"
}

# plant CHECK FILE LINE EXPECTED: appends LINE to FILE; CHECK must fail and say EXPECTED and the file.
plant() {
    local check=$1 file=$2 line=$3 expected=$4 said
    clean_tree
    printf '%s\n' "$line" >>"$copy/$file"
    planted=$((planted + 1))
    if said=$(bash "$here/$check" "$copy" 2>&1); then
        echo "$check did not see \"$line\" in $file"
        failures=$((failures + 1))
    elif [[ $said != *"$expected"* || $said != *"$file"* ]]; then
        echo "$check saw something else than \"$line\" in $file: $said"
        failures=$((failures + 1))
    fi
}

clean_tree
for check in layers.sh words.sh; do
    if ! said=$(bash "$here/$check" "$copy" 2>&1); then
        echo "$check refuses a clean tree: $said"
        failures=$((failures + 1))
    fi
done

plant layers.sh engine/book.c '#include "replica/node.h"' 'engine includes replica'
plant layers.sh engine/book.c '#include "nic/wire/udp.h"' 'engine includes nic/wire'
plant layers.sh include/shadowbook/a.h '#include "engine/book.h"' 'include includes engine'
plant layers.sh nic/wire/udp.h '#include "replica/node.h"' 'nic/wire includes replica'
plant layers.sh nic/wire/udp.h '#include "../dpdk/port.h"' 'give its path from the root'
plant layers.sh nic/dpdk/port.c '#include "replica/node.h"' 'nic/dpdk includes replica'
plant layers.sh replica/node.h '#include "engine/book.h"' 'replica includes engine'
plant layers.sh replica/node.h '#include "nic/dpdk/port.h"' 'replica includes nic/dpdk'
plant layers.sh replica/node.h '#include "perf/top.h"' 'replica includes perf'
plant layers.sh replica/node.h '#include <sys/socket.h>' '<sys/socket.h>'
plant layers.sh replica/node.h 'int f(void) { return socket(1, 2, 3); }' 'socket('
plant layers.sh replica/node.h 'clock_gettime(0, &t);' 'clock_gettime('
plant layers.sh replica/node.h '#include "replica/clock.h"' 'replica includes main'
plant layers.sh replica/main_node.c '#include "perf/top_view.h"' 'perf/verbs.h'
plant layers.sh replica/main_node.c '#include <liburing.h>' 'liburing outside'
plant layers.sh replica/node.h '#include "replica/journal_writer.h"' 'replica includes main'
plant layers.sh perf/top.c '#include "tests/x/x.h"' 'perf includes tests'
plant layers.sh perf/top.c '#include <rte_mbuf.h>' 'rte_* outside'
plant layers.sh tests/x/test_x.c 'rte_eal_init(0, 0);' 'rte_* outside'
plant layers.sh engine/book.c '#include <time.h>' '<time.h>'
plant layers.sh engine/book.c '#include <pthread.h>' '<pthread.h>'
plant layers.sh engine/book.c 'void *p = malloc(1);' 'malloc('
plant layers.sh engine/book.c '/* a */ printf("x");' 'printf('
plant layers.sh engine/book.c 'uint64_t t = __rdtsc();' '__rdtsc('
plant layers.sh engine/book.h 'double price;' 'float, double'
plant words.sh scripts/run 'cd /home/somebody' 'path of one machine'
plant words.sh engine/book.c '/* TODO: later */' 'note to oneself'
plant words.sh engine/book.c '/* see issue 12 */' "tracker's number"
plant words.sh engine/book.c '/* done for #12 */' "tracker's number"

((failures == 0)) || exit 1
echo "$planted planted violations were seen"
