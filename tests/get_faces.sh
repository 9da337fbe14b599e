#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mesocl models --get faces with a pip that hands out planted wheels: what a good one becomes, and
# what is said of damaged ones, without pip, Python or a network. Then the real one, where the real
# pip can have it.
#
#   sh tests/get_faces.sh CMAKE BUILD_FOLDER        (in the root of the tree)
set -eu
python=$(python3 -c 'import sys; print(sys.executable)') ||
    { echo "skipped: python3 is missing"; exit 77; }
mesocl=$2/bin/mesocl
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_DATA_HOME="$tmp/data" HOME="$tmp"
file=$tmp/data/mesocl/weights/mtcnn.safetensors

# expect CODE WORDS COMMAND…: it ends so, says so, and leaves no file.
expect() {
    code=$1 words=$2 got=0
    shift 2
    "$@" >"$tmp/said" 2>&1 || got=$?
    if [ "$got" != "$code" ] || ! grep -q "$words" "$tmp/said"; then
        echo "$*: ended with $got, not $code, or does not say \"$words\":" && cat "$tmp/said"
        exit 1
    fi
    [ "$code" = 0 ] || [ -z "$(find "$tmp/data" -type f 2>/dev/null)" ] ||
        { echo "$*: left a file" && exit 1; }
}

mkdir "$tmp/bin" "$tmp/empty" "$tmp/only_python"
ln -s "$python" "$tmp/only_python/python3"
ln -s "$python" "$tmp/bin/python3"
cat >"$tmp/bin/pip3" <<'END'
#!/bin/sh
[ ! -e "$PLANTED.fails" ] || { echo "ERROR: no network here" >&2; exit 1; }
while [ "$1" != --dest ]; do shift; done
PATH=/usr/bin:/bin cp "$PLANTED" "$2/"
END
chmod +x "$tmp/bin/pip3"
PLANTED="$tmp/planted-1-py3-none-any.whl"
export PLANTED

echo "what is missing"
expect 69 "python3 is not in PATH" env PATH="$tmp/empty" "$mesocl" models --get faces
expect 69 "pip, which is not in PATH" env PATH="$tmp/only_python" "$mesocl" models --get faces
touch "$PLANTED.fails"
expect 69 "ERROR: no network here" env PATH="$tmp/bin" "$mesocl" models --get faces
rm "$PLANTED.fails"
expect 73 "neither XDG_DATA_HOME nor HOME" env XDG_DATA_HOME= HOME= "$mesocl" models --get faces
expect 2 "faces" "$mesocl" models --get cats

# plant KIND: the wheel, and get_faces.py with its hashes. Weights count up, so that their places
# show.
plant() {
    "$python" tests/plant_detector.py "$1" "$PLANTED" tools/mesocl/get_faces.py >"$tmp/get_faces.py"
}
convert() { env PATH="$tmp/bin" "$python" -I "$tmp/get_faces.py" "$file"; }

echo "damaged wheels"
plant good
expect 65 "the wheel of .* has SHA-256" env PATH="$tmp/bin" "$mesocl" models --get faces
plant other_net
expect 65 "rnet.pt has SHA-256" convert
plant evil
expect 65 "pnet.pt is no file of PyTorch .*names posix.system\|names os.system" convert
plant short
expect 65 "onet.pt is no file of PyTorch" convert
plant missing
expect 65 "pnet.pt is no file of PyTorch .*prelu3" convert

echo "a good wheel"
plant good
mkdir "$tmp/data" && chmod 500 "$tmp/data"
if [ "$(id -u)" != 0 ]; then
    expect 73 "cannot be written" convert
fi
chmod 700 "$tmp/data"
expect 0 "Licence: MIT" convert
"$python" tests/plant_detector.py look "$file"
expect 0 "$file is there already" "$mesocl" models --get faces
expect 0 "mtcnn .* MIT .*$file" "$mesocl" models
rm "$file"
expect 0 "mtcnn .* not fetched: mesocl models --get faces" "$mesocl" models

echo "the real wheel"
got=0
"$mesocl" models --get faces >"$tmp/said" 2>&1 || got=$?
case $got in
0) grep -q "^f0de2e9bd4a515083e203e162e6d9500c3345d0f6746753504d8fc9602869036 " <<END
$(sha256sum "$file")
END
    ;;
69) echo "not tried: $(cat "$tmp/said")" ;;
*) cat "$tmp/said" && exit 1 ;;
esac
