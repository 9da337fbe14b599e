#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Has this build the bits whose hashes tests/golden/same_bits.txt holds? Predictions by every path,
# the weights of short trainings, statistics and a study of drawn pictures, on PoCL as a processor
# of the tuning row's kind runs it. Ends with 77 where there is no such processor.
#
#   tests/same_bits.sh ROW BUILD            ROW: any, avx2 or avx512
#   tests/same_bits.sh --record BUILD       writes the hashes of all three rows
#
# Whoever changes sums on purpose records anew, in the same commit, and says in its message the
# largest |Δp|, which tests/same_bits.py OLD prints.
set -eu
export LC_ALL=C
recorded=$PWD/tests/golden/same_bits.txt

skip() {
    echo "skipped: $1"
    exit 77
}

# The processor that PoCL compiles for, and the flag without which it cannot run that.
kernels_of() {
    case $1 in
    any) echo sse2 sse2 ;;
    avx2) echo avx2 avx2 ;;
    avx512) echo avx512 avx512vl ;;
    *) echo "same_bits.sh: no row $1" >&2 && exit 2 ;;
    esac
}

# Training takes pictures of both classes, a study sets that share none.
compute() {
    mkdir -p bits
    for set in a b control; do mkdir -p "$set/fake" "$set/real"; done
    "$bin/same_bits" draw a 0 4
    "$bin/same_bits" draw b 100 4
    "$bin/same_bits" draw control 200 4
    "$bin/same_bits" predict bits a "$root/weights/meso4.safetensors" \
        "$root/weights/mesoinception4.safetensors"
    if [ "$1" = any ]; then # a GPU's kernels, on a device that poses as one
        mkdir tiles
        OPENCL_LAYERS="$build/tests/libfault_layer.so" MESO_FAULT_GPU=1 "$bin/same_bits" predict \
            tiles a "$root/weights/meso4.safetensors" "$root/weights/mesoinception4.safetensors"
        for file in tiles/*.fused; do mv "$file" "bits/${file#*/}.tiles"; done
    fi
    "$bin/same_bits" train bits a 4
    rm -r bits/run.*
    "$bin/dataset_bench" stats --csv a b >bits/stats 2>log
    "$bin/dataset_bench" run --train a=a --train b=b --test control=control --seeds 1 --epochs 1 \
        --batch 8 -o study >log 2>&1 || { cat log && exit 1; }
    mv study/study_result.csv bits/study
}

# "ROW HASH FILE" for each file of bits.
hashes() {
    read -r kernels flag <<EOF
$(kernels_of "$1")
EOF
    grep -qw "$flag" /proc/cpuinfo || skip "the processor has no $flag"
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    # The C library's functions, too, as a processor without FMA has them.
    export POCL_KERNELLIB_NAME="$kernels" GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2
    export MESO_DEVICE=Portable MESO_CACHE_DIR="$tmp/cache" XDG_CONFIG_HOME="$tmp"
    (cd "$tmp" && compute "$1") >&2
    (cd "$tmp/bits" && sha256sum -- *) | sed "s/^/$1 /; s/  / /"
}

root=$PWD
build=$2
bin=$2/bin
"$bin/mesocl" devices 2>/dev/null | grep -q 'Portable Computing Language' || skip "there is no PoCL"
if [ "$1" = --record ]; then
    for row in any avx2 avx512; do (hashes $row); done >"$recorded.new"
    mv "$recorded.new" "$recorded"
    exit
fi
got=$(hashes "$1")
expected=$(grep "^$1 " "$recorded")
if [ "$got" != "$expected" ]; then
    echo "these are not the bits that tests/golden/same_bits.txt has (>):"
    printf '%s\n' "$got" >"$2/same_bits.$1"
    printf '%s\n' "$expected" | diff "$2/same_bits.$1" - | grep '^[<>]'
    echo "where a change of sums was meant: tests/same_bits.sh --record $2"
    exit 1
fi
printf '%s\n' "$got" | awk -v row="$1" 'END { print row ": " NR " files have the bits recorded" }'
