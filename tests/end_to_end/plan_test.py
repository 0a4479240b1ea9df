"""What `resist plan` measures and forecasts."""
import json
import unittest

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

    def test_lists_must_fit_the_workers(self):
        answer = self.plan("--workers", "3", "--speed", "1gflops", "--bandwidth", "1gbit,2gbit", check=2)
        self.assertIn("--bandwidth has 2 values, but 3 workers", answer.stderr)
        uneven = json.loads(self.plan("--workers", "2", "--speed", "1gflops,2gflops", "--bandwidth", "1gbit,10mbit",
                                      "--format", "json").stdout)
        even = json.loads(self.plan("--workers", "2", "--speed", "1gflops", "--bandwidth", "1gbit",
                                    "--format", "json").stdout)
        for key, compare in (("compute_seconds", self.assertAlmostEqual), ("sync_seconds", self.assertGreater)):
            compare(*(answer["forecasts"][0]["methods"][0]["round"][key] for answer in (uneven, even)))


if __name__ == "__main__":
    unittest.main()
