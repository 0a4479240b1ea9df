"""What a worker's memory is made of: the plan's difference between the methods is the processes' difference."""
import json
import unittest

from support import RESIST, TestCase, metrics, run


class Memory(TestCase):
    # Evaluation off is not an option; with small batches its activations fit in what a training step uses.
    JOB = ["--model", "preact-resnet101", "--batch-size", "32", "--eval-batch-size", "32"]

    def measured(self, method):
        run_dir = self.folder / method
        run([RESIST, "train", *self.JOB, "--data", "synthetic:256,3,32,32,100", "--method", method, "--workers", "4",
             "--local-iterations", "1", "--rounds", "2", "--threads", "1", "--run-dir", run_dir])
        return metrics(run_dir)[-1]["peak_memory_bytes"]

    def test_local_sgd_minus_resist_is_the_plans_difference(self):
        plan = json.loads(run([RESIST, "plan", *self.JOB, "--classes", "100", "--workers", "4", "--format",
                               "json"]).stdout)
        predicted = {p["method"]: p["memory_per_worker"]["total_bytes"] for p in plan["plans"]}
        difference = self.measured("local-sgd") - self.measured("resist")
        expected = predicted["local-sgd"] - predicted["resist"]
        print(f"local SGD minus ResIST: measured {difference / 1e6:.0f} MB, planned {expected / 1e6:.0f} MB")
        self.assertAlmostEqual(difference / expected, 1, delta=0.10)


if __name__ == "__main__":
    unittest.main()
