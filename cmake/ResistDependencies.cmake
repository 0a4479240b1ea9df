# Compiler settings, and what only the build needs beside the libraries.
add_library(resist_options INTERFACE)
# Designated initialisers leave members at their defaults on purpose.
target_compile_options(resist_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers)
# GCC 12 warns of its own std::string at -O3 (its bug 105651).
target_compile_options(resist_options INTERFACE $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-restrict>)
if(RESIST_WARNINGS_AS_ERRORS)
  target_compile_options(resist_options INTERFACE -Werror)
endif()
if(RESIST_SANITIZE)
  target_compile_options(resist_options INTERFACE
    -fsanitize=${RESIST_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(resist_options INTERFACE -fsanitize=${RESIST_SANITIZE})
endif()
find_program(RESIST_MOLD mold)
if(RESIST_MOLD AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
  target_link_options(resist_options INTERFACE -fuse-ld=mold)
endif()
find_program(RESIST_CCACHE ccache)
if(RESIST_CCACHE)
  # The sloppiness is what ccache's manual asks for with precompiled headers; without the folder in the hash two build
  # folders share objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${RESIST_CCACHE})
endif()

include(ResistLibraries)
find_package(CLI11 REQUIRED)
if(RESIST_WITH_TENSORBOARD AND NOT Protobuf_PROTOC_EXECUTABLE)
  message(FATAL_ERROR "protoc is missing (Debian's protobuf-compiler); or give -DRESIST_WITH_TENSORBOARD=OFF")
endif()
if(RESIST_WITH_GRPC)
  find_program(RESIST_GRPC_PLUGIN grpc_cpp_plugin)
  if(NOT Protobuf_PROTOC_EXECUTABLE OR NOT RESIST_GRPC_PLUGIN)
    message(FATAL_ERROR "protoc or its gRPC plugin is missing (Debian's protobuf-compiler, protobuf-compiler-grpc); or "
      "give -DRESIST_WITH_GRPC=OFF")
  endif()
endif()

if(RESIST_WITH_TORCH)
  message(STATUS "libtorch ${Torch_VERSION}: ${Torch_DIR}")
  find_path(RESIST_GLOO_INCLUDE gloo/context.h HINTS ${TORCH_INCLUDE_DIRS} REQUIRED)

  # torch's headers once, for every target that uses them: resist_use_torch().
  file(WRITE ${PROJECT_BINARY_DIR}/torch_pch.cpp.new "// Here to own the precompiled header.\n")
  file(COPY_FILE ${PROJECT_BINARY_DIR}/torch_pch.cpp.new ${PROJECT_BINARY_DIR}/torch_pch.cpp ONLY_IF_DIFFERENT)
  # ccache needs the first; the second keeps programs (-fPIE) able to use what was precompiled for libraries (-fPIC).
  set(RESIST_PCH_OPTIONS $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> -fPIC)
  add_library(resist_torch_pch STATIC ${PROJECT_BINARY_DIR}/torch_pch.cpp)
  target_link_libraries(resist_torch_pch PRIVATE resist_options resist_torch)
  target_compile_options(resist_torch_pch PRIVATE ${RESIST_PCH_OPTIONS})
  target_precompile_headers(resist_torch_pch PRIVATE <torch/types.h>)
endif()
