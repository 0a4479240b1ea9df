#pragma once

#include <vector>

#include "resist/config/resolve.h"

namespace resist {

// Training settings that go together. `paper`: those of the ResIST paper, which Config's own are. `best`: what the
// studies chose (docs/results.md); docs/recipes.md has the evidence for every line. The program starts from `best`
// unless --recipe says otherwise.
inline constexpr Recipe kUsualRecipe = Recipe::best;

// What it sets differently from the paper, as far as the method has a use for it.
std::vector<Setting> recipe_settings(Recipe recipe, Method method);

Config recipe_config(Recipe recipe, Method method = Method::resist);

// Where options start that some layers of settings are laid over: the recipe that the last of them names, for the
// method that the last of them names.
Config starting_config(const std::vector<Setting>& file, const std::vector<Setting>& flags);

}  // namespace resist
