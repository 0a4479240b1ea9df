# shellcheck shell=bash
# Which libtorch to build with. For sourcing, after common.sh.

# torch_config PREFIX: prints the folder of TorchConfig.cmake below an installation prefix, fails if there is none.
torch_config() {
  local folder
  for folder in "$1"/{share/cmake,lib/cmake,lib64/cmake,"lib/$(uname -m)-linux-gnu/cmake",.}/Torch; do
    if [[ -f $folder/TorchConfig.cmake ]]; then
      realpath "$folder"
      return
    fi
  done
  return 1
}

# The folder of the `torch` that python3 imports, without the seconds that importing it takes.
python_torch() {
  (cd / && python3 -c 'from importlib.util import find_spec; print(find_spec("torch").submodule_search_locations[0])') \
    2>/dev/null
}

# choose_libtorch: sets torch_dir to the folder of a TorchConfig.cmake, or to nothing for Debian's. A torch that is named
# already wins: in CMAKE_PREFIX_PATH, or by being what python3 imports.
# shellcheck disable=SC2034  # torch_dir is for the caller
choose_libtorch() {
  local prefix
  torch_dir=
  local -a prefixes
  IFS=':;' read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in "${prefixes[@]}"; do
    if torch_dir=$(torch_config "$prefix"); then
      return
    fi
  done
  # Debian's python3-torch has no CMake files there: its libtorch-dev has.
  prefix=$(python_torch) && torch_dir=$(torch_config "$prefix") || return 0
  if [[ -e $prefix/lib/libtorch_cuda.so ]] && ! command -v nvcc >/dev/null; then
    say "python3's torch in $prefix is for CUDA, whose toolkit (nvcc) is not here: using Debian's libtorch"
    torch_dir=
  fi
}

# Arguments of make_venv for a current libtorch: pip's, by the name of its build for CPUs, as the plain version may stand
# for gigabytes of CUDA.
# shellcheck disable=SC2034  # for the caller
current_libtorch=(.venv-torch2 'torch==2.13.0+cpu')

# Where torch lies in that environment.
current_libtorch_prefix() { echo "$PWD/${current_libtorch[0]}"/lib/python3*/site-packages/torch; }
