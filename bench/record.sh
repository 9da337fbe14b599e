#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a GPU does with MesoCL, in ten minutes, without a network and without root: facts, right
# answers, speeds before and after tuning, PyTorch's beside them, training. Writes NAME.json and
# NAME.md, ready for docs/benchmarks/. Says what is missing, whatever the driver does.
#
#   bench/record.sh [--device gpu] [--budget 600] [-o NAME]
#   bench/record.sh --pack FOLDER     what another machine needs; then FOLDER/record.sh there
set -eu
here=$(dirname "$0")
command -v python3 >/dev/null || {
    echo "bench/record.sh needs python3, and nothing that is not part of it" >&2
    exit 69
}
exec python3 "$here/record/record.py" "$@"
