"""What `resist plan` measures and forecasts."""
import json
import unittest
from pathlib import Path

from support import RESIST, TestCase, run

SMALL = ["--depths", "1,1,5,1", "--width", "4", "--min-blocks", "1", "--batch-size", "8", "--eval-batch-size", "20",
         "--threads", "1"]


class Plan(TestCase):
    def plan(self, *arguments, **options):
        return run([RESIST, "plan", *SMALL, *arguments], cwd=self.folder, **options)

    def test_speeds_are_measured(self):
        answer = json.loads(self.plan("--data", "synthetic:640,1,12,12,4", "--workers", "2", "--measure", "2",
                                      "--bandwidth", "1gbit", "--epochs", "3", "--format", "json").stdout)
        (group,) = answer["forecasts"]
        self.assertEqual([row["method"] for row in group["methods"]], ["resist", "local-sgd", "data-parallel"])
        for row in group["methods"]:
            self.assertEqual(row["rounds"], 3)  # of 2 x 50 batches of 8
            self.assertGreater(row["round"]["compute_seconds"], 0)
            self.assertGreater(row["evaluation_seconds"], 0)
        self.assertIn("bottleneck", group["recommendation"])
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_says_what_protection_costs_as_the_documentation_does(self):
        command = ["plan", "--model", "preact-resnet101", "--workers", "4", "--precision", "fp32"]
        page = (Path(__file__).resolve().parents[2] / "docs" / "reliability.md").read_text()
        self.assertIn(f"resist {' '.join(command)} --protect none", page)
        sent, memory = [], []
        for protection in ("buddy", "none"):
            answer = json.loads(run([RESIST, *command, "--protect", protection, "--format", "json"]).stdout)
            plan = next(row for row in answer["plans"] if row["method"] == "resist")
            sent.append(sum(plan["payload_bytes_by_round"]) / len(plan["payload_bytes_by_round"]) / 1e9)
            memory.append(plan["memory_per_worker"]["total_bytes"] / 1e6)
        self.assertIn(f"{sent[0]:.3f} GB a round instead of {sent[1]:.3f}, {100 * (sent[0] / sent[1] - 1):.1f} % more", page)
        self.assertIn(f"{memory[0] - memory[1]:.0f} MB of memory, of {memory[0]:.0f};", page)

    def test_every_method_is_planned_with_its_own_recipe(self):
        rows = [{row["method"]: row["memory_per_worker"] for row in json.loads(
            self.plan("--workers", "2", "--method", method, "--format", "json").stdout)["plans"]}
            for method in ("resist", "data-parallel")]
        self.assertEqual(set(rows[1]), {"data-parallel", "local-sgd"})
        self.assertEqual(rows[0]["local-sgd"], rows[1]["local-sgd"])
        self.assertGreater(rows[1]["local-sgd"]["outer_bytes"], 0)
        self.assertEqual(rows[1]["data-parallel"]["outer_bytes"], 0)
        refused = self.plan("--workers", "2", "--method", "data-parallel", "--outer-momentum", "0.4", check=2)
        self.assertIn("averages gradients", refused.stderr)

    def test_lists_must_fit_the_workers(self):
        answer = self.plan("--workers", "3", "--speed", "1gflops", "--bandwidth", "1gbit,2gbit", check=2)
        self.assertIn("--bandwidth has 2 values, but 3 workers", answer.stderr)
        uneven = json.loads(self.plan("--workers", "2", "--speed", "1gflops,2gflops", "--bandwidth", "1gbit,10mbit",
                                      "--format", "json").stdout)
        even = json.loads(self.plan("--workers", "2", "--speed", "1gflops", "--bandwidth", "1gbit",
                                    "--format", "json").stdout)
        for key, compare in (("compute_seconds", self.assertAlmostEqual), ("sync_seconds", self.assertGreater)):
            compare(*(answer["forecasts"][0]["methods"][0]["round"][key] for answer in (uneven, even)))

    def test_says_what_seconds_lack(self):
        self.assertIn("seconds need --bandwidth, and --speed or --measure N", self.plan("--workers", "2").stdout)
        self.assertIn("seconds need --bandwidth too", self.plan("--workers", "2", "--speed", "1gflops").stdout)
        linked = self.plan("--workers", "2", "--bandwidth", "1gbit").stdout
        self.assertIn("seconds need --speed or --measure N too", linked)
        self.assertIn("sync floor:", linked)

    def test_known_sets_need_not_be_here(self):
        environment = {"RESIST_DATA_DIR": str(self.folder)}
        planned = self.plan("--data", "cifar100", "--workers", "2", env=environment).stdout
        self.assertIn("pictures of 3x32x32, 100 classes", planned)
        shipped = run([RESIST, "plan", "--config", "cifar10-paper", "--workers", "4"], cwd=self.folder, env=environment)
        self.assertIn("pictures of 3x32x32, 10 classes", shipped.stdout)
        elsewhere = self.plan("--data", "cifar100", "--data-dir", self.folder, "--workers", "2", check=2)
        self.assertIn("cifar100 is in none of the places", elsewhere.stderr)
        (self.folder / "own.toml").write_text('data = "cifar10"\nholdout = 50000\n')
        held_out = self.plan("--config", self.folder / "own.toml", "--workers", "2", check=2)
        self.assertIn("--holdout is 50000, but the training set has 50000 samples", held_out.stderr)


if __name__ == "__main__":
    unittest.main()
