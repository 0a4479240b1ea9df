"""The commands that README shows work as they stand, and its figures are what the program prints."""
import os
import re
import shlex
import unittest
from pathlib import Path

from support import RESIST, TestCase, run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
# Training is cut short: that a command is right shows in its first round.
SHORT = ["--rounds", "1", "--local-iterations", "1", "--batch-size", "8", "--calibrate-samples", "250"]
FASHION = Path("/usr/share/datasets/fashion-mnist")


def commands():
    text = README.replace("\\\n", " ")
    for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if re.match(r"resist (train|evaluate|export|report|plan) ", line):
                yield shlex.split(line, comments=True)[1:]


class Readme(TestCase):
    def test_plan_prints_what_readme_shows(self):
        shown = README.split("<!-- plan-begin -->\n```\n")[1].split("```\n<!-- plan-end -->")[0]
        plan = next(words for words in commands() if words[0] == "plan")
        self.assertEqual(run([RESIST, *plan]).stdout, shown)

    @unittest.skipUnless(FASHION.exists() or "RESIST_DATA_DIR" in os.environ,
                         "Fashion-MNIST is not installed (Debian's dataset-fashion-mnist)")
    def test_the_commands_work_in_the_order_shown(self):
        shown = [words for words in commands() if words[0] != "plan"]
        self.assertEqual([words[0] for words in shown], ["train", "evaluate", "train", "export", "report"])
        for words in shown:
            fresh = words[0] == "train" and "--resume" not in words
            run([RESIST, *words, *(SHORT if fresh else [])] if "--resume" not in words
                else [RESIST, *words[:-2], "--rounds", "2"], cwd=self.folder)

    def test_links_lead_to_files(self):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
            self.assertTrue((ROOT / target).exists(), target)


if __name__ == "__main__":
    unittest.main()
