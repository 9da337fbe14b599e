# SPDX-License-Identifier: Apache-2.0
# The CMakeLists.txt of a program outside the tree (see outside.sh).
cmake_minimum_required(VERSION 3.21)
project(outside LANGUAGES C)
find_package(mesocl 0.1 REQUIRED COMPONENTS static)
add_executable(with_shared example.c)
target_link_libraries(with_shared PRIVATE mesocl::mesocl)
add_executable(with_static example.c)
target_link_libraries(with_static PRIVATE mesocl::static)
foreach(name predict train)
  add_executable(${name} ${name}.c)
  target_link_libraries(${name} PRIVATE mesocl::mesocl)
  target_compile_options(${name} PRIVATE -std=c11 -Wall -Wextra -pedantic -Werror)
endforeach()
