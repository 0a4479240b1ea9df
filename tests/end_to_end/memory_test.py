"""What a worker's memory is made of: libtorch's own, which a tiny network shows, and what the plan says."""
import json
import unittest

from support import RESIST, TestCase, metrics, run


class Memory(TestCase):
    # Evaluation off is not an option; with small batches its activations fit in what a training step uses.
    BATCH = ["--batch-size", "32", "--eval-batch-size", "32"]
    PAPER = ["--model", "preact-resnet101"]
    TINY = ["--depths", "1,1,1,1", "--width", "4", "--min-blocks", "1", "--partition-first-blocks"]

    def measured(self, name, network, *options):
        run_dir = self.folder / name
        run([RESIST, "train", *network, *self.BATCH, "--data", "synthetic:256,3,32,32,100", "--workers", "4",
             "--local-iterations", "1", "--rounds", "4", "--threads", "1", *options, "--run-dir", run_dir])
        return metrics(run_dir)[-1]["peak_memory_bytes"]

    def test_a_workers_peak_is_libtorchs_own_and_the_plans(self):
        own = self.measured("tiny", self.TINY, "--precision", "fp32")
        # The whole network's heap grows by up to a tenth more in its second round on some machines (fragmented huge pages).
        for method, options, delta in (("resist", ["--precision", "fp32"], 0.10),
                                       ("local-sgd", ["--precision", "fp32"], 0.15),
                                       ("resist", ["--precision", "bf16"], 0.15),
                                       ("resist", ["--precision", "fp32", "--compress", "int6", "--overlap"], 0.10)):
            with self.subTest(method=method, options=options):
                plan = json.loads(run([RESIST, "plan", *self.PAPER, *self.BATCH, "--classes", "100", "--workers", "4", *options,
                                       "--format", "json"]).stdout)
                planned = next(p for p in plan["plans"] if p["method"] == method)["memory_per_worker"]["total_bytes"]
                peak = self.measured(f"{method} {' '.join(options)}", self.PAPER, "--method", method, *options)
                print(f"{method}, {' '.join(options)}: {peak / 1e6:.0f} MB; libtorch {own / 1e6:.0f} and planned {planned / 1e6:.0f}")
                self.assertAlmostEqual(peak / (own + planned), 1, delta=delta)


if __name__ == "__main__":
    unittest.main()
