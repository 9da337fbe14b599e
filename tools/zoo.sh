#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The device zoo: a reduced suite and one set of predictions on every OpenCL implementation that can
# be had, and on PoCL made weaker or older by its environment variables. Ends with a table: tests
# run and failed, the largest |Δp| to the double-precision reference, and that between any two
# implementations (at most 1e-5).
#
#   tools/zoo.sh              all of them, 32 pictures × 4 weight files, of two nets twice
#   tools/zoo.sh --quick      PoCL's and Intel's, 6 pictures × 4: what CI runs, row by row, as tests
#   tools/zoo.sh --prepare | --row NAME | --table     the parts of it, at full size with MESO_FULL=1
#
# The reference data gives weights and pictures where it is there ($MESO_TEST_DATA or
# ../shared/data); else weights are seeded and pictures drawn. Intel's runtime comes from PyPI by
# pip, and rusticl as Debian packages by apt-get, into folders of the build alone: nothing is
# installed for others to find. The rows debian13_* run in the chroot of tools/debian13.sh, by its
# build of the same sources. A row that cannot be had ends with 77 and says why.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
bin=$root/build-dev/bin
zoo=$root/build-dev/zoo
pocl_icd=/etc/OpenCL/vendors/pocl.icd
tolerance=1e-5

quick_rows="pocl group_1 group_8 group_64 sse2 avx2 two_devices memory_1 pocl_gpu intel intel_gpu"
all_rows="$quick_rows rusticl rusticl_gpu oclgrind pocl_3_0 debian13_pocl debian13_pocl_gpu
    debian13_rusticl debian13_rusticl_gpu"
layer=$root/build-dev/tests/libfault_layer.so

usage() {
    echo "usage: tools/zoo.sh [--quick | --prepare | --row NAME | --table]" >&2
    exit 2
}

# Weights, pictures, and what the reference says of them.
prepare() {
    data=${MESO_TEST_DATA:-../shared/data}
    n=32
    [ "$quick_zoo" != 1 ] || n=6
    rm -rf "$zoo/inputs" "$zoo/rows" && mkdir -p "$zoo/inputs/weights" "$zoo/rows"
    if [ -d "$data/weights" ] && [ -d "$data/datasets/mesonet/Validation" ]; then
        data=$(cd "$data" && pwd) # names that hold in a chroot, too
        for file in "$data"/weights/*.h5; do
            "$bin/mesocl" convert "$file" \
                -o "$zoo/inputs/weights/$(basename "$file" .h5).safetensors" >/dev/null
        done
        find "$data/datasets/mesonet/Validation" -name '*.jpg' | LC_ALL=C sort |
            awk -v n=$n '{ f[NR] = $0 }
                END { for (i = 0; i < n; i++) print f[int((i + 0.5) * NR / n) + 1] }'
    else
        for net in meso4 meso4_elu meso4_leaky mesoinception4; do
            "$bin/mesocl" init $net --seed 7 -o "$zoo/inputs/weights/$net.safetensors"
        done
        mkdir "$zoo/inputs/drawn" && "$bin/zoo_reference" draw "$zoo/inputs/drawn" $n
        find "$zoo/inputs/drawn" -name '*.ppm' | LC_ALL=C sort
    fi >"$zoo/inputs/list"
    pids=
    for weights in "$zoo"/inputs/weights/*; do
        tr '\n' '\0' <"$zoo/inputs/list" |
            xargs -0 "$bin/zoo_reference" score "$weights" >"$zoo/inputs/$(basename "$weights").p" &
        pids="$pids $!"
    done
    for pid in $pids; do wait "$pid"; done
    echo "$n pictures, $(find "$zoo/inputs/weights" -type f | wc -l) weight files"
}

absent() { # reason
    echo "$1" >"$here/absent"
    echo "$row: not had: $1"
    exit 77
}

intel() {
    folder=$zoo/intel
    if [ ! -e "$folder/lib/libintelocl.so" ]; then
        python3 -m pip --version >/dev/null 2>&1 || absent "no pip"
        rm -rf "$folder"
        # The packages' other dependencies are not needed to run it.
        timeout 300 python3 -m pip --quiet --disable-pip-version-check install \
            --root-user-action=ignore --no-deps \
            --no-compile --prefix "$folder" intel-opencl-rt intel-cmplr-lib-rt 'tbb==2023.*' >&2 ||
            absent "pip cannot install intel-opencl-rt"
    fi
    # Its own loader, Khronos', is used with it.
    export LD_LIBRARY_PATH="$folder/lib"
    vendors "$folder/lib/libintelocl.so"
}

# A folder of vendors with one library.
vendors() {
    mkdir -p "$here/vendors"
    echo "$1" >"$here/vendors/one.icd"
    export OCL_ICD_VENDORS="$here/vendors"
}

pocl_3_0() {
    folder=$zoo/pocl_3_0
    library=$(find "$folder" -name 'libpocl*.so' 2>/dev/null | head -n 1)
    if [ -z "$library" ]; then
        timeout 300 python3 -m pip --quiet --disable-pip-version-check install \
            --root-user-action=ignore --no-deps --no-compile --target "$folder" \
            pocl-binary-distribution==3.0 >&2 || absent "pip cannot install PoCL 3.0"
        library=$(find "$folder" -name 'libpocl*.so' | head -n 1)
    fi
    vendors "$library"
    "$bin/mesocl" devices >"$here/devices"
    ! grep -q 'linux-gnu-generic' "$here/devices" ||
        absent "PoCL 3.0 of PyPI does not know this processor, and compiles nothing"
}

unmount() {
    for name in $mounted; do umount -l "$chroot/$name" || true; done
}

# Programs in the chroot, which get inputs and folders under the names that they have here.
debian13() {
    chroot=${MESO_DEBIAN13:-/var/tmp/mesocl-debian13} mounted=
    [ "$(id -u)" = 0 ] || absent "a chroot needs root"
    [ -x "$chroot/mesocl/build-dev/bin/mesocl" ] || absent "tools/debian13.sh was not run"
    for name in proc sys dev; do
        mountpoint -q "$chroot/$name" || {
            mount --rbind "/$name" "$chroot/$name" || absent "$name cannot be mounted"
            mounted="$name $mounted"
        }
    done
    trap unmount EXIT
    before="chroot $chroot"
    bin=/mesocl/build-dev/bin layer=/mesocl/build-dev/tests/libfault_layer.so
    for name in cl src include tools/mesocl; do
        diff -rq "$name" "$chroot/mesocl/$name" >/dev/null ||
            absent "tools/debian13.sh built another state of $name/"
    done
    vendors "/usr/lib/$(gcc -print-multiarch)/$1"
    [ -e "$chroot$(cat "$here/vendors/one.icd")" ] || absent "$1 is not in the chroot"
    { cat "$zoo/inputs/list" && find "$zoo/inputs/weights" "$here" -type f; } |
        tar -cf - -T - 2>/dev/null | tar -C "$chroot" -xf -
    mkdir -p "$chroot$here/pocl-cache"
    programs=
}

# Debian packages with what they need beyond the machine's own, unpacked without installing them.
unpack() {
    folder=$zoo/debian
    if [ ! -e "$folder/$1.done" ]; then
        command -v apt-get >/dev/null || absent "no apt-get"
        packages=$(apt-get -s install --no-install-recommends "$1" 2>/dev/null |
            sed -n 's/^Inst \([^ ]*\).*/\1/p')
        [ -n "$packages" ] || packages=$1
        rm -rf "${folder:?}/$1" && mkdir -p "$folder/$1" "$folder/root"
        # shellcheck disable=SC2086  # a list
        (cd "$folder/$1" && apt-get -qq download $packages) 2>/dev/null ||
            absent "apt-get cannot download $1"
        for deb in "$folder/$1"/*.deb; do dpkg -x "$deb" "$folder/root"; done
        touch "$folder/$1.done"
    fi
    libraries="$folder/root/usr/lib/$(gcc -print-multiarch)"
    export LD_LIBRARY_PATH="$libraries"
}

rusticl() {
    unpack mesa-opencl-icd
    # Mesa looks for the OpenCL C library at this place alone.
    [ -e /usr/lib/clc/spirv64-mesa3d-.spv ] || absent "libclc-15 is not installed"
    vendors "$libraries/libRusticlOpenCL.so.1"
    export RUSTICL_ENABLE=llvmpipe
}

# Not of the program's name: a function would be found before it.
under_oclgrind() {
    command -v oclgrind >/dev/null || absent "oclgrind is not installed"
    mkdir -p "$here/vendors"
    export OCL_ICD_VENDORS="$here/vendors" # none but Oclgrind, which stands in the loader's place
    log=$here/oclgrind.log
    before="oclgrind --log $log"
    n_images=1 # minutes each: for the known answers a quarter of an hour was too short
    has_selftest=0
}

# The device says that it is a GPU, and gets a GPU's kernels. Intel's loader knows no layers: the
# machine's own is found first.
pose_as_gpu() {
    export OPENCL_LAYERS="$layer" MESO_FAULT_GPU=1
    LD_LIBRARY_PATH="/usr/lib/$(gcc -print-multiarch)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    export LD_LIBRARY_PATH
    $before "$bin/mesocl" devices --json | grep -q '"dgpu"' || poses=0
    paths="$paths parallel"
    [ -z "$programs" ] || programs="test_device test_tile"
    more=
    [ "$quick_zoo" = 1 ] || [ -z "$programs" ] || more=test_stream
}

# Sets the environment; programs is what runs beside the self-test, paths what it must have judged.
choose() {
    before=
    poses=1
    n_images=1000
    has_selftest=1
    log=/dev/null
    paths="fused exact plain"
    programs="test_device test_ops"
    more='' products=''
    [ "$quick_zoo" = 1 ] || more="test_stream test_strip" products=test_clblast
    case $row in
    intel* | rusticl* | oclgrind | debian13* | pocl_3_0) ;;
    *) [ ! -e "$pocl_icd" ] || vendors "$(cat "$pocl_icd")" ;;
    esac
    case $row in
    pocl) programs="test_device" ;; # the rest of the suite runs there
    group_*) export POCL_MAX_WORK_GROUP_SIZE="${row#group_}" ;;
    sse2 | avx2)
        export POCL_KERNELLIB_NAME="$row" && programs="test_device test_strip" && more=test_ops ;;
    two_devices) export POCL_DEVICES="pthread basic" && programs="test_device" ;;
    memory_1) export POCL_MEMORY_LIMIT=1 && programs="test_device test_memory" ;;
    pocl_gpu) pose_as_gpu ;;
    intel) intel && programs="test_device" && more="$more $products" ;;
    intel_gpu) intel && pose_as_gpu ;;
    rusticl) rusticl && programs="test_device test_ops" && more=$products paths="$paths parallel" ;;
    rusticl_gpu) rusticl && pose_as_gpu ;;
    pocl_3_0) pocl_3_0 && programs="test_device" && more= ;;
    debian13_pocl) debian13 libpocl.so.2 && more= ;;
    debian13_pocl_gpu) debian13 libpocl.so.2 && pose_as_gpu ;;
    debian13_rusticl)
        debian13 libRusticlOpenCL.so.1 && export RUSTICL_ENABLE=llvmpipe && more=
        paths="$paths parallel" ;;
    debian13_rusticl_gpu)
        debian13 libRusticlOpenCL.so.1 && export RUSTICL_ENABLE=llvmpipe && pose_as_gpu ;;
    oclgrind) under_oclgrind && paths= && programs="test_device" && more= ;;
    *) usage ;;
    esac
}

# "run failed" of a cmocka program's output.
count() {
    awk '/^\[ RUN      \]/ { n++ } /^\[       OK \]/ { ok++ } /^\[  SKIPPED \] [^0-9]/ { skipped++ }
        END { printf "%d %d\n", n - skipped, n - ok - skipped }' "$1"
}

run_selftest() {
    $before "$bin/mesocl" selftest --device all >"$here/selftest" || true
    cat "$here/selftest"
    n=$(grep -cE ' (ok|FAILED)( |$)' "$here/selftest" || true)
    failed=$(grep -cE ' FAILED( |$)' "$here/selftest" || true)
    grep -q '^ok: ' "$here/selftest" || [ "$failed" -gt 0 ] || failed=1
}

# Predictions by a weight file.
score() {
    # shellcheck disable=SC2086
    head -n $n_images "$zoo/inputs/list" | $before "$bin/mesocl" predict -w "$1" --csv -
}

# A step of training with two drawn pictures of 32 pixels: the kernels of GPUs.
train_small() {
    sed 's/=256/=32/g' nets/meso4.net >"$here/small.net"
    "$bin/zoo_reference" draw "$here" 2
    mkdir -p "$here/set/real" "$here/set/fake"
    mv "$here/00.ppm" "$here/set/real/" && mv "$here/01.ppm" "$here/set/fake/"
    # shellcheck disable=SC2086
    $before "$bin/mesocl" train "$here/set" --net "$here/small.net" -e 1 -b 2 -o "$here/run"
}

run_row() {
    row=$1
    here=$zoo/rows/$row
    [ -d "$zoo/inputs" ] || prepare # which begins without any row
    rm -rf "$here" && mkdir -p "$here/pocl-cache"
    export POCL_CACHE_DIR="$here/pocl-cache"
    choose
    unset MESO_DEVICE MESO_FULL # the programs at their usual size

    n=0 failed=0
    [ $poses = 1 ] || { echo "no device says that it is a GPU" && failed=1; }
    [ $has_selftest = 0 ] || run_selftest
    # A path that was not taken, unsaid, would look well.
    for path in $paths; do
        for net in meso4 meso4_elu meso4_leaky mesoinception4; do
            grep -q " $net  *$path .* ok *\$" "$here/selftest" || {
                echo "$net was not computed on the $path path"
                failed=$((failed + 1))
            }
        done
    done
    for program in $programs $more; do
        quick=
        case $program in test_strip | test_tile) quick=quick ;; esac
        # shellcheck disable=SC2086  # before is a command with its options, or nothing
        $before "$bin/$program" $quick >"$here/$program" 2>&1 || true
        count "$here/$program" >"$here/counts"
        read -r run bad <"$here/counts"
        [ "$run" -gt 0 ] || run=1 bad=1
        [ "$bad" = 0 ] || cat "$here/$program"
        echo "$program: $run run, $bad failed"
        n=$((n + run)) failed=$((failed + bad))
    done
    for weights in "$zoo"/inputs/weights/*; do
        score "$weights" >"$here/csv" || failed=$((failed + 1))
        n=$((n + 1))
        case $row-$weights in
        oclgrind* | *_F2F* | *_elu* | *_leaky*) ;;
        *)
            n=$((n + 1))
            score "$weights" | cmp - "$here/csv" || {
                echo "$(basename "$weights"): not the same bits twice" && failed=$((failed + 1))
            }
            ;;
        esac
        awk -F, 'NR > 1 { print $1 "," $4 }' "$here/csv" >"$here/$(basename "$weights").p"
    done
    [ "$row" != oclgrind ] || { n=$((n + 1)) && train_small || failed=$((failed + 1)); }
    if grep -E 'Invalid (read|write)|data race|Uninitialized' "$log"; then
        failed=$((failed + 1))
    fi
    echo "$n $failed" >"$here/result"
    rm -rf "$here/pocl-cache"
    echo "$row: $n run, $failed failed"
    [ "$failed" = 0 ]
}

# "largest |Δp| and how many compared" of two folders of answers; pictures that one lacks are
# "missing".
difference() {
    for file in "$zoo"/inputs/*.p; do
        name=$(basename "$file")
        awk -F, 'NR == FNR { p[$1] = $2; next }
            {
                d = $2 - p[$1]
                if (!($1 in p)) d = 1
                if (d < 0) d = -d
                if (!(d <= max)) max = d
                n++
            }
            END { print (n == 0 ? 1 : max + 0), n + 0 }' "$1/$name" "$2/$name"
    done | awk '{ if ($1 > max) max = $1; n += $2 } END { printf "%.2e %d\n", max, n }'
}

table() {
    rows=$all_rows
    [ "$quick_zoo" != 1 ] || rows=$quick_rows
    end=0 apart=0 between=- had=
    printf '%-12s %6s %7s  %-20s %s\n' implementation tests failed 'largest |Δp|, images' \
        'where not had: why'
    for row in $rows; do
        here=$zoo/rows/$row
        if [ -e "$here/result" ]; then
            read -r n failed <"$here/result"
            d=$(difference "$zoo/inputs" "$here")
            printf '%-12s %6d %7d  %-20s\n' "$row" "$n" "$failed" "$d"
            [ "$failed" = 0 ] &&
                awk -v d="${d% *}" -v t=$tolerance 'BEGIN { exit !(d <= t) }' || end=1
            for other in $had; do
                d=$(difference "$zoo/rows/$other" "$here")
                if awk -v d="${d% *}" -v a="$apart" 'BEGIN { exit !(d > a) }'; then
                    apart=${d% *} between="$other and $row"
                fi
            done
            had="$had $row"
        else
            printf '%-12s %6s %7s  %-20s %s\n' "$row" - - - \
                "$(cat "$here/absent" 2>/dev/null || echo 'not run')"
            [ -e "$here/absent" ] || end=1
        fi
    done
    echo "largest |Δp| between any two: $apart ($between), at most $tolerance allowed"
    awk -v d="$apart" -v t=$tolerance 'BEGIN { exit !(d <= t) }' || end=1
    return $end
}

whole() {
    tools/setup.sh --tests
    cmake --preset dev --log-level=WARNING
    cmake --build --preset dev
    prepare
    for name in $1; do
        echo "== $name"
        "$0" --row "$name" || true
    done
    table
}

# Parts run at the size of the whole, or of the suite that runs them.
quick_zoo=1
[ "${MESO_FULL-}" != 1 ] || quick_zoo=0

case "${1-}" in
'') export MESO_FULL=1 quick_zoo=0 && whole "$all_rows" ;;
--quick) whole "$quick_rows" ;;
--prepare) prepare ;;
--row) [ $# = 2 ] || usage && run_row "$2" ;;
--table) table ;;
*) usage ;;
esac
