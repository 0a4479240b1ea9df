#include "resist/cli/command_tree.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "resist/cli/command_line.h"
#include "resist/cli/completion.h"
#include "resist/cli/manual.h"
#include "resist/config/option.h"
#include "support/input_error.h"

namespace resist {
namespace {

using Words = std::vector<std::string>;

// A program with a command of every kind of argument and one below another.
class CommandTreeTest : public ::testing::Test {
 protected:
  CommandTreeTest() {
    brew_.add_own("RUN", "", "a folder's name", "Positionals");
    brew_.add_rest("PICTURE", "files");
    brew_.add(find_option("method"));
    brew_.add(find_option("flip"));
    brew_.add(find_option("eval"));
    brew_.add(find_option("data"));
    brew_.add_own("-o,--output", "FILE", "where 'it' goes: [here]", "Output");
    brew_.add_own("--checkpoint", "last|best|ROUND", "which", "Output");
    brew_.add_own_switch("--quietly", "no words", "Output");
    brew_.add_examples({"tea brew runs/a b.png", "tea brew \\x"});
    tree_ = command_tree(app_);
  }
  const CommandNode& brew() const { return tree_.commands.at(0); }
  const CommandArgument& argument(const std::string& name) const {
    const auto& all = brew().arguments;
    const auto found = std::find_if(all.begin(), all.end(), [&](const CommandArgument& one) {
      return one.name == name || (!one.flags.empty() && one.flags.front() == name);
    });
    EXPECT_NE(found, all.end()) << name;
    return *found;
  }

  CommandNode tree_;

 private:
  CLI::App app_{"Make tea.", "tea"};
  CommandLine brew_{app_, "brew", "Brew it, don't boil it"};
  CLI::App* set_ = app_.add_subcommand("set", "Things of the set");
  CommandLine info_{*set_, "set info", "Say what is there"};
};

TEST_F(CommandTreeTest, HasCommandsByTheWordsThatChooseThem) {
  std::vector<Words> words;
  for_each_command(tree_, [&](const CommandNode& node) { words.push_back(node.words); });
  EXPECT_EQ(words, (std::vector<Words>{{"tea"}, {"tea", "brew"}, {"tea", "set"}, {"tea", "set", "info"}}));
  EXPECT_EQ(joined_words(tree_.commands[1].commands[0], "-"), "tea-set-info");
  EXPECT_EQ(joined_words(tree_.commands[1].commands[0], " ", 1), "set info");
  EXPECT_EQ(brew().help, "Brew it, don't boil it");
  EXPECT_EQ(brew().examples, (Words{"tea brew runs/a b.png", "tea brew \\x"}));
}

TEST_F(CommandTreeTest, KnowsWhatAValueMayBe) {
  EXPECT_EQ(argument("--method").words, (Words{"resist", "local-sgd", "data-parallel"}));
  EXPECT_FALSE(argument("--method").is_switch());
  EXPECT_EQ(argument("--flip").words, (Words{"true", "false", "auto"}));
  EXPECT_TRUE(argument("--flip").is_switch());
  EXPECT_EQ(argument("--quietly").words, (Words{"true", "false"}));
  EXPECT_EQ(argument("--checkpoint").words, (Words{"last", "best"}));
  EXPECT_EQ(argument("--output").flags, (Words{"--output", "-o"}));
  EXPECT_TRUE(argument("--output").files);
  EXPECT_FALSE(argument("--output").folders);
  EXPECT_TRUE(argument("--eval").named_path);
  EXPECT_TRUE(argument("--eval").repeatable);
  EXPECT_FALSE(argument("--method").repeatable);
  EXPECT_TRUE(argument("--data").files);
  EXPECT_NE(std::find(argument("--data").words.begin(), argument("--data").words.end(), "fashion-mnist"),
            argument("--data").words.end());
  EXPECT_TRUE(argument("--help").is_switch());
  EXPECT_TRUE(argument("--help").words.empty());
}

TEST_F(CommandTreeTest, KnowsPositionalArguments) {
  const auto positionals = brew().positionals();
  ASSERT_EQ(positionals.size(), 2U);
  EXPECT_EQ(positionals[0]->name, "RUN");
  EXPECT_TRUE(positionals[0]->folders);
  EXPECT_FALSE(positionals[0]->repeatable);
  EXPECT_EQ(positionals[1]->name, "PICTURE");
  EXPECT_TRUE(positionals[1]->repeatable);
}

// That the shells understand them is for tests/end_to_end/completion_test.py.
TEST_F(CommandTreeTest, CompletionsHaveEveryFlagAndWordAndQuoteWhatTheyMust) {
  const std::string bash = completion_script(tree_, Shell::bash);
  EXPECT_TRUE(contains(bash, "    'brew --method') list='resist local-sgd data-parallel' kind= ;;"));
  EXPECT_TRUE(contains(bash, "    'brew --output' | 'brew -o') list='' kind=files ;;"));
  EXPECT_TRUE(contains(bash, "    'brew '[0-9]*) list='' kind=files ;;"));
  const std::string zsh = completion_script(tree_, Shell::zsh);
  EXPECT_TRUE(contains(zsh, "'(--output -o)--output=[where '\\''it'\\'' goes\\: \\[here\\]]:FILE:_files'"));
  EXPECT_TRUE(contains(zsh, "'--checkpoint=[which]:last|best|ROUND:(last best)'"));
  EXPECT_TRUE(contains(zsh, "'*--eval="));
  const std::string fish = completion_script(tree_, Shell::fish);
  EXPECT_TRUE(contains(fish, "-a brew -d 'Brew it, don\\'t boil it'"));
  EXPECT_TRUE(contains(fish, "-l output -s o -r -F -d 'where \\'it\\' goes: [here]'"));
}

TEST_F(CommandTreeTest, ManualPagesEscapeWhatRoffWouldRead) {
  const ManualPage page = manual_page(tree_, brew(), "tea 1.0");
  EXPECT_EQ(page.name, "tea-brew.1");
  EXPECT_TRUE(contains(page.text, ".TH TEA\\-BREW 1 \"\" \"tea 1.0\""));
  EXPECT_TRUE(contains(page.text, "\\fBtea brew\\fR [\\fIOPTIONS\\fR] \\fIRUN\\fR \\fIPICTURE\\fR ...\n"));
  EXPECT_TRUE(contains(page.text, ".SS Output\n.TP\n\\fB\\-\\-output\\fR, \\fB\\-o\\fR \\fIFILE\\fR\n"));
  EXPECT_TRUE(contains(page.text, "\\fB\\-\\-checkpoint\\fR \\fBlast\\fR|\\fBbest\\fR|\\fIROUND\\fR\n"));
  EXPECT_TRUE(contains(page.text, "tea brew \\ex\n"));
  EXPECT_TRUE(contains(page.text, ".SH SEE ALSO\n\\fBtea\\fR(1),\n\\fBtea\\-set\\fR(1)\n"));
  EXPECT_EQ(manual_pages(tree_, "tea 1.0").size(), 4U);
}

TEST_F(CommandTreeTest, CommandsAreFoundByTheirWords) {
  EXPECT_EQ(&find_command(tree_, {}), &tree_);
  EXPECT_EQ(find_command(tree_, {"set", "info"}).help, "Say what is there");
  EXPECT_EQ(input_error([&] { find_command(tree_, {"brwe"}); }), "unknown command 'brwe'; did you mean 'brew'?");
  EXPECT_TRUE(contains(input_error([&] { find_command(tree_, {"brew", "xyzzy"}); }), "unknown command 'xyzzy'"));
}

}  // namespace
}  // namespace resist
