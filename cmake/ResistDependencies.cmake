# Compiler settings and the libraries that resist stands on, each as one target.
add_library(resist_options INTERFACE)
# Designated initialisers leave members at their defaults on purpose.
target_compile_options(resist_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers)
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

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)

if(RESIST_WITH_PICTURES)
  find_package(JPEG REQUIRED)
  find_package(PNG REQUIRED)
endif()

if(RESIST_WITH_ONNX OR RESIST_WITH_TENSORBOARD)
  # Where CMAKE_PREFIX_PATH names pip's torch, its protobuf, of another version, would be found first.
  find_path(Protobuf_INCLUDE_DIR google/protobuf/service.h NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH)
  find_program(Protobuf_PROTOC_EXECUTABLE protoc NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH)
  find_package(Protobuf REQUIRED)
endif()
if(RESIST_WITH_ONNX)
  find_package(ONNX REQUIRED)
endif()
if(RESIST_WITH_TENSORBOARD)
  find_package(PNG REQUIRED)
  if(NOT Protobuf_PROTOC_EXECUTABLE)
    message(FATAL_ERROR "protoc is missing (Debian's protobuf-compiler); or give -DRESIST_WITH_TENSORBOARD=OFF")
  endif()
endif()

if(RESIST_WITH_SERVER)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
endif()

if(RESIST_WITH_TORCH)
  find_package(Torch REQUIRED)
  message(STATUS "libtorch ${Torch_VERSION}: ${Torch_DIR}")
  add_library(resist_torch INTERFACE)
  separate_arguments(torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
  target_compile_options(resist_torch INTERFACE ${torch_flags})
  # Debian's libtorch has c10d's Gloo but does not say so; without this its header is empty.
  target_compile_definitions(resist_torch INTERFACE USE_C10D_GLOO)

  # pip's torch brings an fmt of its own that would hide the one spdlog was built with. The folder `first` holds nothing
  # but a link to the latter and is searched before torch's.
  list(GET TORCH_INCLUDE_DIRS 0 torch_include)
  get_target_property(fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
  if(EXISTS ${torch_include}/fmt AND NOT torch_include STREQUAL fmt_include)
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/first)
    file(CREATE_LINK ${fmt_include}/fmt ${PROJECT_BINARY_DIR}/first/fmt SYMBOLIC)
    target_include_directories(resist_torch SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/first)
  endif()
  target_include_directories(resist_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(resist_torch INTERFACE ${TORCH_LIBRARIES})

  find_path(RESIST_GLOO_INCLUDE gloo/context.h HINTS ${TORCH_INCLUDE_DIRS} REQUIRED)

  # torch's headers once, for every target that uses them: resist_use_torch().
  file(WRITE ${PROJECT_BINARY_DIR}/torch_pch.cpp.new "// Here to own the precompiled header.\n")
  file(COPY_FILE ${PROJECT_BINARY_DIR}/torch_pch.cpp.new ${PROJECT_BINARY_DIR}/torch_pch.cpp ONLY_IF_DIFFERENT)
  add_library(resist_torch_pch STATIC ${PROJECT_BINARY_DIR}/torch_pch.cpp)
  target_link_libraries(resist_torch_pch PRIVATE resist_options resist_torch)
  target_precompile_headers(resist_torch_pch PRIVATE <torch/types.h>)
  # ccache needs the first; the second keeps programs (-fPIE) able to use what was precompiled for libraries (-fPIC).
  target_compile_options(resist_torch INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> -fPIC)
endif()
