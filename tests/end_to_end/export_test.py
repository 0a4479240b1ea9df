"""Which round an exported network and an evaluation with running statistics are of, also after the run went on."""
import shutil
import signal
import unittest

from support import DEADLINE, RESIST, TestCase, checkpoint, evaluation, metrics, run, safetensors, train_command


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


if __name__ == "__main__":
    unittest.main()
