#include <iostream>
#include <string>
#include <vector>

#include "resist/cli/run_cli.h"

int main(int argc, char** argv) {
  return resist::run_cli(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
