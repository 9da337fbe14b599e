#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/tree.sh must find each kind of offence in a tree made for it, and none in one without.
set -eu
check=$PWD/tests/tree.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
licence='/* SPDX-License-Identifier: Apache-2.0 */'

fresh_tree() {
    rm -rf "$tmp/tree"
    for folder in include/mesocl src/base src/runtime src/net src/extra src/report tools/mesocl \
        tests cl docs/benchmarks; do
        mkdir -p "$tmp/tree/$folder"
    done
    cd "$tmp/tree"
    echo "$licence" >include/mesocl/net.h
    printf '%s\n#include "base/text.h"\n#include <CL/cl.h>\n' "$licence" >src/runtime/device.c
    printf '%s\n#include "mesocl/net.h"\n' "$licence" >src/base/text.h
    printf '%s\nint elsewhere(void)\n{\n}\n' "$licence" >src/base/other.c
    printf '%s\nint size(int a)\n{\n    next(); /* f() */\n}\n' "$licence" >src/base/size.c
    printf '/* SPDX-License-Identifier: Apache-2.0\n * See oth*.c. */\nint elsewhere(void);\n' \
        >src/base/there.h
    printf '%s\n/* no double here */\nkernel void f(void) {}\n' "$licence" >cl/conv.cl
}

# must_find FILE LINE REASON: LINE is added to FILE of a fresh tree.
must_find() {
    fresh_tree
    [ -e "$1" ] || [ "$1" = src/net/bare.c ] || echo "$licence" >"$1"
    printf '%s\n' "$2" >>"$1"
    if found=$(sh "$check"); then
        echo "not found: $3"
        exit 1
    fi
    case "$found" in
    *"$1:"*"$3"*) ;;
    *)
        printf 'expected "%s" for %s, got:\n%s\n' "$3" "$1" "$found"
        exit 1
        ;;
    esac
}

lines() { yes '    x();' | head -n "$1"; }

# What just fits: 60 lines, 100 characters of several bytes, and what cannot be wrapped.
fresh_tree
umlauts=$(printf 'ü%.0s' $(seq 98))
printf 'int f(void)\n{\n%s\n}\n' "$(lines 57)" >>src/runtime/device.c
for file in src/base/text.h docs/notes.md tools/run.sh; do
    printf '# %s\n' "$umlauts" >>$file
done
address=https://example.org/$umlauts
printf '%s\n' "| $umlauts | a table |" "see [this]($address) or $address" '```' "code $umlauts" \
    '```' '' "    code $umlauts" >>docs/notes.md
sh "$check"
must_find src/base/text.c '#include "runtime/device.h"' 'src/base may not include runtime'
must_find src/runtime/device.c '#include "data/image.h"' 'src/runtime may not include data'
must_find src/runtime/device.c 'int n = clFinish(queue);' 'clFinish, which driver_call.h does'
must_find src/report/table.c '#include "net/net.h"' 'src/report may not include net'
must_find include/mesocl/net.h '#include "base/text.h"' 'include/mesocl may not include base'
must_find tools/mesocl/main.c '#include "tests/harness.h"' 'tools may not include tests'
must_find src/net/net.c '#include <CL/cl.h>' 'OpenCL belongs to src/runtime'
must_find tools/mesocl/convert.c '#include <hdf5.h>' 'HDF5 and zip belong to tools/h5import'
must_find cl/conv.cl 'double4 x;' 'double in a kernel'
must_find cl/conv.cl '#include "prelude.cl"' 'an include in a kernel'
must_find src/net/text.h '' 'the same name as src/base/text.h'
must_find src/net/long.c "$(seq 500)" 'a file over 500 lines'
must_find src/extra/x.c '' 'a folder under src/ that tests/tree.sh does not know'
must_find src/net/bare.c 'int x;' 'lacks the SPDX licence'
must_find src/net/net.c "$(printf 'int f(void)\n{\n%s\n}' "$(lines 58)")" 'a function over 60 lines'
must_find cl/conv.cl "$(printf 'kernel void\ng(int x,\n  int y)\n{\n%s\n}' "$(lines 57)")" \
    'a function over 60 lines'
wide=$(printf '%0101d' 0)
for file in src/net/net.c src/net/net.h cl/conv.cl tools/run.sh tools/run.py tools/count.awk \
    tools/embed.cmake docs/CMakeLists.txt docs/notes.md; do
    must_find $file "# $wide" 'a line over 100 columns'
done
must_find docs/notes.md "$(printf 'text\n    a list goes on, and this is no code: %s' "$wide")" \
    'a line over 100 columns'
must_find docs/benchmarks/raw.json "$(seq 200)" 'a record over 200 lines'
must_find src/base/text.h 'int lost(void);' 'lost is declared, and nothing defines it'
must_find src/base/text.h 'int elsewhere(void);' \
    'elsewhere is defined in src/base/other.c, which the first comment does not name'
must_find src/base/next.c "$(printf 'int next(void)\n{\n    return size(1);\n}')" \
    'a circle of files: src/base/'
must_find tests/test_new.c '' 'a test that tests/README.md does not name'
must_find docs/notes.md "see $(printf '/%s/' home)someone/file" 'a path of one machine'
echo "each kind of offence was found"
