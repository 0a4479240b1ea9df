# shellcheck shell=bash
# Debian packages, one list per purpose.
# shellcheck disable=SC2034  # the scripts that source this use them
build_packages=(g++ cmake ninja-build ccache mold pkg-config libgloo-dev libcli11-dev libspdlog-dev nlohmann-json3-dev
  libtomlplusplus-dev libxxhash-dev libisal-dev libjpeg62-turbo-dev libpng-dev zlib1g-dev libonnx-dev libprotobuf-dev protobuf-compiler
  libcpp-httplib-dev libgrpc++-dev protobuf-compiler-grpc libssl-dev libgtest-dev)
libtorch_packages=(libtorch-dev libopenblas0-pthread)
quickstart_packages=(dataset-fashion-mnist)
test_packages=(dataset-fashion-mnist python3 python3-torch python3-numpy python3-pil iproute2 chromium chromium-driver
  python3-selenium zsh fish man-db groff mandoc)
bench_packages=(libbenchmark-dev)
fuzz_packages=(clang-14 libclang-rt-14-dev)
format_packages=(clang-format-14)
tidy_packages=(clang-tidy-14)
shell_check_packages=(shellcheck)
venv_packages=(python3 python3-venv)
