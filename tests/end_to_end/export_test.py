"""Which round an exported network and an evaluation with running statistics are of, also after the run went on, and
that of a mean of rounds."""
import json
import shutil
import signal
import struct
import unittest

from support import DEADLINE, RESIST, TestCase, checkpoint, evaluation, metrics, run, safetensors, train_command


def floats(tensor):
    return struct.unpack(f"<{len(tensor) // 4}f", tensor)


def as_float(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


class Export(TestCase):
    def setUp(self):
        super().setUp()
        self.run_dir = self.folder / "run"
        run(train_command("--workers", 2, "--in-process", "--rounds", 2, "--checkpoint-every", 1,
                          "--keep-checkpoints", 3, "--calibrate-samples", 64, "--run-dir", self.run_dir))

    def resume(self, *options):
        run([RESIST, "train", "--resume", self.run_dir, *options])

    def exported(self, which, round_number):
        """The tensors of that checkpoint's export; they are that round's."""
        file = self.folder / f"{which}.safetensors"
        answer = run([RESIST, "export", self.run_dir, "--checkpoint", which, "-o", file])
        self.assertIn(f"round {round_number},", answer.stdout)
        model = safetensors(file)
        folder = self.run_dir / "checkpoints" / f"round-{round_number:06}"
        calibration = self.run_dir / "calibration" / f"round-{round_number:06}.safetensors"
        for part in (folder / "shared.safetensors", folder / "blocks.safetensors", calibration):
            for name, values in safetensors(part).items():
                if part.stem == "blocks" and name.endswith("conv2.weight"):
                    self.assertIn(name, model)  # it has the residual scale folded in
                else:
                    self.assertEqual(model[name], values, f"{name} of {part}")
        return model

    def refused(self, which, *words):
        answer = run([RESIST, "export", self.run_dir, "--checkpoint", which], check=2)
        for word in words:
            self.assertIn(word, answer.stderr)
        self.assertFalse((self.run_dir / "model.safetensors").exists())

    def norms(self, round_number):
        """The kinds of statistics that an evaluation of the last checkpoint, which is that round's, has."""
        answer = evaluation(self.run_dir)
        self.assertEqual(answer["round"], round_number)
        return {row["norms"]: row["test_loss"] for row in answer["sets"]}

    def test_every_checkpoint_is_exported_with_its_own_values(self):
        # Stopped, so the last round was neither evaluated nor calibrated: the best is the one before it.
        process = self.past_round(2, self.run_dir, [RESIST, "train", "--resume", self.run_dir, "--rounds", 100000,
                                                    "--checkpoint-every", 0])
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 75, err)
        last, _ = checkpoint(self.run_dir)
        self.assertGreater(last, 2)
        self.assertEqual(set(self.norms(last)), {"batch"})
        self.refused("last", f"round {last} has no running statistics", f"resist calibrate {self.run_dir}")
        self.refused("1", "round 1 has no running statistics", f"resist calibrate {self.run_dir} --checkpoint 1")
        self.refused("1000000", '"1000000"', f"rounds 1, 2, {last}")
        for which in ("1", "last"):
            run([RESIST, "calibrate", self.run_dir, "--checkpoint", which])
        models = [self.exported("1", 1), self.exported("best", 2), self.exported("last", last)]
        for name in ("conv1.weight", "layer3.1.conv1.weight", "layer1.0.bn1.running_mean"):
            self.assertEqual(len({model[name] for model in models}), 3, name)

    def test_a_calibration_counts_for_its_own_checkpoint_only(self):
        first = self.exported("last", 2)
        self.resume("--rounds", 4)
        norms = self.norms(4)
        self.assertEqual(set(norms), {"batch", "running"})
        second = self.exported("last", 4)
        self.assertNotEqual(second, first)

        # Back to the checkpoint before and on again, to another round 4: the calibration that lies there is not its.
        shutil.rmtree(self.run_dir / "checkpoints" / "round-000004")
        self.resume("--workers", 3, "--calibrate-samples", 0)
        self.assertEqual(set(self.norms(4)), {"batch"})
        self.refused("last", "round-000004.safetensors' belongs to an earlier checkpoint",
                     "round 4 has no running statistics")
        self.resume("--calibrate-samples", 64)  # nothing is left to train, only to calibrate
        again = self.norms(4)
        self.assertEqual(set(again), {"batch", "running"})
        self.assertNotEqual(again["running"], norms["running"])
        self.assertNotEqual(self.exported("last", 4), second)

    def test_an_ensemble_is_evaluated_as_the_run_would(self):
        def accuracy(**more):
            return evaluation(self.run_dir, *(word for pair in more.items() for word in (f"--{pair[0]}", pair[1])))

        ensemble = accuracy(inference="ensemble")
        rows = {(row["norms"], row["inference"]): row["test_loss"] for row in ensemble["sets"]}
        self.assertEqual(set(rows), {("batch", "ensemble"), ("running", "scaled")})
        scaled = {row["norms"]: row["test_loss"] for row in accuracy()["sets"]}
        self.assertEqual(rows["running", "scaled"], scaled["running"])
        self.assertNotEqual(rows["batch", "ensemble"], scaled["batch"])
        other = self.folder / "ensemble"
        run(train_command("--workers", 2, "--in-process", "--rounds", 2, "--inference", "ensemble", "--calibrate-samples",
                          0, "--run-dir", other))
        self.assertEqual(metrics(other)[-1]["test_loss"], rows["batch", "ensemble"])
        local = self.folder / "local"
        run(train_command("--method", "local-sgd", "--rounds", 1, "--run-dir", local))
        answer = run([RESIST, "evaluate", local, "--inference", "ensemble"], check=2)
        self.assertIn("--method local-sgd trains none", answer.stderr)


class Average(TestCase):
    def setUp(self):
        super().setUp()
        self.run_dir = self.folder / "run"
        self.mean = self.folder / "run-average"
        run(train_command("--workers", 2, "--in-process", "--rounds", 4, "--checkpoint-every", 1,
                          "--keep-checkpoints", 3, "--momentum-sync", "carry", "--calibrate-samples", 64,
                          "--run-dir", self.run_dir))

    def test_it_is_evaluated_calibrated_and_exported_like_any_run(self):
        answer = run([RESIST, "average", self.run_dir]).stdout
        self.assertIn(f"{self.mean}: the mean of rounds 2, 3, 4, ", answer)
        self.assertIn(f"next: resist calibrate {self.mean}, resist evaluate {self.mean}\n", answer)
        self.assertTrue((self.mean / "config.toml").read_text().startswith(f"# The mean of rounds 2, 3, 4 of '{self.run_dir}'.\n"))
        for part in ("shared", "blocks"):
            folders = [self.run_dir / "checkpoints" / f"round-{number:06}" for number in (2, 3, 4)]
            sources = [safetensors(folder / f"{part}.safetensors") for folder in folders]
            means = safetensors(self.mean / "checkpoints" / "round-000004" / f"{part}.safetensors")
            self.assertEqual(set(means), set(sources[0]))
            for name, mean in means.items():
                values = zip(*(floats(source[name]) for source in sources))
                self.assertEqual(floats(mean), tuple(as_float(sum(value) / 3) for value in values), name)

        by_batch = evaluation(self.mean)
        self.assertEqual((by_batch["round"], [row["norms"] for row in by_batch["sets"]]), (4, ["batch"]))
        self.assertNotEqual(by_batch["test_loss"], evaluation(self.run_dir)["test_loss"])
        refused = run([RESIST, "export", self.mean], check=2)
        self.assertIn(f"resist calibrate {self.mean}", self.one_line(refused))
        run([RESIST, "calibrate", self.mean])
        self.assertEqual([row["norms"] for row in evaluation(self.mean)["sets"]], ["batch", "running"])
        run([RESIST, "export", self.mean])
        model = safetensors(self.mean / "model.safetensors")
        shared = safetensors(self.mean / "checkpoints" / "round-000004" / "shared.safetensors")
        self.assertEqual({name: model[name] for name in shared}, shared)

        self.assertIn("is there already", self.one_line(run([RESIST, "average", self.run_dir], check=2)))
        again = self.folder / "again"
        said = json.loads(run([RESIST, "average", self.run_dir, "-o", again, "--format", "json"]).stdout)
        self.assertEqual(said, {"run": str(again), "rounds": [2, 3, 4], "parameters": said["parameters"]})
        self.assertEqual(checkpoint(again), checkpoint(self.mean))

    def test_a_training_goes_on_from_it(self):
        run([RESIST, "average", self.run_dir, "--newest", 2])
        self.assertEqual(set(checkpoint(self.mean)[1]), {"shared.safetensors", "blocks.safetensors"})
        run([RESIST, "train", "--resume", self.mean, "--rounds", 6])
        self.assertEqual([record["round"] for record in metrics(self.mean)], [5, 6])
        number, parts = checkpoint(self.mean)
        self.assertEqual(number, 6)
        self.assertIn("momentum-worker-1.safetensors", parts)
        replay = run([RESIST, "train", "--replay-membership", self.mean], check=2)
        self.assertIn("began with the network of round 4", self.one_line(replay))
        # Not what the run itself comes to, which has momentum and other parameters to go on with.
        run([RESIST, "train", "--resume", self.run_dir, "--rounds", 6])
        self.assertNotEqual(checkpoint(self.run_dir)[1]["shared.safetensors"], parts["shared.safetensors"])

    def test_too_few_checkpoints_are_refused(self):
        message = self.one_line(run([RESIST, "average", self.run_dir, "--newest", 4], check=2))
        self.assertIn("only those of rounds 2, 3, 4;", message)
        self.assertIn("--keep-checkpoints", message)
        self.assertFalse(self.mean.exists())


if __name__ == "__main__":
    unittest.main()
