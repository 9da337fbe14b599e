#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shows MesoCL working, from nothing: packages, build, devices, known answers, a prediction, a
# study of datasets.
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }
run() {
    printf '$ %s\n' "$*"
    "$@"
}

say "Packages and build"
tools/setup.sh
cmake --preset release --log-level=WARNING >/dev/null
cmake --build --preset release -- --quiet
PATH="$PWD/build/bin:$PATH"

say "The face detector"
run tools/get_detector.sh || echo "It cannot be had here; what follows does without it."

say "OpenCL devices of this machine"
run mesocl devices

say "Known answers on each of them"
run mesocl selftest --device all

say "Four pictures"
mkdir -p build/demo
# draw NAME RED GREEN BLUE: a picture whose channels are these expressions of x and y, each from 1
# to 127: not every awk can write the other bytes.
draw() {
    awk "BEGIN {
        printf \"P6 320 240 255\\n\"
        for (y = 0; y < 240; y++)
            for (x = 0; x < 320; x++)
                printf \"%c%c%c\", 1 + ($2) % 127, 1 + ($3) % 127, 1 + ($4) % 127
    }" >"build/demo/$1.ppm"
    echo "build/demo/$1.ppm"
}
draw stripes 'x' 'int(x / 16) * 40' '2 * x'
draw rings 'int((x - 160)^2 / 99 + (y - 120)^2 / 99)' 'int(y / 2)' '64'
draw checks '(int(x / 20) + int(y / 20)) % 2 * 120' '(int(x / 20) + int(y / 20)) % 2 * 120' '30'
draw noise 'x * y * 31' 'x * 7919 + y * 104729' 'x * x + y * y'

say "Prediction"
echo "The weights are those that come with MesoCL (weights/README.md), trained on faces. These"
echo "pictures show none: the answers prove that files reach the device and come back, no more."
run mesocl predict build/demo

say "What is in a dataset"
echo "The pictures below are drawn by the program, with faults planted; they show nobody."
rm -rf build/demo/datasets
run dataset_bench demo-data build/demo/datasets
run dataset_bench check build/demo/datasets/faint build/demo/datasets/shortcut \
    --against build/demo/datasets/control --html build/demo/datasets.html --list 2 |
    sed -n '1,/^$/p'

say "Which dataset makes the better detector"
echo "Three drawn sets train Meso-4 from three seeds each; a fourth one tests. Ten of its pictures"
echo "were planted in faint."
rm -rf build/demo/study
set -- --test control=build/demo/datasets/control --epochs 12 --bn-reestimate -o build/demo/study
for name in clear faint shortcut; do
    set -- --train "$name=build/demo/datasets/$name" "$@"
done
run dataset_bench run "$@"

say "Where things are"
cat <<'END'
build/bin/mesocl     the program; `mesocl --help` lists what it does
build/bin/dataset_bench  looks into datasets, likewise
build/demo/          the pictures of this demonstration
build/demo/datasets.html  the whole report on the drawn datasets
build/demo/study/study.html  the report of the study
tools/test.sh        builds and runs the tests
README.md            a tour of the commands, and the source map
END
