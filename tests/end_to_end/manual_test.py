"""The pages of `resist man`: sound roff, one for each command, and nothing left out."""
import shutil
import subprocess
import unittest

from command_help import flags_of_commands
from support import RESIST, TestCase, run


def pages_in(folder):
    run([RESIST, "man", "--write", folder])
    return sorted(folder.glob("*.1"))


class Manual(TestCase):
    def test_every_command_has_a_page_with_all_its_flags(self):
        flags = flags_of_commands()
        names = {"-".join(["resist", *command.split()]): command for command in flags}
        self.assertEqual({page.stem for page in pages_in(self.folder)}, set(names))
        for name, command in names.items():
            text = (self.folder / f"{name}.1").read_text().replace("\\-", "-")
            for flag in flags[command]:
                self.assertIn(f"\\fB{flag}\\fR", text, name)
            self.assertIn(".SH EXAMPLES\n", text, name)
        self.assertEqual((self.folder / "resist-data-pack.1").read_text(),
                         run([RESIST, "man", "data", "pack"]).stdout)

    @unittest.skipUnless(shutil.which("man") and shutil.which("groff"), "man and groff are not installed")
    def test_groff_has_nothing_to_complain_about(self):
        for page in pages_in(self.folder):
            result = run(["man", "--warnings", "-l", page], env={"MANPAGER": "cat", "MANWIDTH": "80"})
            self.assertEqual(result.stderr, "", page.name)
            self.assertIn("SYNOPSIS", result.stdout)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_has_nothing_to_complain_about(self):
        for page in pages_in(self.folder):
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
            # There is no date, so that the same source always gives the same page.
            complaints = [line for line in lint.stdout.splitlines() if "missing date" not in line]
            self.assertEqual(complaints, [], page.name)

    def test_what_is_no_command_is_refused(self):
        self.assertIn("did you mean 'train'?", self.one_line(run([RESIST, "man", "trian"], check=2)))
        self.assertIn("did you mean 'pack'?", self.one_line(run([RESIST, "man", "data", "pakc"], check=2)))


if __name__ == "__main__":
    unittest.main()
