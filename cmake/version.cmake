# SPDX-License-Identifier: Apache-2.0
# version.h: the version comes from project(), the commit from git (again whenever HEAD moves).
execute_process(COMMAND git describe --always --dirty --abbrev=12
                WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                OUTPUT_VARIABLE MESO_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT MESO_COMMIT)
  set(MESO_COMMIT unknown)
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
endif()
file(CONFIGURE OUTPUT generated/version.h CONTENT
"#define MESO_VERSION \"@PROJECT_VERSION@\"\n#define MESO_COMMIT \"@MESO_COMMIT@\"\n" @ONLY)
