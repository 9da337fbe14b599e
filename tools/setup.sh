#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that MesoCL needs and that are missing here: as root, or by a sudo
# that asks no password. Otherwise it prints the command and stops with 1. Does nothing, quickly, if
# all are there. Then it fetches the face detector (tools/get_detector.sh), and goes on without
# where that cannot be had.
#
#   tools/setup.sh           what is needed to build and run
#   tools/setup.sh --tests   and what tools/test.sh needs
#   tools/setup.sh --lint    and what tools/lint.sh needs
#   tools/setup.sh --fuzz    and what tests/fuzz.sh needs
set -eu

packages="
    cmake ninja-build gcc libc6-dev pkg-config
    ocl-icd-opencl-dev pocl-opencl-icd libclblast-dev
    libjpeg62-turbo-dev libpng-dev libstb-dev libwebp-dev libgif-dev libtiff-dev
    libjansson-dev libxxhash-dev libutf8proc-dev
    libhdf5-dev libzip-dev libssl-dev
    libavformat-dev libavcodec-dev libswscale-dev
    liblapacke-dev libkissfft-dev libjs-chart.js
"
# in the order above: the build · the OpenCL loader, a CPU device, products of matrices · images ·
# JSON, hashes, names in Unicode · Keras files (mesocl-h5import only) · clips (mesocl-video only) ·
# statistics and spectra of studies, charts of HTML reports
optional='' # where apt knows them: Debian 13 has no oclgrind, whose tests are skipped there

case "${1-}" in
'') ;;
--tests) packages="$packages libcmocka-dev ffmpeg" optional="oclgrind python3 clang-19" ;;
--lint) packages="$packages libcmocka-dev clang-format clang-tidy shellcheck" ;;
--fuzz) packages="$packages clang libclang-rt-dev" ;;
*)
    echo "usage: tools/setup.sh [--tests | --lint | --fuzz]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "tools/setup.sh knows Debian's packages only. Install the same libraries yourself:" >&2
    echo "$packages" >&2
    exit 1
fi

# Installs what is missing of the packages given.
install() {
    missing=
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || true
        [ "$state" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "missing packages:$missing" >&2
    if [ "$(id -u)" = 0 ]; then
        as_root="env"
    elif sudo -n true 2>/dev/null; then
        as_root="sudo env"
    else
        echo "they need root. Run this, then try again:" >&2
        echo "  sudo apt-get update && sudo apt-get install --no-install-recommends -y$missing" >&2
        exit 1
    fi
    $as_root apt-get -qq update
    # shellcheck disable=SC2086  # $missing is a list
    $as_root DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install --no-install-recommends -y $missing >/dev/null
}

# shellcheck disable=SC2086  # $packages is a list
install $packages
for package in $optional; do
    [ -z "$(apt-cache pkgnames "$package")" ] || install "$package"
done

case "${1-}" in --lint | --fuzz) exit 0 ;; esac
"$(dirname "$0")"/get_detector.sh >/dev/null ||
    echo "going on without the face detector; tools/get_detector.sh fetches it later" >&2
