#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench/summarize.py on a record of bench/peers with one of device_bench in it, and on that one.
set -eu
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# results RATE: a record of device_bench with one result.
results() {
    cat <<END
{"schema": "x/1", "provenance": {"commit": "c"}, "devices": [{"threads": 2}], "results": [
  {"net": "n", "batch": 8, "images_per_s": $1, "weights": "", "samples": [[1, 2], [3]],
   "layers": [{"layer": "a", "us": 1.5, "samples": [1]}, {"layer": "b", "us": 2.5}]}]}
END
}

results 10 >"$tmp/bench.json"
python3 bench/summarize.py "$tmp/bench.json" >"$tmp/got"
cat >"$tmp/expected" <<'END'
{
 "schema": "x/1", "provenance": {"commit": "c"},
 "devices": [
  {"threads": 2}
 ],
 "results": [
  {
   "net": "n", "batch": 8, "images_per_s": 10,
   "layers": [
    {"layer": "b", "us": 2.5}, {"layer": "a", "us": 1.5}
   ]
  }
 ]
}
END
diff "$tmp/expected" "$tmp/got"

{
    printf '{"date": "d", "ours": {"1": {"8": [3.00000001, 1, 2.5, 9]}}, "rivals": [], '
    printf '"device_bench": [%s, %s, %s]}' "$(results 10)" "$(results 40.5)" "$(results 20)"
} >"$tmp/peers.json"
python3 bench/summarize.py "$tmp/peers.json" >"$tmp/got"
cat >"$tmp/expected" <<'END'
{
 "date": "d",
 "ours": {
  "1": {
   "8": {"n": 4, "median": 2.75, "min": 1, "max": 9}
  }
 },
 "rivals": [],
 "device_bench": {
  "provenance": {"commit": "c"},
  "results": [
   {"net": "n", "batch": 8, "records": 3, "images_per_s": 20}
  ]
 }
}
END
diff "$tmp/expected" "$tmp/got"
echo "both records were summarised"
