#pragma once

#include <string>

#include "resist/cli/command_tree.h"

namespace resist {

enum class Shell { bash, zsh, fish };

// A script for the shell that completes the program's commands, flags, valid words and paths. It holds everything it
// needs: completing does not start the program.
std::string completion_script(const CommandNode& program, Shell shell);

// One of each shell; bash 4.4, zsh 5 and fish 3 or newer.
std::string bash_completion(const CommandNode& program);
std::string zsh_completion(const CommandNode& program);
std::string fish_completion(const CommandNode& program);

}  // namespace resist
