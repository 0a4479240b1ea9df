# resist_layer(NAME SOURCES... [TORCH] DEPENDS targets...): one folder of src/resist as the static library resist_NAME.
# TORCH marks a layer whose sources include torch; those share one precompiled header.
function(resist_layer name)
  cmake_parse_arguments(LAYER "TORCH" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(resist_${name} STATIC ${LAYER_SOURCES})
  target_include_directories(resist_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(resist_${name} PUBLIC resist_options ${LAYER_DEPENDS})
  if(LAYER_TORCH)
    resist_use_torch(resist_${name})
  endif()
endfunction()

# resist_use_torch(TARGET): link libtorch and reuse the precompiled header.
function(resist_use_torch target)
  target_link_libraries(${target} PUBLIC resist_torch)
  target_precompile_headers(${target} REUSE_FROM resist_torch_pch)
endfunction()
