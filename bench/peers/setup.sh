#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the rivals into a private folder (a Python virtual environment, about 6 GB: PyTorch's
# package brings its CUDA libraries). A rival that cannot be installed is said and left out; the
# reports say so too.
#
#   bench/peers/setup.sh [FOLDER]   default: $XDG_CACHE_HOME/mesocl-peers or ~/.cache/mesocl-peers
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/mesocl-peers}

[ -x "$folder/bin/python" ] || python3 -m venv "$folder"
failed=''
while read -r package; do
    case "$package" in '' | '#'*) continue ;; esac
    echo "$package"
    "$folder/bin/pip" install --quiet --no-cache-dir "$package" || failed="$failed $package"
done <"$here/requirements.txt"

echo "use: $folder/bin/python $here/throughput.py --help"
[ -z "$failed" ] || { echo "not installed:$failed" >&2; exit 1; }
