#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kernels watched by Oclgrind, which ends with 0 whatever it finds: its log decides. A planted write
# behind the end of a buffer and a planted race must be found, and nothing in the real kernels,
# plain, fused and a GPU's, of the nets at small sizes.
#
#   sh tests/oclgrind.sh CMAKE BUILD_DIR
set -eu
program=$2/bin/oclgrind_kernels
command -v oclgrind >/dev/null || { echo "oclgrind is missing: tools/setup.sh --tests" && exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/vendors" # of no other driver
export OCL_ICD_VENDORS="$folder/vendors"

# Runs the program; the log is in $folder/log.
watch() {
    : >"$folder/log"
    timeout 300 oclgrind --data-races --log "$folder/log" "$program" "$@"
}

must_find() { # what, how it is called in the log
    watch "$1"
    grep -q "$2" "$folder/log" || { echo "Oclgrind did not report the planted $1" && exit 1; }
    echo "planted $1: $(grep -c "$2" "$folder/log") reports"
}

must_find overrun 'Invalid write of size 4 at global memory'
must_find race 'data race at global memory'
for net in meso4 mesoinception4; do
    # The smallest size that is fused as a whole, and that has room for every pooling.
    for case in "fused 64" "tiled 32" "plain 32"; do
        sed "s/=256/=${case#* }/g" "nets/$net.net" >"$folder/$net.net"
        answers=$(watch "${case% *}" "$folder/$net.net")
        echo "$net $case: $answers, $(grep -c . "$folder/log" || true) lines of log"
        if [ -s "$folder/log" ] || [ -z "$answers" ]; then
            head -n 40 "$folder/log"
            exit 1
        fi
    done
done

# Training on GPUs, by work-groups of all sizes: a wave, two, more; all kinds of layers in few
# pixels, rows and channels left over, local memory used again in a loop.
cat >"$folder/train.net" <<'NET'
image = input height=37 width=9 channels=3 divide=255
a = conv image filters=5 window=3 stride=1 dilation=2 pad=same
ab = bias a
aa = relu ab
b = conv image filters=2 window=1 stride=1 dilation=1 pad=same
ba = elu b alpha=1
both = concat aa ba
n = batch_norm both epsilon=0.001
p = max_pool n window=2 stride=2 pad=same
w = conv p filters=2 window=5 stride=1 dilation=1 pad=same
wb = bias w
wo = batch_norm wb epsilon=0.001
o = max_pool wo window=3 stride=2 pad=same
c = conv o filters=4 window=3 stride=2 dilation=1 pad=same
ca = leaky_relu c slope=0.1
kept = dropout ca rate=0.5
s = sigmoid kept
flat = flatten s
h = dense flat units=3
hb = bias h
last = dense hb units=1
lb = bias last
out = sigmoid lb
NET
for items in 32 64 128 256; do
    loss=$(watch "train$items" "$folder/train.net")
    echo "training by $items: loss $loss, $(grep -c . "$folder/log" || true) lines of log"
    if [ -s "$folder/log" ] || [ -z "$loss" ]; then
        head -n 40 "$folder/log"
        exit 1
    fi
done
