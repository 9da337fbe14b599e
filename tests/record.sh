#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench/record.sh with budgets of seconds: it ends in time, names every stage as done or missing,
# and says what a driver did that hangs, crashes or lies, or that no device is there. And what
# --pack makes can be run.
#
#   sh tests/record.sh BUILD_DIR
set -eu
build=$(cd "$1" && pwd)
command -v python3 >/dev/null || { echo "python3 is missing" && exit 77; }
"$build/bin/mesocl" devices >/dev/null || { echo "no OpenCL device" && exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset MESO_DEVICE
export MESO_TEST_DATA="$tmp/none" # pictures are drawn

# NAME BUDGET MUST_SAY [VARIABLE=VALUE…] [-- OPTIONS]: a record, and what its page must hold.
record() {
    name=$1 budget=$2 must_say=$3
    shift 3
    variables=
    while [ $# -gt 0 ] && [ "$1" != -- ]; do variables="$variables $1" && shift; done
    [ $# = 0 ] || shift
    begin=$(date +%s)
    # shellcheck disable=SC2086  # words
    env $variables bench/record.sh --bin "$build/bin" --budget "$budget" -o "$tmp/$name" "$@" \
        >"$tmp/$name.out" || { cat "$tmp/$name.out" && exit 1; }
    seconds=$(($(date +%s) - begin))
    echo "$name: $seconds s"
    [ "$seconds" -le $((budget + 3)) ] || { echo "more than the budget of $budget s" && exit 1; }
    grep -Eq "$must_say" "$tmp/$name.md" || {
        cat "$tmp/$name.md"
        echo "$name: the page does not say: $must_say"
        exit 1
    }
    python3 - "$tmp/$name.json" <<'END'
import json, sys
record = json.load(open(sys.argv[1]))
known = ' '.join([s['stage'] for s in record['stages']] + record['missing'])
wanted = ('devices', 'selftest', 'answers', 'meso4', 'mesoinception4, training', 'tuner')
lost = [w for w in wanted if w not in known] if record['device'] else []
sys.exit(f'stages neither done nor missing: {lost}' if lost else 0)
END
}

fault="OPENCL_LAYERS=$build/tests/libfault_layer.so MESO_FAULT_GPU=1"
record good 20 '\| devices .*\| 0 \|' -- --device cpu
# shellcheck disable=SC2086  # words
{
    record hangs 12 'selftest: cut after|selftest: ended with' $fault MESO_FAULT_CALL=60 \
        MESO_FAULT_HANG=1
    record crashes 15 'signal 11' $fault MESO_FAULT_IN=clBuildProgram \
        MESO_FAULT_SIGNAL=11
    record lies 20 'selftest: ended with 1|not finite' $fault MESO_FAULT_POISON=1
}

# What goes to another machine: answers in double precision, and the kernels by CUDA, whose driver
# is a stub.
bench/record.sh --bin "$build/bin" --pack "$tmp/pack" --pictures 2
"$tmp/pack/record.sh" --device cpu --budget 8 -o "$tmp/packed"
grep -q 'double precision' "$tmp/packed.md"
if [ -e "$tmp/pack/cuda" ]; then
    MESO_LIBCUDA="$build/tests/libstub_libcuda.so" STUB_CUDA_FOLDER="$tmp/pack/cuda" \
        python3 bench/record/replay.py "$tmp/pack/cuda/meso4_batch_1.json" | tee "$tmp/replay"
    grep -q '"right": true' "$tmp/replay"
fi

mkdir "$tmp/vendors"
record absent 10 'no OpenCL' "OCL_ICD_VENDORS=$tmp/vendors"
