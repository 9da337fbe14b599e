#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A program outside the tree builds against the installed library and predicts: by CMake and by
# pkg-config, shared and static. The program is examples/predict.c, which mesocl.h and README.md
# show; the others of examples/ are built and run likewise. The installed tree is moved first:
# nothing in it may know where it was.
#
#   sh tests/outside.sh CMAKE BUILD_FOLDER C_COMPILER      (in the root of the tree)
set -eu
cmake=$1 build=$2 cc=$3
tests=$PWD/tests
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

"$cmake" --install "$build" --prefix "$tmp/installed" >"$tmp/log" || { cat "$tmp/log"; exit 1; }
mv "$tmp/installed" "$tmp/prefix"
cd "$tmp"

library=$(find prefix -name libmesocl.so)
libdir=$tmp/$(dirname "$library")
if nm -D "$library" | grep -q __asan; then
    echo "skipped: a library with sanitizers needs them in the program too"
    exit 77
fi

echo "installed files"
ls "$libdir/libmesocl.so.0" "$libdir/libmesocl.a" "$libdir/pkgconfig/mesocl.pc" prefix/bin/mesocl \
    prefix/libexec/mesocl/mesocl-h5import prefix/share/doc/mesocl/LICENSE \
    prefix/share/mesocl/weights/mesoinception4.safetensors >/dev/null
if [ -e prefix/share/doc/mesocl/docs/benchmarks ]; then
    echo "records of measurements are installed"
    exit 1
fi

echo "exported symbols: only meso_*, and all that the headers declare"
nm -D --defined-only "$library" | awk '{ print $3 }' | sort >exported
if grep -v '^meso_' exported; then exit 1; fi
cat prefix/include/mesocl/*.h | grep -v '^#' | tr '\n' ' ' | grep -o 'MESO_API [^;(]*(' |
    sed 's/($//; s/.*[ *]//' | sort >declared
diff declared exported

echo "the static library has no other global names either"
nm -g --defined-only "$libdir/libmesocl.a" | awk 'NF == 3 && $3 !~ /^meso_/ { print; bad = 1 }
    END { exit bad }'

echo "every public header compiles alone"
for header in prefix/include/mesocl/*.h; do
    "$cc" -std=c11 -Wall -Wextra -pedantic -Werror -fsyntax-only -Iprefix/include -x c "$header"
done

echo "C99 and C++17 set their structs up without a warning"
awk '/^typedef struct meso_/ { type = $3 }
    /^    size_t struct_bytes;/ { print "    { " type " x = MESO_INIT(" type "); (void)x; }" }
' prefix/include/mesocl/*.h >inits
[ "$(wc -l <inits)" -ge 21 ]
{
    echo '#include <mesocl/mesocl.h>'
    echo '#if MESO_VERSION < MESO_VERSION_NUMBER(0, 1, 0)'
    echo '#error'
    echo '#endif'
    echo 'int main(void) {'
    echo '    meso_train_options options = MESO_TRAIN_OPTIONS_INIT;'
    cat inits
    echo '    return (int)options.epochs; }'
} >inits.c
"$cc" -std=c99 -Wall -Wextra -pedantic -Werror -fsyntax-only -Iprefix/include inits.c
if command -v c++ >compiler; then
    c++ -std=c++17 -Wall -Wextra -pedantic -Werror -fsyntax-only -Iprefix/include -x c++ inits.c
fi

echo "mesocl.h and README.md show examples/predict.c, whose main() is ten lines"
mkdir app
cp "$tests/outside.cmake" app/CMakeLists.txt
cp prefix/share/doc/mesocl/examples/*.c app/
sed -n '/^#include/,$p' app/predict.c >example.c
awk '/^ \*   #include/ { on = 1 } on { print substr($0, 6) } /^ \*   }/ { exit }' \
    prefix/include/mesocl/mesocl.h | diff example.c -
awk '/^```/ { on = 0 } on; /^```c$/ { on = 1 }' prefix/share/doc/mesocl/README.md | diff example.c -
[ "$(sed '1,/^{/d; /^}/,$d' example.c | wc -l)" = 10 ]

# A picture (each byte between 48 and 111, so that every awk can write it) and seeded weights.
awk 'BEGIN {
    printf "P6 200 100 255\n"
    for (y = 0; y < 100; y++)
        for (x = 0; x < 200; x++)
            printf "%c%c%c", 48 + x % 64, 48 + y % 64, 48 + (x * y) % 64
}' >picture.ppm
prefix/bin/mesocl init meso4 --seed 1 -o seeded.safetensors
expected=$(prefix/bin/mesocl predict -w seeded.safetensors --csv picture.ppm)
echo "mesocl predict says: $expected"

echo "an installed mesocl finds its Keras reader"
prefix/bin/mesocl convert "$tests/fixtures/keras2_sequential.h5" -o converted.safetensors >log ||
    { cat log; exit 1; }

echo "and weights by name, or says that they are not there"
prefix/bin/mesocl models | grep -q "$tmp/prefix/share/mesocl/weights/mesoinception4.safetensors"
prefix/bin/mesocl predict -w mesoinception4 picture.ppm >log || { cat log; exit 1; }
mv prefix/share/mesocl/weights elsewhere
if prefix/bin/mesocl predict -w mesoinception4 picture.ppm 2>log; then exit 1; fi
grep -q "this build has not got their file" log
mv elsewhere prefix/share/mesocl/weights

must_predict() {
    answer=$("$@")
    echo "$1: $answer"
    echo "$answer" >>answers
}

# must_refuse PROGRAM: it says what is wrong, and ends with 1.
must_refuse() {
    if "$1" seeded.safetensors missing.png 2>log || ! grep -q 'missing\.png' log; then
        cat log
        exit 1
    fi
}

echo "by CMake"
"$cmake" -G Ninja -S app -B app/build -DCMAKE_PREFIX_PATH="$tmp/prefix" \
    -DCMAKE_C_COMPILER="$cc" >log || { cat log; exit 1; }
"$cmake" --build app/build >log || { cat log; exit 1; }
must_predict app/build/with_shared seeded.safetensors picture.ppm
must_predict app/build/with_static seeded.safetensors picture.ppm
must_refuse app/build/with_shared
app/build/with_shared mesoinception4 picture.ppm >log || { cat log; exit 1; }

echo "examples/: a model is trained on drawn faces, resumed, and predicts as mesocl does"
prefix/bin/dataset_bench demo-data --count 24 faces 2>log || { cat log; exit 1; }
app/build/train faces/clear run | tee log
tail -n 1 log | grep "^best epoch" >best
app/build/train run | tail -n 1 | diff - best
app/build/score run/best.safetensors faces/control >scores
prefix/bin/mesocl predict -w run/best.safetensors faces/control 2>/dev/null | diff scores -
[ "$(wc -l <scores)" = "$(find faces/control -name '*.jpg' | wc -l)" ]

echo "by pkg-config"
export PKG_CONFIG_PATH="$libdir/pkgconfig"
# shellcheck disable=SC2046  # flags are words
{
    "$cc" app/predict.c -o pc_shared $(pkg-config --cflags --libs mesocl)
    # Where both libraries lie in one folder, -lmesocl takes the shared one; -l: names the file.
    "$cc" app/predict.c -o pc_static \
        $(pkg-config --static --cflags --libs mesocl | sed 's/-lmesocl/-l:libmesocl.a/')
}
LD_LIBRARY_PATH=$libdir must_predict ./pc_shared seeded.safetensors picture.ppm
must_predict ./pc_static seeded.safetensors picture.ppm

echo "shared programs need libmesocl.so, static ones do not"
for program in app/build/with_shared ./pc_shared; do
    readelf -d $program | grep -q 'NEEDED.*libmesocl\.so\.0'
done
for program in app/build/with_static ./pc_static; do
    if readelf -d $program | grep 'NEEDED.*libmesocl'; then exit 1; fi
done

echo "all four answers agree, with each other and with mesocl predict"
[ "$(sort -u answers | wc -l)" = 1 ]
p=$(sed -n '1s/^P(fake) = //p' answers)
echo "$expected" | awk -F, -v p="$p" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "p_fake") column = i }
    NR == 2 { d = $column - p; ok = p > 0 && p < 1 && d <= 6e-7 && d >= -6e-7 }
    END { exit !ok }'
