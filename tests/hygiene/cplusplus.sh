#!/usr/bin/env bash
# The engine's headers are for users of C++ as well: they compile there, without a warning, and link by C names.
set -euo pipefail
cd "$1"
compiler=$(command -v g++ || command -v clang++) || {
    echo "skipped: neither g++ nor clang++ is installed"
    exit 77
}
for standard in c++11 c++17 c++20; do
    "$compiler" -std=$standard -Wall -Wextra -Wpedantic -Werror -x c++ -fsyntax-only -Iinclude - <<'END'
#include "shadowbook/engine.h"
extern "C" uint32_t (*cancel)(struct sb_engine *, uint64_t, struct sb_report *);
uint32_t (*cancel)(struct sb_engine *, uint64_t, struct sb_report *) = sb_direct_cancel;
END
done
