# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What stands for the programs, pictures, datasets, models and records that documents name; walk.sh
# reads this, and has set tmp, lane, tests, build, data and full.
# shellcheck disable=SC2154  # those

# programs FOLDER: the three programs, with the fewest epochs, samples and seconds behind their
# options: the last one counts. What asks for a GPU gets a device that says it is one, and what
# asks for devices together gets two.
programs() {
    mkdir "$1"
    cat >"$tmp/tiny.net" <<'END'
image = input height=32 width=32 channels=3 divide=255
conv = conv image filters=4 window=3x3 stride=1x1 dilation=1x1 pad=same
flat = flatten conv
dense = dense flat units=1
p = sigmoid dense
END
    cat >"$1/mesocl" <<END
#!/bin/sh
real=$build/bin full=$full net=$tmp/tiny.net gpu=$build/tests/libfault_layer.so
END
    cat >>"$1/mesocl" <<'END'
[ -z "$full" ] || [ ! -e "$HOME/.local/bin/mesocl" ] || real=$HOME/.local/bin
program=${0##*/} command=${1-}
case " $* " in
*gpu*) export OPENCL_LAYERS="$gpu" MESO_FAULT_GPU=1 ;;
*--together*) export POCL_DEVICES="pthread pthread" ;;
esac
# Documents name the first device; what it is called depends on the drivers beside.
case " $* " in
*" 0:0 "*)
    first=$("$real/mesocl" devices | sed -n '1s/ .*//p')
    for word; do
        shift
        [ "$word" != 0:0 ] || word=$first
        set -- "$@" "$word"
    done
    ;;
esac
case "$full $program $command " in
" device_bench net " | " device_bench ops " | " mesocl tune ")
    for word; do
        shift
        case $word in meso4 | mesoinception4) word=$net ;; esac
        set -- "$@" "$word"
    done
    ;;
esac
case "$full $program $command $* " in
" "*" --help "* | " "*" --reset "* | " mesocl train "*" --resume "*) ;;
" dataset_bench run "*" --resume "* | " dataset_bench run "*" --dry-run "*) ;;
" mesocl train "*) set -- "$@" --epochs 4 ;;
" mesocl tune "*) set -- "$@" --time-limit 1 ;;
" mesocl evaluate "* | " dataset_bench check "*) set -- "$@" --resamples 50 ;;
" dataset_bench demo-data "*) set -- "$@" --count 12 --side 64 ;;
" dataset_bench run "*) set -- "$@" --epochs 1 --seeds 2 --resamples 50 ;;
" device_bench net "*) set -- "$@" --batch 2 --seconds 0.001 --processes 1 ;;
" device_bench ops "*"$net"*) set -- "$@" --batch 2 --seconds 0.001 --processes 1 ;;
" device_bench ops "*) set -- "$@" --batch 2 --seconds 0.001 --processes 1 "$net" ;;
" device_bench ab "*) set -- "$@" --runs 2 ;;
" device_bench compare "*) ;;
" device_bench "*) set -- "$@" --seconds 0.001 --processes 1 ;;
esac
exec "$real/$program" "$@"
END
    chmod +x "$1/mesocl"
    cp "$1/mesocl" "$1/dataset_bench"
    cp "$1/mesocl" "$1/device_bench"
}

# stand_ins FOLDER: sets of 24 drawn pictures, which the others are copied from, and a record.
stand_ins() {
    faces=$1 photo=$1/clear/Real/00000.jpg
    dataset_bench demo-data "$faces" 2>/dev/null
    device_bench net meso4 --json >"$faces/record.json"
}

# put_set FOLDER FAKES REALS [SOURCE]: a dataset with class folders of these names.
put_set() {
    mkdir -p "$1"
    cp -r "$faces/${4:-clear}/Fake" "$1/$2"
    cp -r "$faces/${4:-clear}/Real" "$1/$3"
}

# by_recording FOLDER: pictures are named by recording and frame, three frames each.
by_recording() {
    number=0
    for file in "$1"/*.jpg; do
        mv "$file" "$1/$((number / 3))_$((number % 3)).jpg"
        number=$((number + 1))
    done
}

# published FOLDER: what people fetch: the repository of MesoNet, its database, other datasets.
published() {
    mkdir "$1/MesoNet"
    if [ "$full" ]; then
        ln -s "$data/weights" "$1/MesoNet/weights"
        ln -s "$data/images/samples" "$1/MesoNet/test_images"
        for set in mesonet openforensics dfdc stylegan; do
            ln -s "$data/datasets/$set" "$1/$set"
        done
        return
    fi
    mkdir "$1/MesoNet/weights"
    "$build/bin/keras_stand_in" "$1/MesoNet/weights/Meso4_DF.h5"
    for name in df/df00204 df/df01254 real/real00240 real/real00772; do
        mkdir -p "$1/MesoNet/test_images/${name%/*}"
        cp "$photo" "$1/MesoNet/test_images/$name.jpg"
    done
    put_set "$1/mesonet/Train" df real
    put_set "$1/mesonet/Validation" df real control
    by_recording "$1/mesonet/Validation/df"
    by_recording "$1/mesonet/Validation/real"
    put_set "$1/openforensics/Train" Fake Real
    put_set "$1/openforensics/Test" Fake Real control
    put_set "$1/stylegan/Train" Fake Real faint
    put_set "$1/dfdc/Train" Fake Real shortcut
}

# everything FOLDER: and what examples call their own.
everything() {
    published "$1"
    (
        set -e
        cd "$1"
        mkdir old new
        cp "$tmp/programs/device_bench" old && cp "$tmp/programs/device_bench" new
        put_set data/Train fake real
        put_set data/Validation fake real control
        put_set faces fake real
        put_set photos fake real
        cp MesoNet/weights/Meso4_DF.h5 . && cp Meso4_DF.h5 elu.h5
        cp "$tests/fixtures/keras3_sequential.keras" mine.keras
        cp "$photo" photo.jpg
        cp "$faces/record.json" new.json
        {
            echo file,label
            find data/Validation -name '*.jpg' | sed 's|.*/\(.*\)/.*|&,\1|'
        } | tee test.csv >all.csv
        mesocl init meso4 -o m.safetensors
        mesocl convert Meso4_DF.h5 -o meso4_df.safetensors
        mesocl init "$tmp/tiny.net" -o mesoinception4_df.safetensors
        awk '/^```/ { on = /json/; next } on' "$tests/../docs/studies.md" >study.json
    ) >>"$lane/stand_ins" 2>&1 || cat "$lane/stand_ins"
}
