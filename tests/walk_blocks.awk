# SPDX-License-Identifier: Apache-2.0
# Takes the commands out of a Markdown document, or out of a --help, for walk.sh. For each it writes
# into the folder `to`: NNN.command, NNN.at (where it stands) and, where the text shows what the
# command prints, NNN.shown. Commands of a document stand in fences:
#
#   ```console    "$ command" and what it prints; `…` stands for lines or words left out
#   ```sh         a command on each line
#
# and those of a --help behind "Examples:". A line that ends with a backslash goes on. A fence of no
# language, or of one not known here, cannot be parsed, nor can a command that stands elsewhere.
#
#   awk -v to=FOLDER -v at=NAME [-v help=1] -f tests/walk_blocks.awk TEXT
function fail(text) {
    print at ":" FNR ": " text
    is_wrong = 1
}
function begin(command) {
    name = sprintf("%s/%03d", to, ++n_commands)
    print at ":" FNR >(name ".at")
    close(name ".at")
    add(command)
}
function add(line) {
    print line >(name ".command")
    continues = line ~ /\\$/
    if (!continues)
        close(name ".command")
}
BEGIN {
    split("text cmake c yaml json", words, " ")
    for (i in words)
        is_other[words[i]] = 1
    commands = "^ *([$] )?(mesocl|dataset_bench|device_bench|cmake|cc|clang|git|tools/[^ ]*[.]sh) "
}
help {
    if (continues)
        add($0)
    else if ($0 == "Examples:") {
        is_open = 1
        n_blocks++
    } else if (is_open && /^  [^ ]/)
        begin(substr($0, 3))
    else
        is_open = 0
    next
}
/^ *```/ {
    language = fence ? "" : substr($0, index($0, "```") + 3)
    if (!fence && language !~ /^(sh|console)$/ && !(language in is_other))
        fail("a block of language \"" language "\", which the walk does not know")
    n_blocks += language == "sh" || language == "console"
    n_other += language in is_other
    fence = fence ? "" : language
    continues = 0
    name = ""
    next
}
continues { add($0); next }
fence == "sh" && !/^ *(#|$)/ { begin($0) }
fence == "console" && /^[$] / { begin(substr($0, 3)); next }
fence == "console" && name == "" { fail("output before any command"); next }
fence == "console" { print >(name ".shown"); next }
!fence && /^    / && $0 ~ commands { fail("a command outside a fence of sh or console") }
END {
    if (fence)
        fail("a block that does not end")
    if (help && !n_commands)
        fail("no examples")
    print n_blocks + 0, n_other + 0 >(to "/blocks")
    exit is_wrong
}
