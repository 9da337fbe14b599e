#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The decoding threads (src/data/batch/loader.c) under the thread sanitizer: the tests of
# tests/test_loader.c, whose consumer stands in the place of a device, so that no driver's threads
# are in the process.
#
#   sh tests/thread_sanitizer.sh CMAKE BUILD_DIR COMPILER
#
# Ends with 77 (skipped) where the compiler has no thread sanitizer.
set -eu
build=$2 compiler=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
options='-std=c11 -O1 -g -fsanitize=thread -D_GNU_SOURCE -DCL_TARGET_OPENCL_VERSION=120'
options="$options -Iinclude -Isrc -Itests"

if ! echo 'int main(void) { return 0; }' |
    "$compiler" -fsanitize=thread -x c -o "$tmp/probe" - 2>/dev/null ||
    ! "$tmp/probe"; then
    echo "no thread sanitizer here"
    exit 77
fi
libraries='jansson libjpeg libpng libxxhash cmocka stb'
optional=
if pkg-config --exists libwebp; then
    libraries="$libraries libwebp" optional=-DMESO_WEBP=1
fi
if pkg-config --exists 'libtiff-4 >= 4.5'; then
    libraries="$libraries libtiff-4" optional="$optional -DMESO_TIFF=1"
fi
# shellcheck disable=SC2046,SC2086  # words
"$compiler" $options $optional -DMESO_STB_VERSION='"?"' -I"$build/generated" \
    $(pkg-config --cflags $libraries) tests/test_loader.c src/base/*.c src/data/*/*.c \
    -o "$tmp/test_loader" $(pkg-config --libs $libraries) -lpthread -lm
TSAN_OPTIONS='halt_on_error=1 exitcode=66' "$tmp/test_loader"
