"""The scripts of `resist completion` at work in the shells themselves; a shell that is not installed is skipped."""
import os
import pty
import re
import shutil
import subprocess
import time
import unittest

from command_help import flags_of_commands
from support import DEADLINE, RESIST, TestCase, run

# What is typed, and what stands there after the tab key. A blank or '=' that follows is the shell's business.
CASES = {
    "resist tra": "resist train",
    "resist data ver": "resist data verify",
    "resist --vers": "resist --version",
    "resist train --local-it": "resist train --local-iterations",
    "resist train --method loc": "resist train --method local-sgd",
    "resist train --method=loc": "resist train --method=local-sgd",
    "resist train --flip=f": "resist train --flip=false",
    "resist train --lr 0.1 --flip --compress int6 --sched": "resist train --lr 0.1 --flip --compress int6 --schedule",
    "resist train --data fash": "resist train --data fashion-mnist",
    "resist train --data tiny": "resist train --data tiny.resist",
    "resist train --config cifar100": "resist train --config cifar100-paper",
    "resist train --config my": "resist train --config my.toml",
    "resist plan --model preact-bottleneck10": "resist plan --model preact-bottleneck101",
    "resist evaluate run": "resist evaluate runs/",
    "resist evaluate runs/fi": "resist evaluate runs/first/",
    "resist evaluate runs/first --checkpoint be": "resist evaluate runs/first --checkpoint best",
    "resist evaluate runs/first --eval old=ti": "resist evaluate runs/first --eval old=tiny.resist",
    "resist export runs/first -o mod": "resist export runs/first -o model.safetensors",
    "resist export runs/first --format o": "resist export runs/first --format onnx",
    "resist predict model.safetensors one.jpg two": "resist predict model.safetensors one.jpg two.png",
    "resist data info --format j": "resist data info --format json",
    "resist data pack runs ti": "resist data pack runs tiny.resist",
    "resist completion f": "resist completion fish",
    "resist man calib": "resist man calibrate",
}


class Shell:
    """An interactive shell in a terminal of its own; `start` defines what shows the line when ctrl-t is pressed."""

    def __init__(self, command, start, folder):
        self.out = folder / "typed"
        self.out.write_text("")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, {**os.environ, "TERM": "dumb", "PS1": "", "OUT": str(self.out)})
        os.set_blocking(self.terminal, False)
        self.answers = 0
        # Whatever the shell still had to do at its start is done when it answers.
        self.ask(start + "\necho ready >> $OUT\n")

    def ask(self, keys):
        """Sends keys that make the shell write one line into the file; returns it."""
        os.write(self.terminal, keys.encode())
        end = time.monotonic() + DEADLINE
        screen = b""
        while True:
            try:
                screen += os.read(self.terminal, 65536)
            except (BlockingIOError, OSError):
                pass
            lines = self.out.read_text().splitlines()
            if len(lines) > self.answers:
                self.answers += 1
                return lines[self.answers - 1]
            if time.monotonic() > end:
                raise AssertionError(f"no answer to {keys!r}: {screen.decode(errors='replace')}")
            time.sleep(0.01)

    def completed(self, line):
        return self.ask(line + "\t\x14")

    def close(self):
        os.close(self.terminal)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


class Completion(TestCase):
    maxDiff = None

    def setUp(self):
        super().setUp()
        (self.folder / "runs" / "first").mkdir(parents=True)
        for name in ("tiny.resist", "model.safetensors", "one.jpg", "two.png", "my.toml"):
            (self.folder / name).write_text("")

    def script(self, shell):
        path = self.folder / f"script.{shell}"
        path.write_text(run([RESIST, "completion", shell]).stdout)
        return path

    def in_terminal(self, command, start):
        shell = Shell(command, start, self.folder)
        self.addCleanup(shell.close)
        typed = {line: shell.completed(line).rstrip(" =") for line in CASES}
        self.assertEqual(typed, CASES)

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_bash_completes(self):
        self.in_terminal(["bash", "--norc", "--noprofile", "-i"], f"""
            bind 'set enable-bracketed-paste off'; bind 'set completion-query-items 0'; bind 'set page-completions off'
            _typed() {{ printf '%s\\n' "$READLINE_LINE" >> $OUT; READLINE_LINE=; READLINE_POINT=0; }}
            bind -x '"\\C-t": _typed'
            source {self.script('bash')}""")

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_bash_offers_every_flag(self):
        script = self.script("bash")
        for command, flags in flags_of_commands().items():
            words = ["resist", *command.split(), "--"]
            offered = run(["bash", "-c", f"source {script}; COMP_WORDS=({' '.join(words)}); "
                                         f"COMP_CWORD={len(words) - 1}; _resist; echo ${{COMPREPLY[@]}}"]).stdout
            self.assertEqual(set(offered.split()), flags, command)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_completes(self):
        self.in_terminal(["zsh", "-f", "-i"], f"""
            autoload -Uz compinit; compinit -u -D; LISTMAX=10000; unsetopt beep prompt_cr prompt_sp
            _typed() {{ print -r -- "$BUFFER" >> $OUT; BUFFER=; }}
            zle -N _typed; bindkey '^T' _typed
            source {self.script('zsh')}""")

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_loads_it_from_fpath_too(self):
        functions = self.folder / "functions"
        functions.mkdir()
        (functions / "_resist").write_text(self.script("zsh").read_text())
        shell = Shell(["zsh", "-f", "-i"], f"""
            fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D; unsetopt beep prompt_cr prompt_sp
            _typed() {{ print -r -- "$BUFFER" >> $OUT; BUFFER=; }}
            zle -N _typed; bindkey '^T' _typed""", self.folder)
        self.addCleanup(shell.close)
        for _ in range(2):  # the first use defines, the second one finds it defined
            self.assertEqual(shell.completed("resist train --method loc").rstrip(), "resist train --method local-sgd")

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_knows_every_flag(self):
        script = self.script("zsh").read_text()
        for command, flags in flags_of_commands().items():
            function = script.split("_".join(["_resist", *command.split()]) + "() {\n")[1].split("\n}\n")[0]
            specs = re.findall(r"^    '[^\[]*?\)?\*?(--[a-z0-9-]+)(?:=-?)?\[", function, re.MULTILINE)
            self.assertEqual(set(specs), flags)

    def offered_by_fish(self, lines):
        answer = run(["fish", "--no-config", "-c", f"source {self.script('fish')}\n"
                      "for line in $argv; complete -C $line; echo ==; end", *lines], cwd=self.folder,
                     env={"HOME": str(self.folder)}).stdout
        offers = [[offer.split("\t")[0] for offer in part.splitlines()] for part in answer.split("==\n")]
        return dict(zip(lines, offers))

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes(self):
        offered = self.offered_by_fish(CASES)
        for line, expected in CASES.items():
            # Where one fits exactly, fish says others that are near too.
            fitting = [offer for offer in offered[line] if offer.startswith(line.split(" ")[-1])]
            self.assertEqual(fitting, [expected.split(" ")[-1]], line)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_offers_every_flag(self):
        lines = {" ".join(["resist", *command.split(), "--"]): flags
                 for command, flags in flags_of_commands().items()}
        for line, offered in self.offered_by_fish(lines).items():
            self.assertEqual({offer.rstrip("=") for offer in offered}, lines[line], line)

    def test_another_shell_is_refused(self):
        self.assertIn("bash, zsh or fish", self.one_line(run([RESIST, "completion", "tcsh"], check=2)))


if __name__ == "__main__":
    unittest.main()
