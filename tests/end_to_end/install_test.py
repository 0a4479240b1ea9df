"""What `cmake --install` leaves: the program with its pages and completions, and the library, which examples/ builds
against."""
import os
import re
import unittest
from pathlib import Path

from support import TestCase, run

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ["RESIST_BUILD"]


class Install(TestCase):
    def setUp(self):
        super().setUp()
        self.prefix = self.folder / "installed"
        run(["cmake", "--install", BUILD, "--prefix", self.prefix])

    def test_the_program_comes_with_pages_and_completions(self):
        self.assertRegex(run([self.prefix / "bin/resist", "--version"]).stdout, r"^resist \d+\.\d+\.\d+")
        share = self.prefix / "share"
        for page in ("resist.1", "resist-train.1", "resist-data-pack.1"):
            self.assertIn(".SH EXAMPLES", (share / "man/man1" / page).read_text())
        for script in ("bash-completion/completions/resist", "zsh/site-functions/_resist",
                       "fish/vendor_completions.d/resist.fish"):
            self.assertIn("local-iterations", (share / script).read_text())

    def test_the_example_builds_against_the_installed_library_and_learns(self):
        example = ROOT / "examples/own_block"
        self.assertLess(len((example / "main.cpp").read_text().splitlines()), 100)
        build = self.folder / "build"
        run(["cmake", "-S", example, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
             f"-DCMAKE_PREFIX_PATH={self.prefix}"])
        run(["cmake", "--build", build])
        printed = run([build / "own_block"]).stdout
        accuracies = [float(number) for number in re.findall(r"test accuracy (\S+)", printed)]
        self.assertGreaterEqual(len(accuracies), 3, printed)
        self.assertGreater(accuracies[-1], 0.95, printed)

    def test_headers_do_not_need_the_source_tree(self):
        for config in (self.prefix / "lib").rglob("*.cmake"):
            self.assertNotIn(str(ROOT), config.read_text(), config.name)


if __name__ == "__main__":
    unittest.main()
