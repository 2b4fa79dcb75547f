# Writes the definition of getCompilerBuild() (runtime/compiler/tuning). A script:
# cmake -DOUTPUT=FILE -DARCHIVES=FILE,FILE -P HashArchives.cmake
string(REPLACE "," ";" archives "${ARCHIVES}")
foreach(archive ${archives})
  file(SHA256 ${archive} hash)
  string(APPEND hashes ${hash})
endforeach()
string(SHA256 build "${hashes}")
string(SUBSTRING ${build} 0 16 build)
file(WRITE ${OUTPUT}
  "#include \"runtime/compiler/tuning/CompilerBuild.h\"\n"
  "llvm::StringRef attn::getCompilerBuild() { return \"${build}\"; }\n")
