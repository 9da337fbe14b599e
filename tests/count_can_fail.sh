#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/count_tests.awk must count each outcome that ctest and cmocka know, and fail where
# it says so.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# junit NAME STATUS OUTPUT: one test as ctest writes it.
junit() {
    printf '\t<testcase name="%s" classname="%s" time="0.1" status="%s">\n' "$1" "$1" "$2"
    printf '\t\t<system-out>%b</system-out>\n\t</testcase>\n' "$3"
}

# must_count EXIT_CODE LAST_LINE, with device_programs and recorded set and the JUnit file on stdin.
must_count() {
    cat >"$tmp/results.xml"
    code=0
    awk -v device_programs="$device_programs" -v recorded="$recorded" -f tools/count_tests.awk \
        "$tmp/results.xml" >"$tmp/out" || code=$?
    if [ "$code" != "$1" ] || [ "$(tail -n 1 "$tmp/out")" != "$2" ]; then
        echo "expected exit code $1 and \"$2\", got $code and:"
        cat "$tmp/out"
        exit 1
    fi
}

group='[==========] Running 9 test(s).\n'
ok='[ RUN      ] a\n[       OK ] a\n'
failed='[ RUN      ] b\n[  ERROR   ] --- no\n[  FAILED  ] b\n'
skipped='[ RUN      ] c\n[  SKIPPED ] c\n'
crashed='[ RUN      ] d\n'
end='[==========] 9 test(s) run.\n[  SKIPPED ] 1 test(s), listed below:\n'
end="$end"'[  SKIPPED ] c\n[  FAILED  ] b\n'

device_programs='' recorded=0
junit test_a run "$group$ok$ok$skipped$end" | must_count 0 '2 passed, 0 failed, 1 skipped'
junit test_a run "$group$ok$end$group$ok$end" | must_count 0 '2 passed, 0 failed, 0 skipped'
named='[==========] ops: Running 9 test(s).\n' # cmocka 1.1.8 and later
junit test_a run "$named$ok$ok$end" | must_count 0 '2 passed, 0 failed, 0 skipped'
junit test_a fail "$group$ok$failed$skipped$end" | must_count 1 '1 passed, 1 failed, 1 skipped'
junit test_a fail "$group$ok$crashed" | must_count 1 '1 passed, 1 failed, 0 skipped'
junit test_a fail "$group$ok$end" | must_count 1 '1 passed, 1 failed, 0 skipped'
junit test_a fail '' | must_count 1 '0 passed, 1 failed, 0 skipped'
junit test_a notrun '' | must_count 1 '0 passed, 0 failed, 1 skipped'
junit test_a run "$group$skipped$end" | must_count 1 '0 passed, 0 failed, 1 skipped'
printf '' | must_count 1 '0 passed, 0 failed, 0 skipped'
{ junit tree run "$ok$ok" && junit outside notrun ''; } |
    must_count 0 '1 passed, 0 failed, 1 skipped'
{ junit tree fail "$ok" && junit test_a run "$group$ok$end"; } |
    must_count 1 '1 passed, 1 failed, 0 skipped'

device_programs='test_a
test_b' recorded=3
{ junit test_a run "$group$ok$ok$end" && junit test_b run "$group$ok$end"; } |
    must_count 0 '3 passed, 0 failed, 0 skipped'
{ junit test_a run "$group$ok$ok$end" && junit test_b run "$group$skipped$end"; } |
    must_count 1 '2 passed, 0 failed, 1 skipped'
{ junit test_a run "$group$ok$ok$end" && junit test_c run "$group$ok$end"; } |
    must_count 1 '3 passed, 0 failed, 0 skipped'
recorded=
junit test_a run "$group$ok$end" | must_count 1 '1 passed, 0 failed, 0 skipped'
echo "each outcome was counted"
