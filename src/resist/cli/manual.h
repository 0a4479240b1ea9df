#pragma once

#include <string>
#include <vector>

#include "resist/cli/command_tree.h"

namespace resist {

// A page of section 1 of the manual, in roff (man(7)).
struct ManualPage {
  std::string name;  // of the file: resist-train.1
  std::string text;
};

// The page of the program (the tree's root) or of one of its commands. `release`: "resist 0.1.0".
ManualPage manual_page(const CommandNode& program, const CommandNode& node, const std::string& release);

// Every page, the program's first.
std::vector<ManualPage> manual_pages(const CommandNode& program, const std::string& release);

// The node that these words (without the program's name) lead to. InputError where there is none.
const CommandNode& find_command(const CommandNode& program, const std::vector<std::string>& words);

}  // namespace resist
