# SPDX-License-Identifier: Apache-2.0
# The mutants of C or OpenCL C files: one sign, bound or index of one line changed.
#
#   awk -f tools/mutate.awk FILE…               a line for each: file, its number there, the line's
#                                               number, a hash of all this, the line as it becomes
#   awk -v apply=N -f tools/mutate.awk FILE     the file with its mutant N
#
# The hash knows the file's name and the line's text, not where it stands, so that a sample by it
# stays when other lines change. Needs LC_ALL=C.
function swap(a, b) { from[++n_rules] = a; to[n_rules] = b; from[++n_rules] = b; to[n_rules] = a }
function turn(a, b) { from[++n_rules] = a; to[n_rules] = b }
BEGIN {
    OFS = "\t"
    # Signs and operations.
    swap(" + ", " - "); swap(" += ", " -= "); turn(" * ", " + "); turn(" / ", " * ")
    turn(" % ", " / "); turn("= -", "= "); turn("(-", "("); turn("? -", "? ")
    # Bounds and conditions.
    swap(" < ", " <= "); swap(" > ", " >= "); swap(" == ", " != "); swap(" && ", " || ")
    swap("min(", "max("); turn(" + 1", ""); turn(" - 1", ""); turn("= 0;", "= 1;")
    # Indices.
    swap("[0]", "[1]"); turn("[i]", "[i + 1]"); turn("[k]", "[k + 1]"); turn("[n]", "[n + 1]")
    swap("_h", "_w"); swap("HEIGHT(", "WIDTH("); swap(".h", ".w"); turn("2 * ", "3 * ")
    for (i = 1; i < 256; i++)
        code[sprintf("%c", i)] = i
}
function hash(text,    h, i) {
    h = 7
    for (i = 1; i <= length(text); i++)
        h = (h * 31 + code[substr(text, i, 1)]) % 1000003
    return h
}
# The line with blanks in the place of comments and strings.
function only_code(line,    out, c, i, two, quote) {
    out = ""
    quote = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (in_comment) {
            if (two == "*/") { in_comment = 0; i++; c = "  " } else c = " "
            if (c == " " || c == "  ") { out = out c; continue }
        }
        if (quote == "" && two == "/*") { in_comment = 1; out = out "  "; i++; continue }
        if (quote == "" && two == "//") return out
        if (c == "\\" && quote != "") { out = out "  "; i++; continue }
        if (quote != "") { if (c == quote) quote = ""; out = out " "; continue }
        if (c == "\"" || c == "'") { quote = c; out = out " "; continue }
        out = out c
    }
    return out
}
function emit(changed,    trimmed) {
    n_mutants++
    if (apply == n_mutants) { line = changed; return }
    if (apply) return
    trimmed = changed
    gsub(/^ +| *\\?$/, "", trimmed)
    print FILENAME, n_mutants, FNR, hash(FILENAME line "|" trimmed), trimmed
}
FNR == 1 { n_mutants = in_comment = is_head = 0 }
{
    line = original = $0
    bare = only_code(line)
    # Conditions of the preprocessor, the heads of functions and hints to the cache are no sums.
    if (bare ~ /^[A-Za-z_].*[(]/ || bare ~ /^[{};]/)
        is_head = bare !~ /^[{};]|[;}] *$/
    if (bare !~ /^ *#|PREFETCH/ && !is_head)
        for (r = 1; r <= n_rules; r++) {
            rest = bare
            place = 0
            while ((at = index(rest, from[r])) > 0) {
                place += at
                if (from[r] !~ /^[_.][hw]$/ || substr(bare, place + 2, 1) !~ /[A-Za-z0-9_]/)
                    emit(substr(original, 1, place - 1) to[r] \
                         substr(original, place + length(from[r])))
                rest = substr(bare, place + 1)
            }
        }
    if (apply)
        print line
}
