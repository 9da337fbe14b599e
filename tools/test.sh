#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds MesoCL with warnings as errors, runs its tests, and ends with one line
#   N passed, N failed, N skipped
# that counts test functions (and each script among the tests as one), behind the 20 slowest tests.
# Fails if a test failed, if none ran, if there is no OpenCL device, or if fewer device tests passed
# than tests/device_tests.txt records.
#
#   tools/test.sh           what CI runs
#   tools/test.sh --full    also the tests labelled slow, and all others at full size (MESO_FULL=1)
#
# The reference data is looked for in $MESO_TEST_DATA or ../shared/data. Tests that need it are
# skipped where it is absent; in CI (CI=true) its absence is a failure.
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

tools/setup.sh --tests
if [ "${CI-}" = true ]; then
    tools/setup.sh --fuzz && export MESO_REQUIRE_FUZZ=1
fi
cmake --preset dev --log-level=WARNING
cmake --build --preset dev
tools/get_detector.sh || echo "without the face detector's weights, tests of faces are skipped"

# Compiled kernels are kept in the build folder (tests/CMakeLists.txt); start without, as
# a user does.
rm -rf "$build/pocl-cache" "$build/zoo/rows" && mkdir "$build/pocl-cache"
# ctest cuts long output unless told otherwise, and the lines of test functions are counted below.
# shellcheck disable=SC2086  # words
ctest --preset dev $labels --output-junit results.xml --test-output-size-passed 100000000 \
    --test-output-size-failed 100000000 --parallel "$(nproc)" || true
device_programs=$(ctest --preset dev -N --label-regex '^(ops|golden|device)$' |
    sed -n 's/^ *Test *#[0-9]*: //p')
if [ -d "${MESO_TEST_DATA:-../shared/data}" ]; then data=with_data; else data=without_data; fi
recorded=$(sed -n "s/^$data //p" tests/device_tests.txt)

echo "the 20 slowest tests, in seconds:"
sed -n 's/^\t<testcase name="\([^"]*\)".* time="\([^"]*\)".*/\2 \1/p' "$build/results.xml" |
    LC_ALL=C sort -rg | head -n 20
awk -v device_programs="$device_programs" -v recorded="$recorded" \
    -f tools/count_tests.awk "$build/results.xml"
