#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How right the verdicts of `device_bench compare` are on this machine; a run is about 21 seconds.
#
#   sh tests/compare_runs.sh same N [BUILD]
#       N compares of one build, each run with the one before it: how many call a regression that is
#       not there, how many are inconclusive
#   sh tests/compare_runs.sh slow N [BUILD]
#       N compares of a build with itself, one kernel made 5 % slower by a layer between it and the
#       driver (planted_layer.c): how many find it
#
# Prints a line for each compare and one with the counts. Exit code 1, of `same`, beyond 1 % false
# regressions (one is allowed in any case) or, from 20 compares on, 20 % inconclusive: on a busy
# machine inconclusive is the right answer, and the suite, which makes 3, must not fail for it. Of
# `slow`, below 95 % found. BUILD: build-dev.
set -eu
cd "$(dirname "$0")/.."
what=$1 n=$2 build=${3:-build-dev}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

run() { # FILE: a record
    "$build/bin/device_bench" net meso4 --batch 8 --cores 1 --processes 14 --seconds 0.2 \
        --json >"$1"
}
slow_run() {
    (OPENCL_LAYERS="$build/tests/libplanted_layer.so" && export OPENCL_LAYERS && run "$1")
}
compare() { # a with b, where 1 % is somebody's concern; the text in $folder/text
    code=0
    "$build/bin/device_bench" compare --margin 1 "$folder/a" "$folder/b" >"$folder/text" ||
        code=$?
    [ "$code" -le 1 ] || exit "$code"
}

i=0 slower=0 inconclusive=0 named=0
[ "$what" = slow ] || run "$folder/b"
while [ "$i" -lt "$n" ]; do
    i=$((i + 1))
    if [ "$what" = slow ]; then
        run "$folder/a" && slow_run "$folder/b"
    else
        mv "$folder/b" "$folder/a" && run "$folder/b"
    fi
    compare
    verdict=$(tail -n 1 "$folder/text")
    kernels=$(awk 'NF > 4 && $NF == "slower" && $(NF - 4) ~ /^(first_|)block|^head/ {
        printf " %s", $(NF - 4) }' "$folder/text")
    case $verdict in
    *slower) slower=$((slower + 1)) ;;
    *inconclusive*) inconclusive=$((inconclusive + 1)) ;;
    esac
    case $kernels in *' block_1'*) named=$((named + 1)) ;; esac
    echo "$i: $verdict${kernels:+ in$kernels}"
done
echo "$n compares: $slower called slower, $named of them in block_1; $inconclusive inconclusive"
if [ "$what" = slow ]; then
    [ $((100 * named)) -ge $((95 * n)) ]
else
    [ "$slower" -le $((n / 100 > 1 ? n / 100 : 1)) ]
    [ "$n" -lt 20 ] || [ "$inconclusive" -le $((n / 5)) ]
fi
