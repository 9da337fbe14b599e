# SPDX-License-Identifier: Apache-2.0
# meso_embed(OUT ARRAY FILES…) makes generated/OUT, which defines
#   const meso_embedded ARRAY[] = {{"name", "text", length}, …, {NULL, NULL, 0}};
# from files, at build time.
function(meso_embed out array)
  set(path ${PROJECT_BINARY_DIR}/generated/${out})
  string(REPLACE ";" "|" files "${ARGN}")
  add_custom_command(OUTPUT ${path}
      COMMAND ${CMAKE_COMMAND} -DOUT=${path} -DARRAY=${array} "-DFILES=${files}"
              -P ${PROJECT_SOURCE_DIR}/cmake/embed_text.cmake
      DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/embed_text.cmake
      VERBATIM COMMENT "Embedding ${array}")
endfunction()
