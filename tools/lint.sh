#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Formatting (clang-format), shell scripts (shellcheck) and C sources (clang-tidy, checks in
# .clang-tidy): each must have nothing to say. Needs the build folder that tools/test.sh makes.
set -eu
cd "$(dirname "$0")/.."

tools/setup.sh --lint
cmake --preset dev --log-level=WARNING >/dev/null
find include src tools bench tests examples -name '*.[ch]' -exec clang-format --dry-run -Werror {} +
shellcheck tools/*.sh tests/*.sh bench/peers/*.sh .ci/run
cmake --build --preset dev >/dev/null # clang-tidy reads generated headers
find src tools bench tests -name '*.c' -print0 |
    xargs -0 -P "$(nproc)" -n 4 clang-tidy -p build-dev --quiet 2>/dev/null
echo "nothing found"
