# SPDX-License-Identifier: Apache-2.0
# Run by meso_embed: files → one C array of {name, text, length}. Bytes are written as numbers,
# because a C string literal may not be longer than 4095 characters in portable C.
string(REPLACE "|" ";" FILES "${FILES}")
set(rows "")
set(arrays "")
set(i 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const char text_${i}[] = {${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", text_${i}, sizeof text_${i} - 1},\n")
  math(EXPR i "${i} + 1")
endforeach()
file(WRITE ${OUT} "#include \"base/embedded.h\"\n\n${arrays}\n"
     "const meso_embedded ${ARRAY}[] = {\n${rows}    {0, 0, 0}};\n")
