# What `cmake --install` installs: libraries and headers for programs that run
# packages (AttnMLIR::attn) or compile specs (AttnMLIR::attn_jit). The tools are
# added in tools/; they need LLVM's libraries where the build has found them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/AttnMLIR)
set(include_dir ${CMAKE_INSTALL_INCLUDEDIR}/attn)
install(TARGETS attn EXPORT AttnMLIRConfig
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_SOURCE_DIR}/runtime/attn.h DESTINATION ${include_dir})
# For programs without DLPack; others use their own copy.
install(FILES ${ATTN_DLPACK_INCLUDE}/dlpack/dlpack.h
  DESTINATION ${include_dir}/dlpack)
if(TARGET attn-jit)
  install(TARGETS attn-jit EXPORT AttnMLIRConfig
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES
    ${PROJECT_SOURCE_DIR}/runtime/attn_jit.h
    ${PROJECT_SOURCE_DIR}/runtime/attn_jit.hpp
    ${PROJECT_SOURCE_DIR}/runtime/attn_spec.hpp
    DESTINATION ${include_dir})
endif()
install(EXPORT AttnMLIRConfig NAMESPACE AttnMLIR:: DESTINATION ${config_dir})
write_basic_package_version_file(AttnMLIRConfigVersion.cmake
  VERSION ${ATTN_API_VERSION} COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/AttnMLIRConfigVersion.cmake
  DESTINATION ${config_dir})
