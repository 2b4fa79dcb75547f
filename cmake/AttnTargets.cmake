# How the project's libraries and tools are declared: one precompiled header
# for everything that includes MLIR, and the shared MLIR and LLVM libraries, of
# which a process may hold only one copy.

add_library(AttnPch OBJECT ${PROJECT_SOURCE_DIR}/cmake/Pch.cpp)
target_precompile_headers(AttnPch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/Pch.h)

# attn_library(NAME SOURCES... [DEPENDS targets...] [LINK libraries...])
function(attn_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_precompile_headers(${name} REUSE_FROM AttnPch)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
endfunction()

# attn_tool(NAME SOURCES... [LINK libraries...])
function(attn_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  # Compiled like the libraries, whose precompiled header tools share.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  target_precompile_headers(${name} REUSE_FROM AttnPch)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
endfunction()
