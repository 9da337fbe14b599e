#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The self-test and some cases of every strip kernel on a weaker device, which PoCL imitates by an environment
# variable: a small limit of work-groups, an older instruction set, one thread. The answers must be right and the
# fused path must have been taken: falling back to the plain one unsaid would be slow and look well.
#
#   sh tests/weak_device.sh CMAKE BUILD_DIR VARIABLE=VALUE
#
# Ends with 77 (skipped) where there is no device, or with 1 where MESO_REQUIRE_DEVICE=1.
set -eu
bin=$2/bin
# shellcheck disable=SC2163  # what it holds
export "$3"
POCL_CACHE_DIR=$2/pocl-cache-weak/$(printf '%s' "$3" | tr -c 'A-Za-z0-9\n' _)
export POCL_CACHE_DIR
mkdir -p "$POCL_CACHE_DIR"

if ! "$bin/mesocl" devices >/dev/null; then
    [ "${MESO_REQUIRE_DEVICE-}" != 1 ] || exit 1
    exit 77
fi
rows=$("$bin/mesocl" selftest --device all)
echo "$rows"
for net in meso4 meso4_elu meso4_leaky mesoinception4; do
    for path in fused exact plain; do
        if ! echo "$rows" | grep -q " $net  *$path .* ok *\$"; then
            echo "$net was not computed on the $path path"
            exit 1
        fi
    done
done
# Strip kernels are of work-groups of one, which no limit changes.
case $3 in POCL_MAX_WORK_GROUP_SIZE=*) ;; *) "$bin/test_strip" quick ;; esac
