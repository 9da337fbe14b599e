#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the face detector, which clips and photos need, by the mesocl that was built here, else by
# the one in PATH. Takes it where it is, if it was fetched before.
set -eu
cd "$(dirname "$0")/.."
for mesocl in build/bin/mesocl build-dev/bin/mesocl "$(command -v mesocl || true)"; do
    [ ! -x "$mesocl" ] || exec "$mesocl" models --get faces
done
echo "there is no mesocl yet: build it, then run tools/get_detector.sh" >&2
exit 69
