#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds MesoCL with warnings as errors, runs its tests, and ends with one line
#   N passed, N failed, N skipped
# that counts test functions (and each script among the tests as one). Fails if a test failed, if none ran,
# if there is no OpenCL device, or if fewer device tests passed than tests/device_tests.txt records.
#
#   tools/test.sh           what CI runs
#   tools/test.sh --full    also the tests labelled slow, and all others at full size (MESO_FULL=1)
#
# The reference data is looked for in $MESO_TEST_DATA or ../shared/data. Tests that need it are skipped where
# it is absent; in CI (CI=true) its absence is a failure.
set -eu
cd "$(dirname "$0")/.."
build="build-dev"

case "${1-}" in
'') labels="--label-exclude ^slow$" ;;
--full) labels='' MESO_FULL=1 && export MESO_FULL ;;
*)
    echo "usage: tools/test.sh [--full]" >&2
    exit 2
    ;;
esac

export MESO_REQUIRE_DEVICE=1
if [ "${CI-}" = true ]; then
    export MESO_REQUIRE_DATA=1
fi

tools/setup.sh
cmake --preset dev --log-level=WARNING
cmake --build --preset dev

# Compiled kernels are kept in the build folder (tests/CMakeLists.txt); start without, as a user does.
rm -rf "$build/pocl-cache" && mkdir "$build/pocl-cache"
# ctest cuts long output unless told otherwise, and the lines of test functions are counted below.
# shellcheck disable=SC2086  # words
ctest --preset dev $labels --output-junit results.xml --test-output-size-passed 100000000 \
    --test-output-size-failed 100000000 --parallel "$(nproc)" || true
device_programs=$(ctest --preset dev -N --label-regex '^(ops|golden|device)$' | sed -n 's/^ *Test *#[0-9]*: //p')
if [ -d "${MESO_TEST_DATA:-../shared/data}" ]; then data=with_data; else data=without_data; fi
recorded=$(sed -n "s/^$data //p" tests/device_tests.txt)

# A program that crashes or fails outside its test functions counts as one failure more.
awk -v device_programs="$device_programs" -v recorded="$recorded" '
    BEGIN {
        n = split(device_programs, names, "\n")
        for (i = 1; i <= n; i++)
            on_device[names[i]] = 1
    }
    /^\t<testcase / {
        match($0, / name="[^"]*"/)
        name = substr($0, RSTART + 7, RLENGTH - 8)
        match($0, / status="[^"]*"/)
        status = substr($0, RSTART + 9, RLENGTH - 10)
        n_run = n_ok = n_skip = 0
    }
    # The summary at the end of a group repeats names; these lines come before it.
    /\[=+\] Running /  { in_group = 1; sub(/^.*<system-out>/, "") }
    /^\[=+\] .* run\./ { in_group = 0 }
    in_group && /^\[ RUN      \]/ { n_run++ }
    in_group && /^\[       OK \]/ { n_ok++ }
    in_group && /^\[  SKIPPED \]/ { n_skip++ }
    /^\t<\/testcase>/ {
        in_group = 0
        if (name !~ /^test_/ || n_run == 0) {
            n_run = 1
            n_ok = status == "run"
            n_skip = status == "notrun"
        }
        n_failed = n_run - n_ok - n_skip
        if (status == "fail" && n_failed == 0)
            n_failed = 1
        passed += n_ok
        skipped += n_skip
        failed += n_failed
        if (name in on_device)
            device += n_ok
    }
    END {
        bad = failed > 0 || passed == 0
        printf "device tests: %d passed, %s recorded\n", device, recorded
        if (recorded == "" || device < recorded) {
            print "fewer device tests passed than tests/device_tests.txt records"
            bad = 1
        }
        printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        exit bad
    }' "$build/results.xml"
