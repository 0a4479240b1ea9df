"""A run's TensorBoard event files, read by TensorBoard's own package; what can go wrong with them ends no training."""
import os
import shutil
import signal
import time
import unittest
from pathlib import Path

from support import DEADLINE, RESIST, TestCase, metrics, run, train_command

LOAD_EVENTS = Path(__file__).resolve().parents[1] / "tensorboard" / "load_events.py"
PYTHON_WITH_TENSORBOARD = os.environ.get("RESIST_TENSORBOARD_PYTHON", "")
NO_PYTHON = "no Python with tensorboard: RESIST_TENSORBOARD_PYTHON is not set"


def event_files(run_dir):
    return sorted(path.name for path in (run_dir / "tensorboard").iterdir())


class Tensorboard(TestCase):
    def setUp(self):
        super().setUp()
        self.run_dir = self.folder / "run"

    def compare(self, *first_rounds):
        run([PYTHON_WITH_TENSORBOARD, LOAD_EVENTS, self.run_dir, *first_rounds])

    def write_pictures(self):
        """A further test set of the small job's four classes, named by their numbers."""
        from PIL import Image
        for label in range(4):
            (self.folder / "pictures" / str(label)).mkdir(parents=True)
            Image.new("L", (8, 8), 60 * label).save(self.folder / "pictures" / str(label) / "0.png")
        return self.folder / "pictures"

    @unittest.skipUnless(PYTHON_WITH_TENSORBOARD, NO_PYTHON)
    def test_they_say_what_the_other_files_say_also_after_resuming(self):
        run(train_command("--workers", 3, "--rounds", 6, "--eval-every", 3, "--eval", f"other={self.write_pictures()}",
                          "--checkpoint-every", 2, "--keep-checkpoints", 9, "--min-blocks", 1, "--run-dir",
                          self.run_dir))
        self.compare()
        # As if it had been killed in round 6, while an event was being written.
        for checkpoint in (self.run_dir / "checkpoints").iterdir():
            if int(checkpoint.name.split("-")[1]) > 4:
                shutil.rmtree(checkpoint)
        with (self.run_dir / "tensorboard" / event_files(self.run_dir)[0]).open("ab") as file:
            file.write(b"torn")
        run([RESIST, "train", "--resume", self.run_dir, "--rounds", 7, "--eval-every", 0])
        self.assertEqual(len(event_files(self.run_dir)), 2)
        self.assertEqual([record["round"] for record in metrics(self.run_dir) if "accuracy" in record], [3, 7])
        self.compare(1, 5)

    @unittest.skipUnless(PYTHON_WITH_TENSORBOARD, NO_PYTHON)
    def test_a_run_without_evaluations_in_between_on_one_worker(self):
        run(train_command("--method", "local-sgd", "--run-dir", self.run_dir))
        self.compare()

    def test_none_are_written_where_nobody_wants_them(self):
        run(train_command("--rounds", 2, "--tensorboard=false", "--run-dir", self.folder / "without"))
        self.assertFalse((self.folder / "without" / "tensorboard").exists())
        run(train_command("--checkpoint-every", 2, "--tensorboard", "--run-dir", self.run_dir))
        (file,) = (self.run_dir / "tensorboard").iterdir()
        size = file.stat().st_size
        # What was written of rounds that are void is cut off all the same.
        shutil.rmtree(self.run_dir / "checkpoints" / "round-000004")
        run([RESIST, "train", "--resume", self.run_dir, "--tensorboard=false"])
        self.assertEqual(len(metrics(self.run_dir)), 4)
        self.assertEqual(event_files(self.run_dir), [file.name])
        self.assertLess(file.stat().st_size, size)

    def test_a_folder_that_vanishes_ends_no_training(self):
        process = self.started(self.run_dir)
        shutil.rmtree(self.run_dir / "tensorboard")
        rounds = len(metrics(self.run_dir))
        end = time.monotonic() + DEADLINE
        while len(metrics(self.run_dir)) < rounds + 3:
            self.assertLess(time.monotonic(), end)
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 75)
        self.assertEqual(errors.count("no more is written for TensorBoard"), 1, errors)


if __name__ == "__main__":
    unittest.main()
