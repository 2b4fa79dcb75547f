# libattn-jit.so of a build folder or an installed tree, ATTN_PREBUILT, as a target.
find_path(ATTN_DLPACK_INCLUDE dlpack/dlpack.h REQUIRED)
find_library(ATTN_JIT attn-jit REQUIRED NO_DEFAULT_PATH
  PATHS ${ATTN_PREBUILT} PATH_SUFFIXES lib lib64 lib/${CMAKE_LIBRARY_ARCHITECTURE})
add_library(attn-jit SHARED IMPORTED)
file(REAL_PATH ${ATTN_JIT} location)
set_target_properties(attn-jit PROPERTIES
  IMPORTED_LOCATION ${location} IMPORTED_SONAME libattn-jit.so.1)
