#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the design asks of the tree itself: a folder includes only what stands to its left, no file
# leads back to itself, a header says where its functions are; files, functions and lines are short,
# names unique; kernels know no double; nothing names a path of one machine.
# Prints each offence as file:line: reason. Takes no arguments from ctest; tree_can_fail.sh runs it
# on other trees.
#
#   sh tests/tree.sh        (in the root of the tree)
set -eu
export LC_ALL=C

sources=$(find include src tools bench tests examples cl -name '*.[ch]' -o -name '*.cl' \
    2>/dev/null | sort)
texts=$(find . \( -name .git -o -name 'build*' \) -prune -o -type f -print |
    grep -Ev '\.(safetensors|h5|hdf5|keras|png|jpg)$' | sort)
documents=$(printf '%s\n' "$texts" | grep '\.md$' || true)
scripts=$(printf '%s\n' "$texts" | grep -E '/CMakeLists\.txt$|\.(sh|py|awk|cmake)$' || true)
report=$(mktemp)
trap 'rm -f "$report"' EXIT

# shellcheck disable=SC2086  # lists of our own file names, which have no spaces
{
    awk '
    # What each folder may include, besides its own files and public headers.
    BEGIN {
        may["src/base"] = "base"
        may["src/runtime"] = "base runtime"
        may["src/maths"] = "base maths"
        may["src/data"] = "base data"
        may["src/picture"] = "base runtime data picture"
        may["src/net"] = "base runtime data net"
        may["src/model"] = "base runtime data picture net model"
        may["src/study"] = "base runtime maths data picture net model study"
        may["src/demo"] = "base data demo"
        may["src/video"] = "base video"
        may["src/face"] = "base runtime data net model face"
        may["src/measure"] = "base runtime maths data net model report measure"
        may["src/report"] = "base report"
        may["tools"] = "base runtime maths data picture net model study demo measure report video" \
            " face"
        may["bench"] = may["tools"]
        may["include/mesocl"] = ""
    }
    function offence(text) { print FILENAME ":" FNR ": " text }
    FNR == 1 {
        folder = FILENAME
        sub("/[^/]*$", "", folder)
        layer = folder
        if (layer ~ "^(tools|bench)/")
            sub("/.*", "", layer)
        else if (match(layer, "^src/[^/]*"))
            layer = substr(layer, 1, RLENGTH)
        if (layer ~ "^src/" && !(layer in may))
            offence("a folder under src/ that tests/tree.sh does not know")
        if ($0 !~ "SPDX-License-Identifier: Apache-2.0")
            offence("the first line lacks the SPDX licence")
    }
    FILENAME ~ "[.]cl$" {
        code = $0
        gsub("//.*|/[*].*|^ [*].*", "", code)
        if (code ~ "(^|[^A-Za-z0-9_])double([0-9]*)([^A-Za-z0-9_]|$)")
            offence("double in a kernel")
        if (code ~ "^ *# *include")
            offence("an include in a kernel: the host puts prelude.cl before it")
    }
    layer in may && /^ *# *include *["<]/ {
        name = $0
        sub("^[^\"<]*[\"<]", "", name)
        sub("[\">].*", "", name)
        if (name ~ "^CL/" && folder != "src/runtime" && FILENAME != "include/mesocl/interop.h")
            offence("OpenCL belongs to src/runtime")
        if (name ~ "^(hdf5|H5|zip[.]h)" && folder != "tools/h5import")
            offence("HDF5 and zip belong to tools/h5import")
        if (name ~ "^lib(av|sw)[a-z]*/" && folder != "tools/video")
            offence("FFmpeg belongs to tools/video")
        if ($0 ~ /"/ && name ~ "/" && name !~ "^mesocl/") {
            sub("/.*", "", name)
            if (index(" " may[layer] " ", " " name " ") == 0)
                offence(layer " may not include " name)
        }
    }' $sources

    c_sources=$(printf '%s\n' "$sources" | grep -E '^(src|tools|bench)/.*[.][ch]$')
    awk -f "$(dirname "$0")/circles.awk" pass=1 $c_sources pass=2 $c_sources
    awk -f "$(dirname "$0")/lengths.awk" $sources $scripts $documents

    # Public headers are included as mesocl/x.h, and nobody includes an example: these may share a
    # name with an inner file.
    printf '%s\n' "$sources" | grep -Ev '^(include|examples)/' |
        awk -F/ 'seen[$NF] { print $0 ":1: the same name as " seen[$NF] } { seen[$NF] = $0 }'

    # tests/README.md says what each test program covers.
    for test in $(printf '%s\n' "$sources" | sed -n 's|^tests/\(test_[a-z0-9_]*\)\.c$|\1|p'); do
        grep -q "\`$test\`" tests/README.md 2>/dev/null ||
            echo "tests/$test.c:1: a test that tests/README.md does not name"
    done

    # A call of OpenCL that is not marked would be taken for the program's own when it crashes.
    for file in src/runtime/*.c; do
        grep -oE '\<cl[A-Z][A-Za-z]+' "$file" | sort -u | while read -r name; do
            grep -q "#define $name(" src/runtime/driver_call.h 2>/dev/null ||
                echo "$file:1: $name, which driver_call.h does not mark"
        done
    done

    # Records are summaries (bench/summarize.py).
    find docs/benchmarks -name '*.json' -exec awk '
        FNR == 201 { print FILENAME ":201: a record over 200 lines" }' {} + 2>/dev/null || true

    grep -nIE '(^|[^A-Za-z0-9_.])/(home|root|work)/' $texts |
        sed 's/$/: a path of one machine/' || true
} >"$report"

cat "$report"
echo "$(printf '%s\n' "$sources" | wc -l) sources, $(wc -l <"$report") offences"
[ ! -s "$report" ]
