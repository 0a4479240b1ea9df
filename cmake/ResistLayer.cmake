# resist_layer(NAME SOURCES... [TORCH] DEPENDS targets...): one folder of src/resist as the static library resist_NAME.
# TORCH marks a layer whose sources include torch; those share one precompiled header.
function(resist_layer name)
  cmake_parse_arguments(LAYER "TORCH" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(resist_${name} STATIC ${LAYER_SOURCES})
  target_include_directories(resist_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(resist_${name} PUBLIC cxx_std_20)
  target_link_libraries(resist_${name} PUBLIC $<BUILD_INTERFACE:resist_options> ${LAYER_DEPENDS})
  if(LAYER_TORCH)
    resist_use_torch(resist_${name})
  endif()
endfunction()

# resist_use_torch(TARGET): link libtorch and reuse the precompiled header.
function(resist_use_torch target)
  target_link_libraries(${target} PUBLIC resist_torch)
  target_compile_options(${target} PRIVATE ${RESIST_PCH_OPTIONS})
  target_precompile_headers(${target} REUSE_FROM resist_torch_pch)
endfunction()

# resist_messages(NAME FILE.proto LIBRARY [GRPC]): the library resist_NAME of protobuf messages, and with GRPC of gRPC
# services. Generated now and not by the build: clang-tidy needs the header after configuring alone (scripts/check-tidy).
function(resist_messages name file library)
  cmake_parse_arguments(MESSAGES "GRPC" "" "" ${ARGN})
  cmake_path(GET file STEM stem)
  set(new ${CMAKE_CURRENT_BINARY_DIR}/new)
  set(kinds pb)
  set(plugin)
  if(MESSAGES_GRPC)
    list(APPEND kinds grpc.pb)
    set(plugin --grpc_out=${new} --plugin=protoc-gen-grpc=${RESIST_GRPC_PLUGIN})
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  file(MAKE_DIRECTORY ${new})
  execute_process(COMMAND ${Protobuf_PROTOC_EXECUTABLE} -I${CMAKE_CURRENT_SOURCE_DIR} --cpp_out=${new} ${plugin} ${file}
    COMMAND_ERROR_IS_FATAL ANY)
  set(sources)
  foreach(kind IN LISTS kinds)
    foreach(ending h cc)
      file(COPY_FILE ${new}/${stem}.${kind}.${ending} ${CMAKE_CURRENT_BINARY_DIR}/${stem}.${kind}.${ending}
        ONLY_IF_DIFFERENT)
    endforeach()
    list(APPEND sources ${CMAKE_CURRENT_BINARY_DIR}/${stem}.${kind}.cc)
  endforeach()
  add_library(resist_${name} STATIC ${sources})
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS -w)
  target_include_directories(resist_${name} SYSTEM PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_BINARY_DIR}>)
  target_link_libraries(resist_${name} PRIVATE $<BUILD_INTERFACE:resist_options> PUBLIC ${library})
endfunction()

# resist_install_library(LAYERS...): what `find_package(resist)` finds: the layers' headers and libraries, together the
# target resist::resist.
function(resist_install_library)
  set(targets ${ARGN})
  list(TRANSFORM targets PREPEND resist_)
  foreach(layer IN LISTS ARGN)
    set_target_properties(resist_${layer} PROPERTIES EXPORT_NAME ${layer})
  endforeach()
  foreach(messages event_proto store_proto)
    if(TARGET resist_${messages})
      list(APPEND targets resist_${messages})
    endif()
  endforeach()
  add_library(resist_library INTERFACE)
  set_target_properties(resist_library PROPERTIES EXPORT_NAME resist)
  target_link_libraries(resist_library INTERFACE ${targets})
  install(TARGETS ${targets} resist_library EXPORT resist)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/resist TYPE INCLUDE FILES_MATCHING PATTERN "*.h" PATTERN cli EXCLUDE)
  set(place ${CMAKE_INSTALL_LIBDIR}/cmake/resist)
  install(EXPORT resist NAMESPACE resist:: FILE resistTargets.cmake DESTINATION ${place})
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/resistConfig.cmake.in
    ${PROJECT_BINARY_DIR}/resistConfig.cmake INSTALL_DESTINATION ${place})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/resistConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/resistConfig.cmake ${PROJECT_BINARY_DIR}/resistConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/ResistLibraries.cmake DESTINATION ${place})
endfunction()
