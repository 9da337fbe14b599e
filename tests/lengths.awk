# SPDX-License-Identifier: Apache-2.0
# Files over 500 lines (documents may be longer), functions of C and kernels over 60, lines over 100
# columns but in what Markdown cannot wrap: tables, code, addresses. A function reaches from the
# line with its name to a brace in the first column. Prints offences as tests/tree.sh does, which
# sets LC_ALL=C.
#
#   awk -f tests/lengths.awk FILE…
function offence(line, text) { print FILENAME ":" line ": " text }
# Counts characters of UTF-8, not bytes.
function columns(text) { return length(text) - gsub(/[\200-\277]/, "", text) }
# Sets is_code in fenced blocks, and in indented ones behind an empty line.
function follow_markdown() {
    if ($0 ~ /^ *(```|~~~)/)
        is_fenced = !is_fenced
    is_code = is_fenced || ($0 ~ /^    / && (is_code || is_behind_empty)) || \
        ($0 == "" && is_code)
    is_behind_empty = $0 == ""
}
FNR == 1 {
    named = opened = is_fenced = is_code = is_behind_empty = 0
    is_document = FILENAME ~ /[.]md$/
}
FNR == 501 && !is_document { offence(FNR, "a file over 500 lines") }
{
    text = $0
    if (is_document) {
        follow_markdown()
        gsub(/\]\([^)]*\)|https?:[^ )>]*/, "", text)
        if (is_code || text ~ /^ *\|/)
            text = ""
    }
    if (columns(text) > 100)
        offence(FNR, "a line over 100 columns")
}
FILENAME !~ /[.](c|h|cl)$/ { next }
/^[A-Za-z_]/ { named = FNR }
/^[{]/ { opened = named }
/^[}]/ && opened {
    if (FNR - opened >= 60)
        offence(opened, "a function over 60 lines")
    opened = 0
}
