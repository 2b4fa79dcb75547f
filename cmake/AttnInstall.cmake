# What `cmake --install` installs: the runtime for programs that run packages.
# The tools stay in the build directory, as they need LLVM's libraries.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/attn)
install(TARGETS attn EXPORT attnTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_SOURCE_DIR}/runtime/attn.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/attn)
# For programs without DLPack; others use their own copy.
install(FILES ${ATTN_DLPACK_INCLUDE}/dlpack/dlpack.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/attn/dlpack)
install(EXPORT attnTargets FILE attnConfig.cmake NAMESPACE attn::
  DESTINATION ${config_dir})
get_target_property(attn_version attn VERSION)
write_basic_package_version_file(attnConfigVersion.cmake
  VERSION ${attn_version} COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/attnConfigVersion.cmake
  DESTINATION ${config_dir})
