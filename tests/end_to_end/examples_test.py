"""Every example that a command's help shows works as it stands, on tiny data under the names that it uses."""
import importlib.util
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import unittest

from command_help import examples_of_commands
from support import DEADLINE, RESIST, TestCase, run

# Training is cut short: that an example is right shows in its first round.
SHORT = "--rounds 1 --local-iterations 1 --batch-size 8 --calibrate-samples 40 --threads 1"
TINY_NETWORK = ["--depths", "1,1,5,1", "--width", "4", "--image-size", "32", "--batch-size", "8", "--local-iterations",
                "2", "--rounds", "5", "--checkpoint-every", "1", "--keep-checkpoints", "5", "--warmup-epochs", "0",
                "--calibrate-samples", "16", "--threads", "1"]
CONFIG = """data = "synthetic:64,1,8,8,2"
depths = [1, 1, 5, 1]
width = 4
batch-size = 8
epochs = 1
calibrate-samples = 16
threads = 1
"""
# What else is cut short: timing a network of full size takes minutes on a busy machine.
SMALL = {"--measure": " --depths 1,1,5,1 --width 4 --batch-size 4"}
# Other programs that examples use; without them an example is left out.
HELPERS = {"man -l": "man"}
# Commands that go on until they are told to end.
ENDLESS = ("resist serve", "resist rendezvous")


def write_idx(path, values, *shape):
    path.write_bytes(struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + bytes(values))


class Examples(TestCase):
    def setUp(self):
        super().setUp()
        self.environment = {"HOME": str(self.folder), "RESIST_DATA_DIR": str(self.folder / "known"), "MANPAGER": "cat",
                            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "resist").symlink_to(RESIST)
        for name in ("man1", ".zfunc", ".config/fish/completions", ".local/share/bash-completion/completions"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "my.toml").write_text(CONFIG)
        self.write_fashion_mnist()

    def write_fashion_mnist(self):
        folder = self.folder / "known" / "fashion-mnist"
        folder.mkdir(parents=True)
        chance = random.Random(1)
        for part, count in (("train", 120), ("t10k", 40)):
            write_idx(folder / f"{part}-images-idx3-ubyte", chance.randbytes(count * 28 * 28), count, 28, 28)
            write_idx(folder / f"{part}-labels-idx1-ubyte", [i % 10 for i in range(count)], count)

    def write_pictures(self):
        from PIL import Image
        chance = random.Random(2)

        def picture(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.frombytes("RGB", (48, 40), chance.randbytes(48 * 40 * 3)).save(path)

        for part, count in (("train", 12), ("val", 4)):
            for name in ("cat", "dog"):
                for number in range(count):
                    picture(self.folder / "imagenet" / part / name / f"{number}.jpg")
        shutil.copytree(self.folder / "imagenet" / "val", self.folder / "imagenetv2-matched-frequency")
        for name in ("cat.jpg", "dog.png"):
            picture(self.folder / name)

    def write_run(self):
        self.run_here("resist data pack imagenet val.resist")
        train = " ".join(["resist train --data imagenet --holdout 8 --run-dir runs/first", *TINY_NETWORK])
        self.run_here(train)
        self.run_here("resist export runs/first")

    def run_here(self, command):
        result = subprocess.run(["bash", "-c", "set -o pipefail; " + command], capture_output=True, text=True,
                                timeout=DEADLINE, cwd=self.folder, env={**os.environ, **self.environment})
        self.assertTrue(result.returncode == 0 or "was built without" in result.stderr,
                        f"exit code {result.returncode}: {command}\n{result.stdout}\n{result.stderr}")

    def start_and_end(self, command):
        """Runs it until it has said something, and ends it as Ctrl-C does."""
        process = subprocess.Popen(["bash", "-c", "exec " + command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, cwd=self.folder, env={**os.environ, **self.environment})
        self.addCleanup(process.kill)
        said = process.stdout.readline()
        if "can't listen" in said or "can't serve" in said:
            self.skipTest(said)  # the usual port is taken by something else
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=DEADLINE)
        self.assertIn(process.returncode, (0, 130), said + rest)

    def test_every_command_shows_one(self):
        for command, shown in examples_of_commands().items():
            start = " ".join(["resist", *command.split()])
            self.assertTrue(any(f"{line} ".startswith(f"{start} ") for line in shown), f"{start}: {shown}")

    @unittest.skipUnless(importlib.util.find_spec("PIL"), "Pillow is not installed (Debian's python3-pil)")
    def test_all_of_them_work(self):
        self.write_pictures()
        self.write_run()
        done = set()
        # Files that an example writes may be read by another one.
        shown = sorted((line for lines in examples_of_commands().values() for line in lines),
                       key=lambda line: (not line.startswith("resist data pack"), "--resume" in line))
        for line in shown:
            if line in done or any(text in line and not shutil.which(tool) for text, tool in HELPERS.items()):
                continue
            done.add(line)
            for folder in re.findall(r"(?<!-o )runs/[A-Za-z0-9-]+", line):
                if not line.startswith("resist train") and not (self.folder / folder).exists():
                    shutil.copytree(self.folder / "runs" / "first", self.folder / folder)
            smaller = "".join(options for flag, options in SMALL.items() if flag in line)
            fresh = line.startswith("resist train") and "--resume" not in line and "--config" not in line
            with self.subTest(line):
                if line.startswith(ENDLESS):
                    self.start_and_end(line)
                else:
                    self.run_here(f"{line} {SHORT}" if fresh else line + smaller)


if __name__ == "__main__":
    unittest.main()
