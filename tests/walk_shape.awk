# SPDX-License-Identifier: Apache-2.0
# Compares what a document shows with what a command printed, by shape: numbers, hashes, labels,
# verdicts, devices and what is known of them are patterns, and blanks count once. A line `…` shown
# stands for any lines, `…` in a line for any words. What went to stderr, the lines behind the first
# n_out, may be left out; so may, unless is_full, what is said of published files and of detectors
# that learned. Ends with 1 and the first line that is not there.
#
#   awk -v n_out=N -v is_full= -f tests/walk_shape.awk SHOWN PRINTED
function shape(line,   n, words, i, word, out) {
    n = split(line, words, " ")
    out = ""
    for (i = 1; i <= n; i++) {
        word = words[i]
        if (word ~ /^[0-9a-f]+$/ && length(word) >= 12)
            word = "HASH"
        gsub(/[-+]?[0-9]+([.][0-9]+)?(e[-+]?[0-9]+)?/, "N", word)
        if (word == "n/a")
            word = "N"
        if (words[i - 1] ~ /[0-9]$/)
            sub(/s$/, "", word) # 1 image, 2 images
        if (word ~ /^[KMG]?iB$/)
            word = "B"
        out = out (i > 1 ? " " : "") word
    }
    sub(/^(fake|real) N N /, "LABEL N N ", out)
    sub(/^(platform|vendor|driver|version|commit|decoders) .*/, "FACT", out)
    sub(/^N:N (cpu|gpu|accelerator|other) .*/, "N:N DEVICE", out)
    sub(/ best$/, "", out) # an epoch
    sub(/ N\/s/, "", out) # no rate where it took no time
    if (out ~ /^(Accuracy o|O)n /)
        gsub(/clear|faint|shortcut/, "SET", out) # they stand in order of accuracy
    gsub(/they differ|no difference is shown/, "VERDICT", out)
    sub(/^(verdict|lanes): .*/, "VERDICT", out)
    return out
}
function fits(want, have,   n, parts, i, at) {
    if (!index(want, "…"))
        return want == have
    n = split(want, parts, "…")
    if (substr(have, 1, length(parts[1])) != parts[1])
        return 0
    have = substr(have, length(parts[1]) + 1)
    for (i = 2; i <= n; i++) {
        if (i == n && parts[i] != "")
            return length(have) >= length(parts[i]) && \
                substr(have, length(have) - length(parts[i]) + 1) == parts[i]
        at = index(have, parts[i])
        if (!at)
            return 0
        have = substr(have, at + length(parts[i]))
    }
    return 1
}
# The lines from first on, up to the next gap, stand at place `at`; n_matched is how many do.
function stands(first, at,   i) {
    for (i = 0; first + i <= n_shown && shown[first + i] != "…"; i++)
        if (at + i > n_printed || !fits(shown[first + i], printed[at + i]))
            break
    if (i > n_matched) {
        n_matched = i
        missing = first + i
        instead = at + i <= n_printed ? raw_printed[at + i] : "(the end)"
    }
    return first + i > n_shown || shown[first + i] == "…"
}
FNR == NR {
    if (!is_full && /^(known as|On control,) /)
        next
    shown[++n_shown] = shape($0)
    raw[n_shown] = $0
    next
}
{
    printed[++n_printed] = shape($0)
    raw_printed[n_printed] = $0
}
END {
    at = 1
    for (first = 1; first <= n_shown; first = last + 1) {
        is_loose = shown[first] == "…"
        first += is_loose
        for (last = first; last <= n_shown && shown[last] != "…"; last++)
            ;
        last--
        if (last < first)
            break
        n_matched = -1
        while (!stands(first, at) && is_loose && at <= n_printed)
            at++
        if (!stands(first, at)) {
            print "    shown:   " raw[missing] "\n    printed: " instead
            exit 1
        }
        at += last - first + 1
    }
    if (n_shown && shown[n_shown] != "…" && at <= n_out) {
        print "    shown:   (the end)\n    printed: " raw_printed[at]
        exit 1
    }
}
