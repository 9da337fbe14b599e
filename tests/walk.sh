#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Walks through README.md, docs/ and every --help as a newcomer does, in an empty home: runs each
# command that they show, in order, and compares its exit code with 0 and what it prints, by shape
# (walk_shape.awk), with what is shown. What cannot be parsed, or is a command that is not known
# here, fails. What is not run is listed with the reason.
#
#   sh tests/walk.sh BUILD            published pictures and weights are drawn ones, and made up;
#                                     epochs, samples and seconds are the fewest: a minute
#   sh tests/walk.sh BUILD --full     as written, from packages and the build on; weights and
#                                     datasets are those in $MESO_TEST_DATA or ../shared/data: hours
set -eu
export LC_ALL=C.UTF-8
tests=$PWD/tests build=$(cd "$1" && pwd) full=${2-}
data=$(cd "${MESO_TEST_DATA:-../shared/data}" 2>/dev/null && pwd) || data=
if [ "$full" ] && [ -z "$data" ]; then
    echo "--full needs the reference data (MESO_TEST_DATA)" >&2
    exit 2
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset XDG_CONFIG_HOME XDG_CACHE_HOME MESO_CACHE_DIR
export XDG_DATA_HOME="${XDG_DATA_HOME:-$HOME/.local/share}" # of the face detector
export HOME="$tmp/home" PATH="$tmp/programs:$PATH"
# shellcheck source=tests/walk_stand_ins.sh
. "$tests/walk_stand_ins.sh"

# Why a command is not run, or nothing.
why_not() {
    bare=${1%% #*} bare=${bare%"${bare##*[! ]}"}
    case $bare in
    mesocl\ faces*)
        mesocl models | grep -q 'not fetched' && echo "needs the face detector's weights"
        ;;
    git\ *) echo "needs the network; stand-ins are in place" ;;
    *build-dev/bin/test_*) echo "a test of its own" ;;
    tools/* | cmake\ * | cc\ *) [ "$full" ] || echo "installs or builds: --full" ;;
    clang\ *) command -v clang >/dev/null || echo "no clang here" ;;
    device_bench | "device_bench -"*) # README's is run
        case $full$at$bare in
        --full* | README.md*device_bench) ;;
        *) echo "measures every net, ten seconds: --full; its options are parsed" ;;
        esac
        ;;
    esac
}

# is_known COMMAND: its first word, behind settings of the environment, is one of these.
is_known() {
    case $(printf '%s\n' "$1" | sed '1!d; s/^\([A-Z_]*=[^ ]* \)*//; s/ .*//') in
    mesocl | dataset_bench | device_bench | find | tail | mkdir | export | printf) ;;
    cmake | cc | clang | git | tools/*.sh | build-dev/bin/test_*) ;;
    *) return 1 ;;
    esac
}

# is_fine CODE COMMAND: of exit codes but 0 only that a comparison finds B slower is no fault.
is_fine() {
    case "$1 $2" in
    "0 "* | "1 device_bench compare "* | "1 device_bench ab "*) ;;
    *) return 1 ;;
    esac
}

fault() { # AT COMMAND WHAT
    printf '%s: %s\n    %s\n' "$1" "$2" "$3" >>"$lane/failed"
}

# run_command FILE FOLDER: runs it in this folder and shell, and judges it.
run_command() {
    code=0 started=$(date +%s%N)
    eval "$text" >"$2/out" 2>"$2/err" </dev/null || code=$?
    printf '%s ms: %s: %s\n' "$((($(date +%s%N) - started) / 1000000))" "$at" \
        "$(head -n 1 "$1")" >>"$2/run"
    if ! is_fine "$code" "$text" || grep -q ': not found$' "$2/err"; then
        fault "$at" "$text" "exit code $code: $(tail -n 3 "$2/err")"
    elif [ -e "${1%.command}.shown" ] && ! cat "$2/out" "$2/err" |
        awk -v n_out="$(wc -l <"$2/out")" -v is_full="$full" -f "$tests/walk_shape.awk" \
            "${1%.command}.shown" - >"$2/difference"; then
        fault "$at" "$text" "prints something else:
$(cat "$2/difference")"
    fi
}

# parse_only FOLDER: the command line stops at the device that is not there, behind all options.
parse_only() {
    code=0
    eval "${text%%#*} --device none-such" >/dev/null 2>"$1/err" || code=$?
    [ "$code" = 69 ] || fault "$at" "$text" "exit code $code: $(tail -n 3 "$1/err")"
}

# Runs the commands that walk_blocks.awk put into a folder.
walk() {
    for command in "$1"/*.command; do
        [ -e "$command" ] || continue
        text=$(cat "$command") at=$(cat "${command%.command}.at")
        reason=$(why_not "$text")
        if ! is_known "$text"; then
            fault "$at" "$text" "not a command that the walk knows"
        elif ! sh -n "$command" 2>"$1/err"; then
            fault "$at" "$text" "$(cat "$1/err")"
        elif [ "$reason" ]; then
            printf '%s: %s (%s)\n' "$at" "$(head -n 1 "$command")" "$reason" >>"$lane/skipped"
            case $reason in *parsed*) parse_only "$1" ;; esac
        else
            run_command "$command" "$1"
        fi
    done
}

# walk_text TEXT NAME FOLDER [help]: parses it, and walks through it in a folder.
walk_text() {
    parsed=$lane/$(printf '%s' "$2" | tr -c 'A-Za-z0-9.' _)
    mkdir "$parsed"
    awk -v to="$parsed" -v at="$2" -v help="${4-}" -f "$tests/walk_blocks.awk" "$1" \
        >>"$lane/failed" || true
    (cd "$3" && set +eu && walk "$parsed")
    read -r n_blocks n_other <"$parsed/blocks"
    touch "$parsed/run" && n_run=$(wc -l <"$parsed/run")
    echo "$2: $n_blocks blocks of commands, $n_run commands run, $n_other other blocks"
    echo "$n_blocks $n_run" >>"$lane/counts"
}

walk_documents() {
    folder=$tmp/readme
    mkdir "$folder" && published "$folder"
    if [ "$full" ]; then # the tree, as git has it
        git ls-files -z | tar --null -T - -cf - | tar -C "$folder" -xf -
    fi
    walk_text README.md README.md "$folder"
    for document in docs/*.md; do
        mkdir -p "$tmp/$document" && everything "$tmp/$document"
        walk_text "$document" "$document" "$tmp/$document"
    done
}

walk_helps() {
    for program in mesocl dataset_bench device_bench; do
        mkdir "$tmp/$program" && everything "$tmp/$program"
        [ "$program" != mesocl ] || rm -f "$tmp/mesocl/meso4_df.safetensors" # it is converted there
        for command in $("$program" --help |
            sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z0-9-]*\)  *[a-z].*/\1/p'); do
            "$program" "$command" --help >"$tmp/help"
            walk_text "$tmp/help" "$program $command --help" "$tmp/$program" 1
        done
    done
}

programs "$tmp/programs"
mkdir -p "$tmp/1" "$tmp/2" "$tmp/home/1" "$tmp/home/2"
: | tee "$tmp/1/failed" "$tmp/1/skipped" "$tmp/2/failed" "$tmp/2/skipped"
stand_ins "$tmp/faces"
# Two lanes, each with a home of its own, since one tunes while the other measures.
(lane=$tmp/1 HOME=$tmp/home/1 && walk_documents >"$tmp/1/log") &
documents=$!
(lane=$tmp/2 HOME=$tmp/home/2 && walk_helps >"$tmp/2/log") || code=$?
wait "$documents" || code=$?
cat "$tmp/1/log" "$tmp/2/log"
[ "${code-0}" = 0 ] || { echo "the walk itself failed"; exit 1; }

echo "the slowest commands:"
cat "$tmp"/[12]/*/run | sort -rn | head -n 10 | sed 's/^/    /'
echo "not run:"
cat "$tmp/1/skipped" "$tmp/2/skipped" | sed 's/^/    /' | tee "$tmp/skipped"
cat "$tmp/1/counts" "$tmp/2/counts" | awk -v skipped="$(wc -l <"$tmp/skipped")" '
    { blocks += $1; run += $2 }
    END { print blocks " blocks, " run " commands run, " skipped " not run" }'
cat "$tmp/1/failed" "$tmp/2/failed" | tee "$tmp/failed"
[ ! -s "$tmp/failed" ]
