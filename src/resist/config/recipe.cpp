#include "resist/config/recipe.h"

#include "resist/config/enum_words.h"
#include "resist/config/option.h"

namespace resist {

const std::vector<Setting>& recipe_settings(Recipe recipe) {
  static const std::vector<Setting> paper;
  static const std::vector<Setting> best = {
      {.name = "schedule", .value = "cosine", .where = {}},
      {.name = "lr", .value = 0.05, .where = {}},
      {.name = "lr-warmup-epochs", .value = "auto", .where = {}},
      {.name = "label-smoothing", .value = 0.1, .where = {}},
      {.name = "momentum-sync", .value = "carry", .where = {}},
      {.name = "zero-init", .value = true, .where = {}},
  };
  return recipe == Recipe::paper ? paper : best;
}

Config recipe_config(Recipe recipe) {
  Config config;
  config.train.recipe = recipe;
  apply_settings(config, recipe_settings(recipe));
  return config;
}

Config starting_config(const std::vector<Setting>& file, const std::vector<Setting>& flags) {
  const Option& option = find_option("recipe");
  Config named;
  named.train.recipe = kUsualRecipe;
  for (const auto* layer : {&file, &flags}) {
    for (const Setting& setting : *layer) {
      if (setting.name == option.name) {
        apply_settings(named, {setting});
      }
    }
  }
  return recipe_config(named.train.recipe);
}

}  // namespace resist
