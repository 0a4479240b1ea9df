#include "resist/config/recipe.h"

#include "resist/config/enum_words.h"
#include "resist/config/option.h"

namespace resist {

std::vector<Setting> recipe_settings(Recipe recipe, Method method) {
  if (recipe == Recipe::paper) {
    return {};
  }
  std::vector<Setting> best = {
      {.name = "schedule", .value = "cosine", .where = {}},
      {.name = "lr", .value = 0.05, .where = {}},
      {.name = "lr-warmup-epochs", .value = "auto", .where = {}},
      {.name = "label-smoothing", .value = 0.1, .where = {}},
      {.name = "momentum-sync", .value = "carry", .where = {}},
      {.name = "zero-init", .value = true, .where = {}},
  };
  if (method != Method::data_parallel) {
    best.push_back({.name = "outer-momentum", .value = 0.4, .where = {}});
  }
  return best;
}

Config recipe_config(Recipe recipe, Method method) {
  Config config;
  config.train.recipe = recipe;
  apply_settings(config, recipe_settings(recipe, method));
  return config;
}

Config starting_config(const std::vector<Setting>& file, const std::vector<Setting>& flags) {
  Config named;
  named.train.recipe = kUsualRecipe;
  for (const auto* layer : {&file, &flags}) {
    for (const Setting& setting : *layer) {
      if (setting.name == "recipe" || setting.name == "method") {
        apply_settings(named, {setting});
      }
    }
  }
  return recipe_config(named.train.recipe, named.train.method);
}

}  // namespace resist
