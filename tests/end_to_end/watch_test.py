"""`resist watch` in a terminal: it follows a run, ends when told to, and leaves the terminal as it was."""
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
import unittest

from support import DEADLINE, RESIST, TestCase, run, train_command

UTF8 = {"LC_ALL": "C.UTF-8", "TERM": "xterm"}


class Terminal:
    """`resist watch` in a pseudo-terminal, and the screen that it has drawn."""

    def __init__(self, run_dir, columns=80, rows=24, env=UTF8):
        self.own, there = pty.openpty()
        self.resize(columns, rows)
        self.settings = termios.tcgetattr(self.own)
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.process = subprocess.Popen([RESIST, "watch", run_dir], stdin=there, stdout=there, stderr=there,
                                        env={**environment, **env}, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(there)
        os.set_blocking(self.own, False)
        self.output = ""
        self.screen = {}

    def resize(self, columns, rows):
        fcntl.ioctl(self.own, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.own, keys.encode())

    def read(self):
        try:
            self.output += os.read(self.own, 1 << 20).decode(errors="replace")
        except OSError:  # nothing there, or the program has ended
            pass

    def text(self):
        """The lines on the screen, without colour."""
        screen = {}
        shown = self.output.split("\x1b[?1049l")[0].split("\x1b[2J")[-1]
        for row, line in re.findall(r"\x1b\[(\d+);1H(.*?)\x1b\[K", shown, re.DOTALL):
            screen[int(row)] = re.sub(r"\x1b\[[0-9;]*m", "", line)
        return "\n".join(screen.get(row, "") for row in range(1, max(screen, default=0) + 1))

    def wait_for(self, pattern):
        end = time.monotonic() + DEADLINE
        while not re.search(pattern, self.text()):
            if time.monotonic() > end:
                raise AssertionError(f"'{pattern}' did not come: {self.output!r}")
            time.sleep(0.02)
            self.read()
        return self.text()

    def end(self):
        """Waits for the end; returns the exit code."""
        code = self.process.wait(DEADLINE)
        self.read()
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.own)


class Watch(TestCase):
    def watched(self, *arguments, **options):
        terminal = Terminal(*arguments, **options)
        self.addCleanup(terminal.close)
        return terminal

    def check_restored(self, terminal):
        self.assertEqual(terminal.output.count("\x1b[?1049h"), terminal.output.count("\x1b[?1049l"))
        self.assertGreater(terminal.output.rindex("\x1b[?25h"), terminal.output.rindex("\x1b[?25l"))
        self.assertEqual(termios.tcgetattr(terminal.own), terminal.settings)

    def test_it_follows_a_run_to_its_end(self):
        run_dir = self.folder / "run"
        process = self.started(run_dir, "--workers", 2, "--eval-every", 2)
        terminal = self.watched(run_dir)
        screen = terminal.wait_for(r"round [3-9]\d* of 100000(.|\n)*accuracy \d+\.\d\d %")
        self.assertIn("running", screen.splitlines()[0])
        self.assertIn("resist, 2 workers, preact-small on synthetic", screen)
        self.assertRegex(screen, r"\n     1 [█░▓]+ +\d")
        self.assertRegex(screen, "[\u2801-\u28ff]")  # a curve
        terminal.resize(50, 16)
        terminal.wait_for(r"^(.{0,50}\n){2,15}.{0,50}$")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)
        terminal.wait_for("interrupted\n")
        run([RESIST, "train", "--resume", run_dir, "--rounds", rounds_of(run_dir) + 2])
        terminal.wait_for("ended\n")
        terminal.type("q")
        self.assertEqual(terminal.end(), 0)
        self.check_restored(terminal)
        self.assertIn(": ended\r\n", terminal.output.split("\x1b[?1049l")[1])  # the last state stays in sight

    def test_it_ends_on_signals_and_restores_the_terminal(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", 1, "--run-dir", run_dir))
        for end in (lambda terminal: terminal.type("\x03"), lambda terminal: terminal.type("\x04"),
                    lambda terminal: terminal.process.send_signal(signal.SIGTERM)):
            terminal = self.watched(run_dir)
            terminal.wait_for("ended\n")
            end(terminal)
            self.assertEqual(terminal.end(), 0)
            self.check_restored(terminal)

    def test_it_can_be_stopped_and_go_on(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", 1, "--run-dir", run_dir))
        terminal = self.watched(run_dir)
        terminal.wait_for("ended\n")
        terminal.process.send_signal(signal.SIGTSTP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        terminal.read()
        self.check_restored(terminal)
        terminal.output = ""
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for("ended\n")
        terminal.type("q")
        self.assertEqual(terminal.end(), 0)

    def test_colour_and_characters_are_the_environments_to_say(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", 2, "--run-dir", run_dir))
        colour = re.compile(r"\x1b\[3[1-6]m")
        for env, coloured, unicode in ((UTF8, True, True), ({**UTF8, "NO_COLOR": "1"}, False, True),
                                       ({"LC_ALL": "C", "TERM": "xterm"}, True, False)):
            terminal = self.watched(run_dir, env=env)
            terminal.wait_for("ended\n(.|\n)*q ends")
            terminal.type("q")
            terminal.end()
            self.assertEqual(bool(colour.search(terminal.output)), coloured)
            self.assertEqual(not terminal.output.isascii(), unicode)

    def test_without_a_terminal_it_prints_a_summary(self):
        run_dir = self.folder / "run"
        run(train_command("--workers", 2, "--run-dir", run_dir))
        for arguments, env in (([], {}), (["--once"], {"NO_COLOR": "1"})):
            summary = run([RESIST, "watch", run_dir, *arguments], env=env).stdout
            self.assertEqual(summary.splitlines()[0], f"{run_dir}: ended")
            self.assertIn("\nresist, 2 workers, preact-small on synthetic", summary)
            self.assertIn("round 4 of 4", summary)
            self.assertIn("slowest: ", summary)
            self.assertTrue(summary.isascii())
            self.assertNotIn("\x1b", summary)

    def test_what_is_no_run_is_refused(self):
        self.assertIn("is not the folder of a run", self.one_line(run([RESIST, "watch", self.folder], check=2)))
        self.assertIn("needs the folder of a run", self.one_line(run([RESIST, "watch"], check=2)))


def rounds_of(run_dir):
    return len((run_dir / "metrics.jsonl").read_text().splitlines())


if __name__ == "__main__":
    unittest.main()
