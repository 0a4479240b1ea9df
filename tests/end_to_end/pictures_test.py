"""Pictures in class folders and packed files as several workers meet them: further test sets, a damaged picture."""
import os
import unittest
from unittest import mock

from support import RESIST, TestCase, evaluation, metrics, run, train_command, write_class_folders


class PicturesTest(TestCase):
    def setUp(self):
        super().setUp()
        cache = mock.patch.dict(os.environ, XDG_CACHE_HOME=str(self.folder / "cache"))
        cache.start()
        self.addCleanup(cache.stop)
        self.run_dir = self.folder / "run"


class FurtherTestSets(PicturesTest):
    KEYS = ("samples", "accuracy", "top5_accuracy", "test_loss")

    def pack(self, folder):
        packed = folder.with_suffix(".resist")
        run([RESIST, "data", "pack", folder, packed])
        return packed

    def test_several_workers_find_what_one_process_finds(self):
        pair = write_class_folders(self.folder / "pair", (0, 1, 0, 1))
        parts = self.folder / "parts"
        write_class_folders(parts / "train", (2, 2, 2, 2))
        write_class_folders(parts / "test", (1, 3, 2, 1))
        odd = write_class_folders(self.folder / "odd", (5, 4, 4, 6))
        sets = {"pair": pair, "pair-packed": self.pack(pair), "odd": odd, "parts": parts,
                "parts-packed": self.pack(parts)}
        named = [word for name, path in sets.items() for word in ("--eval", f"{name}={path}")]
        run(train_command("--workers", 3, "--rounds", 1, "--eval-batch-size", 4, *named, "--run-dir", self.run_dir))

        rows = evaluation(self.run_dir)["sets"]
        self.assertEqual([row["set"] for row in rows if row["norms"] == "batch"], ["test", *sets])
        alone = {row["set"]: row for row in rows if row["norms"] == "batch"}
        self.assertEqual([alone[name]["samples"] for name in alone], [80, 2, 2, 19, 7, 7])
        last = metrics(self.run_dir)[-1]
        for key in self.KEYS:
            for name in sets:
                self.assertEqual(last["further"][name][key], alone[name][key], f"{key} of {name}")
            for name in ("pair", "parts"):  # the packed pictures are the folder's
                self.assertEqual(alone[f"{name}-packed"][key], alone[name][key], f"{key} of {name}")
        for key in self.KEYS[1:]:
            self.assertEqual(last[key], alone["test"][key], key)
        self.assertEqual(len({alone[name]["test_loss"] for name in ("test", "pair", "odd", "parts")}), 4)


class DamagedPictures(PicturesTest):
    def train(self, data, *extra, check):
        return run(train_command("--data", data, "--workers", 2, "--rounds", 2, "--eval-batch-size", 6, *extra,
                                 "--run-dir", self.run_dir), check=check)

    def test_one_ends_the_run_unless_it_may_be_left_out(self):
        # A training picture is met before anything is started, a test picture by one of the workers.
        for damaged, sound_in_test in (("train/1/3.png", 20), ("test/2/4.png", 19)):
            with self.subTest(damaged=damaged):
                data = self.folder / damaged.split("/")[0]
                self.run_dir = data / "run"
                write_class_folders(data / "train", (10, 10, 10, 10))
                write_class_folders(data / "test", (5, 5, 5, 5))
                picture = data / damaged
                picture.write_bytes(picture.read_bytes()[:70])  # its header is whole
                answer = self.train(data, check=2)
                lines = [line for line in answer.stderr.splitlines() if str(picture) in line]
                self.assertEqual(len(lines), 1, answer.stderr)
                self.assertIn("--skip-corrupt N", lines[0])
                # What has been trained when a test picture shows its damage is kept.
                self.assertEqual((self.run_dir / "checkpoints" / "round-000002").exists(), damaged.startswith("test"))

                self.run_dir = data / "lenient"
                answer = self.train(data, "--skip-corrupt", 1, check=0)
                self.assertIn(str(picture), answer.stderr)
                self.assertEqual(metrics(self.run_dir)[-1]["round"], 2)
                self.assertEqual(evaluation(self.run_dir)["samples"], sound_in_test)


class OtherData(PicturesTest):
    """A run knows its data."""

    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        write_class_folders(self.data / "train", (10, 10, 10, 10))
        write_class_folders(self.data / "test", (5, 5, 5, 5))
        run(train_command("--data", self.data, "--workers", 1, "--rounds", 1, "--run-dir", self.run_dir))

    def test_another_set_is_normalised_as_the_runs(self):
        other = self.folder / "other"
        write_class_folders(other / "train", (1, 2, 1, 1))
        (other / "test").symlink_to(self.data / "test")
        expected = evaluation(self.run_dir)
        self.assertEqual(evaluation(self.run_dir, "--data", other)["test_loss"], expected["test_loss"])

    def test_other_classes_are_refused(self):
        for folder in sorted(self.data.glob("*/1")):
            folder.rename(folder.with_name("one"))
        answer = run([RESIST, "evaluate", self.run_dir], check=2)
        self.assertIn("other classes than the run", answer.stderr)

    def test_a_run_goes_on_with_its_own_data_only(self):
        moved = self.folder / "moved"
        self.data.rename(moved)
        run([RESIST, "train", "--resume", self.run_dir, "--data", moved, "--rounds", "2"])
        next((moved / "train" / "2").iterdir()).unlink()
        answer = run([RESIST, "train", "--resume", self.run_dir, "--rounds", "3"], check=2)
        self.assertIn("39 training samples, but the run", answer.stderr)


if __name__ == "__main__":
    unittest.main()
