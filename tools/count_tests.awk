# SPDX-License-Identifier: Apache-2.0
# Counts the test functions in ctest's JUnit file; the last line is `N passed, N failed, N skipped`.
# Ends with 1 if a test failed, if none passed, or if fewer device tests passed than recorded.
#
#   awk -v device_programs="NAME…, one a line" -v recorded=N -f tools/count_tests.awk results.xml
#
# A ctest test named test_… is a cmocka program: the lines of its functions are counted. Any other
# counts as one. A program that crashes, or fails outside its functions, counts as one failure more.
BEGIN {
    n = split(device_programs, names, "\n")
    for (i = 1; i <= n; i++)
        on_device[names[i]] = 1
}
/^\t<testcase / {
    match($0, / name="[^"]*"/)
    name = substr($0, RSTART + 7, RLENGTH - 8)
    match($0, / status="[^"]*"/)
    status = substr($0, RSTART + 9, RLENGTH - 10)
    n_run = n_ok = n_skip = 0
}
# The summary at the end of a group repeats names; these lines come before it.
/\[=+\] (.*: )?Running / { in_group = 1; sub(/^.*<system-out>/, "") }
/^\[=+\] .* run\./ { in_group = 0 }
in_group && /^\[ RUN      \]/ { n_run++ }
in_group && /^\[       OK \]/ { n_ok++ }
in_group && /^\[  SKIPPED \]/ { n_skip++ }
/^\t<\/testcase>/ {
    in_group = 0
    if (name !~ /^test_/ || n_run == 0) {
        n_run = 1
        n_ok = status == "run"
        n_skip = status == "notrun"
    }
    n_failed = n_run - n_ok - n_skip
    if (status == "fail" && n_failed == 0)
        n_failed = 1
    passed += n_ok
    skipped += n_skip
    failed += n_failed
    if (name in on_device)
        device += n_ok
}
END {
    bad = failed > 0 || passed == 0
    printf "device tests: %d passed, %s recorded\n", device, recorded
    if (recorded == "" || device < recorded) {
        print "fewer device tests passed than tests/device_tests.txt records"
        bad = 1
    }
    printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
    exit bad
}
