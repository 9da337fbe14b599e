#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Does walk.sh notice each kind of fault? A small README and one help, with programs of its own in
# place of the real ones.
#
#   sh tests/walk_can_fail.sh        (in the root of the tree)
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/build/bin" "$tmp/docs"
ln -s "$PWD/tests" "$tmp/tests"
cd "$tmp"
: >docs/nothing.md

# All three programs: they make what walk_stand_ins.sh asks for, and know `say WORDS`.
cat >build/bin/mesocl <<'END'
#!/bin/sh
case "$1 ${2-}" in
"--help "*) [ "${0##*/}" != mesocl ] || printf 'Commands:\n  say  says it\n\n' ;;
"say --help") printf 'Examples:\n  %s\n' "$EXAMPLE" ;;
"say "*) shift && echo "$@" ;;
"demo-data "*)
    for set in clear faint shortcut control; do
        mkdir -p "$2/$set/Fake" "$2/$set/Real"
        touch "$2/$set/Fake/00000.jpg" "$2/$set/Real/00000.jpg"
    done
    ;;
"say"* | net* | init* | convert*) ;;
*) exit 2 ;;
esac
END
cat >build/bin/keras_stand_in <<'END'
#!/bin/sh
touch "$1"
END
chmod +x build/bin/*
cp build/bin/mesocl build/bin/dataset_bench
cp build/bin/mesocl build/bin/device_bench

# walk CODE EXAMPLE <README: the exit code, and each line of `wanted`, must be those of a walk.
walk() {
    cat >README.md
    code=0
    EXAMPLE=$2 TMPDIR=$tmp sh tests/walk.sh "$tmp/build" >log 2>&1 || code=$?
    while read -r words; do
        grep -qF "$words" log || missing="${missing-}
    $words"
    done <wanted
    if [ "$code" != "$1" ] || [ "${missing-}" ]; then
        cat README.md log
        echo "exit code $code, not $1; not a word of: ${missing-}"
        exit 1
    fi
    : >wanted
}
# shown COMMAND LINES [WANTED]: a block of a command and what it prints; what a walk must say of it.
# shellcheck disable=SC2016  # what stands in a document is not for this shell
shown() {
    printf '```console\n$ %s\n%b\n```\n' "$1" "$2"
    [ $# = 2 ] || printf '%s\n' "$3" >>wanted
}

{
    shown 'mesocl say 12 images, 0.5 s' '3 images, 1e-3 s'
    shown 'mesocl say "a\nb\nc 1 image or d"' 'a\n…\nc 12 images … d'
    shown 'git clone x' '' 'README.md:12: git clone x (needs the network'
    echo '4 blocks, 3 commands run, 1 not run' >>wanted
} | walk 0 'mesocl say well'
# shellcheck disable=SC2016  # as above
{
    shown 'mesocl say "1\nb"' '1' 'printed: b'
    shown 'mesocl say 2' '2\nc' 'shown:   c'
    shown 'mesocl say d e' 'd f' 'shown:   d f'
    shown 'mesocl say 4' '…\ng' 'shown:   g'
    shown 'mesocl sing' '…' 'exit code 2'
    shown 'mesocl say 6 | hum' '…' 'hum: not found'
    shown 'howl 7' '…' 'not a command that the walk knows'
    shown 'mesocl say $(' '…' 'Syntax error'
    printf '```\nmesocl say 9\n```\n'
    printf '\n    mesocl say 10\n'
    printf '```sh\nmesocl say 11\n'
    cat >>wanted <<'END'
a block of language ""
a command outside a fence
a block that does not end
mesocl say --help:2: mesocl hum
END
} | walk 1 'mesocl hum'
echo 'mesocl say --help:2: no examples' >wanted
walk 1 '' </dev/null
echo "every fault was noticed"
