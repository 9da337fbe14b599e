# SPDX-License-Identifier: Apache-2.0
# generated/version.h: the commit, which is looked up at every build, so that it is right after a
# commit or an edit; the header is only touched when it changed.
#
# This file is both: included, it makes the target meso_version; run by that target with -P, it
# writes the header.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  add_custom_target(meso_version
      BYPRODUCTS ${PROJECT_BINARY_DIR}/generated/version.h
      COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR}
              -DOUT=${PROJECT_BINARY_DIR}/generated/version.h -P ${CMAKE_CURRENT_LIST_FILE}
      VERBATIM COMMENT "Looking up the commit")
  return()
endif()
cmake_minimum_required(VERSION 3.21)

# `git archive` fills this in (.gitattributes), so a release tarball knows its commit without git.
set(COMMIT "$Format:%H$")
if(COMMIT MATCHES "Format:")
  set(COMMIT "")
  # Without this test, a copy inside some other project's checkout would report that project's
  # commit.
  if(EXISTS ${SOURCE}/.git)
    execute_process(COMMAND git describe --always --dirty --abbrev=12 --exclude=*
                    WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE COMMIT
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
else()
  string(SUBSTRING "${COMMIT}" 0 12 COMMIT)
endif()
if(NOT COMMIT)
  set(COMMIT unknown)
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT
"#define MESO_COMMIT \"@COMMIT@\"
" @ONLY)
