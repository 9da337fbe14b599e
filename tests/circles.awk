# SPDX-License-Identifier: Apache-2.0
# No file leads back to itself, and a header says where its functions are. Called by tree.sh:
#
#   awk -f tests/circles.awk pass=1 FILES pass=2 FILES
#
# An arrow goes from x.c to the file that defines a function or variable which x.c names. A name
# that several files define (main) says nothing.

# A line without comments and literals.
function code_of(line,    out, token) {
    for (out = ""; ; in_comment = (token == "/*")) {
        if (in_comment) {
            if (!index(line, "*/"))
                return out
            line = substr(line, index(line, "*/") + 2)
            in_comment = 0
        }
        if (!match(line, /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|\/\*|\/\//))
            return out line
        token = substr(line, RSTART, RLENGTH)
        out = out substr(line, 1, RSTART - 1) " "
        line = substr(line, RSTART + RLENGTH)
        if (token == "//")
            return out
    }
}

# What a line at the margin declares or defines, a function or a variable; "" for anything else.
function name_of(code) {
    if (code ~ /^typedef /)
        return ""
    if (!match(code, /^[A-Za-z][A-Za-z0-9_ ]*[ *]+[A-Za-z0-9_]+\(/) &&
        !match(code, /^[a-z][A-Za-z0-9_ ]*[ *]+[a-z0-9_]+(\[[^]]*\])* =/))
        return ""
    code = substr(code, 1, RLENGTH)
    sub(/(\(|(\[[^]]*\])* =)$/, "", code)
    sub(/^.*[ *]/, "", code)
    return code
}

# Does the first comment of a header name that file? "cmd_<name>.c" and "run_*.c" name several.
function names(comment, file,    pattern) {
    sub(/.*\//, "", file)
    while (match(comment, /[a-z0-9_<>*]+[.]c/)) {
        pattern = substr(comment, RSTART, RLENGTH - 2)
        comment = substr(comment, RSTART + RLENGTH)
        gsub(/<[a-z_]*>|[*]/, "[a-z0-9_]+", pattern)
        if (file ~ "^" pattern "[.]c$")
            return 1
    }
    return 0
}

FNR == 1 {
    in_comment = in_head = 0
    is_header = FILENAME ~ /[.]h$/
}

pass == 1 && is_header && !(FILENAME in head_ends) {
    head[FILENAME] = head[FILENAME] " " $0
    if (index($0, "*/"))
        head_ends[FILENAME] = FNR
}

pass == 1 {
    name = name_of(code_of($0))
    if (name == "")
        next
    if (is_header) {
        if ($0 ~ /\(/ && $0 !~ /^static /)
            declared[FILENAME, name] = FNR
    } else if ($0 ~ /^static /)
        own[FILENAME, name] = 1
    else if ($0 !~ /;$/ && !(name in home))
        home[name] = FILENAME
    else if ($0 !~ /;$/ && home[name] != FILENAME)
        home[name] = "several"
}

pass == 2 && !is_header {
    if (FNR == 1)
        files[++n_files] = FILENAME
    n = split(code_of($0), words, /[^A-Za-z0-9_]+/)
    for (i = 1; i <= n; i++) {
        to = words[i] in home ? home[words[i]] : ""
        if (to != "" && to != "several" && to != FILENAME && !((FILENAME, words[i]) in own)) {
            if (!((FILENAME, to) in arrow))
                targets[FILENAME] = targets[FILENAME] " " to
            arrow[FILENAME, to] = words[i]
        }
    }
}

# The first file that it points to and that is still there; "".
function next_of(file,    list, n, i) {
    n = split(targets[file], list, " ")
    for (i = 1; i <= n; i++)
        if (!(list[i] in gone))
            return list[i]
    return ""
}

# Files that lead nowhere are in no circle; then those that only lead to such ones.
function prune(    i, again) {
    do {
        again = 0
        for (i = 1; i <= n_files; i++)
            if (!(files[i] in gone) && next_of(files[i]) == "") {
                gone[files[i]] = 1
                again = 1
            }
    } while (again)
}

# Every file that is left leads to another one, so a walk comes back to where it was.
function report_circle(file,    place, trail, n, i, text) {
    split("", place)
    for (n = 0; !(file in place); file = next_of(file)) {
        place[file] = ++n
        trail[n] = file
    }
    for (i = place[file]; i <= n; i++) {
        text = text trail[i] " calls " arrow[trail[i], i < n ? trail[i + 1] : file] " of "
        gone[trail[i]] = 1
    }
    print file ":1: a circle of files: " text file
}

END {
    for (prune(); n_files > 0; prune()) {
        for (i = 1; i <= n_files && files[i] in gone; i++)
            ;
        if (i > n_files)
            break
        report_circle(files[i])
    }
    for (key in declared) {
        split(key, part, SUBSEP)
        to = part[2] in home ? home[part[2]] : ""
        own_file = part[1]
        sub(/h$/, "c", own_file)
        if (to == "")
            print part[1] ":" declared[key] ": " part[2] " is declared, and nothing defines it"
        else if (to != own_file && to != "several" && !names(head[part[1]], to))
            print part[1] ":" declared[key] ": " part[2] " is defined in " to \
                ", which the first comment does not name"
    }
}
