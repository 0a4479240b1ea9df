# The libraries that resist stands on, each as one target. The build includes this, and so does an installed resist for
# the programs that use it (resistConfig.cmake): there the same RESIST_WITH_... are set.
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET GLOBAL libisal)

if(RESIST_WITH_PICTURES)
  find_package(JPEG REQUIRED)
endif()
if(RESIST_WITH_PICTURES OR RESIST_WITH_TENSORBOARD)
  find_package(PNG REQUIRED)
endif()

if(RESIST_WITH_ONNX OR RESIST_WITH_TENSORBOARD OR RESIST_WITH_GRPC)
  # Where CMAKE_PREFIX_PATH names pip's torch, its protobuf, of another version, would be found first.
  find_path(Protobuf_INCLUDE_DIR google/protobuf/service.h NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH)
  find_program(Protobuf_PROTOC_EXECUTABLE protoc NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH)
  find_package(Protobuf REQUIRED)
endif()
if(RESIST_WITH_ONNX)
  find_package(ONNX REQUIRED)
endif()

if(RESIST_WITH_GRPC)
  find_package(OpenSSL REQUIRED)
  find_package(gRPC CONFIG REQUIRED)
endif()

if(RESIST_WITH_SERVER)
  pkg_check_modules(httplib REQUIRED IMPORTED_TARGET GLOBAL cpp-httplib)
endif()

if(RESIST_WITH_TORCH)
  find_package(Torch REQUIRED)
  add_library(resist_torch INTERFACE IMPORTED GLOBAL)
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
endif()
