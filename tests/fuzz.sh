#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets (preset fuzz, clang), makes their first inputs, decodes 500 pictures that
# are damaged at random, and runs each target for 12 seconds, two at a time; MESO_FULL=1: 10,000
# pictures, 10 minutes. A finding is an input that crashes, leaks, takes a second or 64 MB more than
# the start; it is kept in build-fuzz/found/, and the test fails.
#
#   sh tests/fuzz.sh CMAKE BUILD_DIR
#
# Ends with 77 (skipped) without clang and its libFuzzer, unless MESO_REQUIRE_FUZZ=1.
set -eu
cmake=$1 bin=$2/bin
out=build-fuzz seconds=12 n_mutated=500
if [ "${MESO_FULL-}" = 1 ]; then
    seconds=600 n_mutated=10000
fi

if ! echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
    clang -fsanitize=fuzzer -x c -o /dev/null - 2>/dev/null; then
    echo "clang with libFuzzer is not there: tools/setup.sh --fuzz installs it"
    [ "${MESO_REQUIRE_FUZZ-}" = 1 ] && exit 1
    exit 77
fi
"$cmake" --preset fuzz --log-level=WARNING >/dev/null
"$cmake" --build --preset fuzz >"$out/build.log" || { cat "$out/build.log"; exit 1; }

rm -rf "$out/corpus" "$out/found"
mkdir -p "$out/corpus" "$out/found"
"$out/bin/make_corpus" "$out/corpus"
cp tests/fixtures/pictures/* "$out/corpus/fuzz_image"
# Freed memory is kept from use for a while: the less, the nearer is the memory that is measured to
# the program's own.
ASAN_OPTIONS=quarantine_size_mb=1 "$out/bin/mutate_images" "$n_mutated" "$out"/corpus/fuzz_image/*
mkdir "$out/corpus/fuzz_h5import" "$out/corpus/fuzz_keras_stream" "$out/corpus/fuzz_tuning"
cp tests/fixtures/tuning.json "$out/corpus/fuzz_tuning"
cp nets/*.net tests/fixtures/*.net "$out/corpus/fuzz_net"
find tests/fixtures -size -64k \( -name '*.h5' -o -name '*.keras' \) \
    -exec cp {} "$out/corpus/fuzz_h5import" \;
for file in tests/fixtures/*.h5 tests/fixtures/*.keras; do
    "$bin/mesocl-h5import" "$file" 2>/dev/null | cat >"$out/corpus/fuzz_keras_stream/${file##*/}"
done

# run TARGET: replays its inputs, then makes new ones.
run() {
    leaks=1 options=
    # HDF5 leaks where it is left in the middle of a file, and each refusal is a sentence on stderr.
    case $1 in fuzz_h5import)
        leaks=0 options="-close_fd_mask=2 -rss_limit_mb=4096"
        [ "$seconds" = 20 ] || options="$options -fork=1 -ignore_ooms=1"
        ;;
    esac
    # shellcheck disable=SC2086  # words
    ASAN_OPTIONS=detect_leaks=$leaks "$out/bin/$1" -max_total_time=$seconds -timeout=10 $options \
        -artifact_prefix="$out/found/$1-" -print_final_stats=1 "$out/corpus/$1" \
        >"$out/$1.log" 2>&1 ||
        echo "finding" >>"$out/$1.log"
}

a='fuzz_image fuzz_keras_stream fuzz_net fuzz_video_stream'
b='fuzz_h5import fuzz_safetensors fuzz_manifest fuzz_tuning'
[ ! -e "$out/bin/fuzz_video" ] || a="$a fuzz_video" # where FFmpeg's libraries are
(for target in $a; do run "$target"; done) &
for target in $b; do run "$target"; done
wait
failed=0
for target in $a $b; do
    # In forks there are no statistics at the end, but a line for each process.
    n=$(sed -n 's/^stat::number_of_executed_units: *//p; s/^#\([0-9]*\): cov: .*/\1/p' \
        "$out/$target.log" | tail -n 1)
    echo "$target: ${n:-no} executions in $seconds s"
    if [ -z "$n" ] || grep -q '^finding$' "$out/$target.log"; then
        tail -40 "$out/$target.log"
        failed=1
    fi
done
exit $failed
