# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: both libraries, headers, the CMake package (mesocl::mesocl, and
# mesocl::static as a component), mesocl.pc, licence and documents. The programs are
# installed by tools/CMakeLists.txt.
include(CMakePackageConfigHelpers)
set(MESO_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/mesocl)

foreach(kind shared static)
  install(TARGETS mesocl_${kind} EXPORT mesocl_${kind}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT mesocl_${kind} NAMESPACE mesocl:: DESTINATION ${MESO_CMAKE_DIR}
          FILE mesocl-${kind}.cmake)
endforeach()
configure_package_config_file(cmake/mesoclConfig.cmake.in mesoclConfig.cmake
                              INSTALL_DESTINATION ${MESO_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(mesoclConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mesoclConfig.cmake
              ${PROJECT_BINARY_DIR}/mesoclConfigVersion.cmake
        DESTINATION ${MESO_CMAKE_DIR})

# The prefix is told relative to mesocl.pc, so that an installed tree may be moved.
file(RELATIVE_PATH MESO_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
if(WEBP_FOUND)
  set(MESO_PC_OPTIONAL ", libwebp")
endif()
if(TIFF_FOUND)
  string(APPEND MESO_PC_OPTIONAL ", libtiff-4")
endif()
if(UTF8PROC_FOUND)
  string(APPEND MESO_PC_OPTIONAL ", libutf8proc")
endif()
if(GIF_FOUND)
  set(MESO_PC_GIF " -lgif") # older giflib has no .pc
endif()
configure_file(cmake/mesocl.pc.in mesocl.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mesocl.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(DIRECTORY include/mesocl DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES LICENSE README.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY weights DESTINATION ${CMAKE_INSTALL_DATADIR}/mesocl)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN benchmarks EXCLUDE)
