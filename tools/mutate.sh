#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Would the tests notice? Changes one sign, bound or index of a kernel or of a reference at a time
# (tools/mutate.awk) and runs the tests of what it is part of, to the first failure, 60 seconds of
# processor time at most. Ends with 1 where a mutant survives that tests/mutants_equivalent.txt does
# not name: there a new test is due, or a reason why it computes the same.
#
#   tools/mutate.sh              a sample of all, one in 24 (of plain kernels one in 8)
#   tools/mutate.sh FILE…        the sample's mutants of these files
#   tools/mutate.sh --quick      four fixed ones, which must be killed: what CI runs
#   tools/mutate.sh --list       the sample: file, number, line, hash, the line as it becomes
#
# What was found is kept in build-dev/mutate/results and not asked again, so that a run can be cut
# short; remove it to begin anew. EVERY sets another sample, BUILD another build. Kernels are
# changed on their way to the compiler (tests/mutant.c); references are compiled and linked into
# their tests anew. cl/peak.cl is left out: it has no answer, only a time.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C
build=${BUILD:-$PWD/build-dev}
work=$build/mutate
results=$work/results
every=${EVERY-24}
known=tests/mutants_equivalent.txt

# The tests of a file, the likeliest first: program, or program:functions, or program/argument.
tests_of() {
    case $1 in
    cl/plain/activation.cl) echo test_ops test_backward ;;
    cl/plain/conv.cl) echo test_ops:conv test_clblast ;;
    cl/plain/layout.cl) echo test_ops test_golden test_clblast test_strip/quick ;;
    cl/prelude.cl) echo test_ops test_backward ;;
    cl/plain/*) echo test_ops ;;
    cl/train/train_norm_pool.cl) echo test_norm_pool test_trainer ;;
    cl/train/*) echo test_conv_finish test_norm_pool test_backward test_trainer ;;
    cl/picture/augment.cl) echo test_augment test_chain:augmented* ;;
    cl/picture/statistics.cl) echo test_statistics test_chain:statistics* ;;
    cl/strip/strip_inception.cl) echo test_strip_inception ;;
    cl/strip/strip_train*) echo test_train_strip:test_values test_train_strip ;;
    cl/strip/*) echo test_strip/quick test_strip_inception ;;
    cl/tile/*) echo test_tile/quick ;;
    tests/reference_train.c) echo test_trainer test_training ;;
    tests/reference_augment.c) echo test_augment ;;
    tests/reference_bound.c) echo test_reference_bound test_strip/quick ;;
    tests/reference_backward.c) echo test_reference_backward test_ops test_backward ;;
    tests/reference*) echo test_reference_backward test_ops test_backward test_clblast:*bands ;;
    esac
}

all_files() {
    find cl tests -name '*.cl' -o -name 'reference*.c' | grep -v '^cl/peak.cl$' | sort
}

list() { # files
    awk -f tools/mutate.awk "$@"
}

# A program of the tests with the reference in $work/new in place of its file's; $1: file, $2: name.
link_reference() {
    object=tests/CMakeFiles/meso_harness.dir/$(basename "$1").o
    (cd "$build" && {
        ninja -t commands "$object" | tail -n 1 | sed "s|-c [^ ]*$|-c $work/new.c|
            s|-o $object|-o $work/new.o|
            s|-MF [^ ]*|-MF $work/new.d|"
        ninja -t commands "bin/$2" | tail -n 1 | sed "s|$object|$work/new.o|
            s|-o bin/$2|-o $work/$2|"
    } >"$work/commands" && sh -e "$work/commands" >"$work/log" 2>&1)
}

# Runs a test with the mutant; ends as it does. $1: file, $2: the test.
run_test() {
    program=${2%%[:/]*} functions='' argument=''
    case $2 in
    *:*) functions=${2#*:} ;;
    */*) argument=${2#*/} ;;
    esac
    case $1 in
    cl/*) path=$build/bin/$program preload=$build/tests/libmutant.so ;;
    *) path=$work/$program preload='' ;;
    esac
    [ -z "$functions" ] || export MESO_TEST="$functions"
    # shellcheck disable=SC2086,SC3045  # no argument, or one; dash knows -t
    (ulimit -t 60 && LD_PRELOAD="$preload" MESO_MUTANT="$work" CMOCKA_TEST_ABORT=1 \
        timeout 600 "$path" $argument >"$work/log" 2>&1) && code=0 || code=$?
    unset MESO_TEST
    return "$code"
}

# "killed TEST", "survived", "broken" (it does not compile) or "unused" (no test compiled it).
judge() { # file
    rm -f "$work/used" "$work/broken"
    for one in $(tests_of "$1"); do
        case $1 in
        tests/*) link_reference "$1" "${one%%[:/]*}" || { echo broken && return; } ;;
        esac
        run_test "$1" "$one" 2>/dev/null && continue
        [ ! -e "$work/broken" ] && echo "killed $one" || echo broken
        return
    done
    case $1 in
    cl/*) [ -e "$work/used" ] && echo survived || echo unused ;;
    *) echo survived ;;
    esac
}

# Each mutant on standard input, as list has it, unless its answer is known.
try_all() {
    while IFS="$(printf '\t')" read -r file number line hash text; do
        key="$file	$hash	$text"
        ! grep -qsF "	$key" "$results" || continue
        rm -f "$work/new.o"
        cp "$file" "$work/old"
        awk -v apply="$number" -f tools/mutate.awk "$file" >"$work/new"
        cp "$work/new" "$work/new.c"
        start=$(date +%s)
        answer=$(judge "$file")
        printf '%s\t%s\t%s\n' "$answer" "$(($(date +%s) - start)) s" "$key" >>"$results"
        echo "$file:$line: $answer: $text"
    done
}

is_equivalent() { # file, text
    grep -qsF "$1	$2	" "$known"
}

# Counts, and names the survivors without a reason.
report() {
    while IFS="$(printf '\t')" read -r answer _ file _ text; do
        case $answer in
        survived | unused) ! is_equivalent "$file" "$text" || answer=equivalent ;;
        esac
        echo "${answer%% *}	$file: $text"
    done <"$results" | awk -F'\t' '
        { n[$1]++ }
        $1 == "survived" || $1 == "unused" { print $1 ": " $2 }
        END {
            all = n["killed"] + n["survived"] + n["unused"]
            printf "%d mutants, %d of them compute the same and %d do not compile; of %d others ", \
                all + n["equivalent"] + n["broken"], n["equivalent"], n["broken"], all
            printf "%d were killed (%.1f %%), %d survived, and %d no test compiled\n", n["killed"],
                100 * n["killed"] / (all > 0 ? all : 1), n["survived"], n["unused"]
            exit n["killed"] < all
        }'
}

# Of --quick: file|the line as it becomes. One of each kind: a sign, a bound, an index; a reference.
fixed() {
    cat <<EOF
cl/plain/conv.cl|sum = *pixel * vload8(0, w) - sum;
cl/plain/pool.cl|for (int i = y0; i <= y1; i++)
cl/plain/dense.cl|sum = in[at(in_t, n, i, 0, 0)] * kernel_values[i + units + u] + sum;
tests/reference.c|int column = p->x * w->stride[0] + s * w->dilation[1] - w->before[1];
EOF
}

mkdir -p "$work"
export POCL_CACHE_DIR="$work/pocl-cache"
# Plain kernels and their reference are small, and what all else is judged by: three times as many.
sample() {
    awk -F'\t' -v every="$every" '
        { n = $1 ~ "^cl/(plain/|prelude)|reference(_activation)?[.]c" ? int(every / 3) : every }
        $4 % (n < 1 ? 1 : n) == 0'
}
case "${1-}" in
--list)
    # shellcheck disable=SC2046  # words
    list $(all_files) | sample
    exit
    ;;
--quick)
    "$build/bin/mesocl" devices >/dev/null 2>&1 || { echo "skipped: no device" && exit 77; }
    results=$work/results.quick && rm -f "$results"
    fixed | while IFS='|' read -r file text; do
        list "$file" | awk -F'\t' -v text="$text" '$5 == text' | head -n 1 >"$work/one"
        [ -s "$work/one" ] || { echo "$file has no longer a mutant: $text" && exit 1; }
        try_all <"$work/one"
    done
    ;;
*)
    # shellcheck disable=SC2046  # words
    [ $# -gt 0 ] || set -- $(all_files)
    list "$@" | sample | try_all
    ;;
esac
report
