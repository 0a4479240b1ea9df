"""What a report says of who held which block is what the workers of a real run recorded that they trained."""
import json
import re
import struct
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "end_to_end"))
import support  # noqa: E402

JOB = ["--depths", "1,3,6,1", "--partition-sections", "2,3", "--min-blocks", 1, "--checkpoint-every", 1]


def recorded_blocks(file, names):
    """Those of these blocks whose parameters a worker had before the recorded round, in their order."""
    content = file.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    tensors = json.loads(content[8:8 + size])
    return [name for name in names if any(tensor.startswith(f"before.{name}.") for tensor in tensors)]


class HeldBlocksTest(support.TestCase):
    def holdings(self, run_dir):
        page = self.folder / "report.html"
        support.run([support.RESIST, "report", run_dir, "-o", page])
        data = re.search(r'<script type="application/json" id="data">(.*)</script>', page.read_text())
        return json.loads(data.group(1))["runs"][0]["holdings"]

    def assert_as_recorded(self, run_dir, round_number):
        holdings = self.holdings(run_dir)
        names = holdings["blocks"]
        spans = [held for first, last, held in zip(holdings["first"], holdings["last"], holdings["held"])
                 if first <= round_number <= last]
        self.assertEqual(len(spans), 1)
        files = sorted((run_dir / "record").glob("worker-*.safetensors"))
        self.assertEqual(len(files), len(spans[0].split()))
        for file, digits in zip(files, spans[0].split()):
            held = [name for i, name in enumerate(names) if int(digits[i // 4], 16) & (8 >> i % 4)]
            self.assertEqual(held, recorded_blocks(file, names), f"round {round_number}, {file.name}")

    def test_in_warm_up_at_its_end_and_after(self):
        # 400 samples, 72 a round: rounds begin at 0, 72, 144, ... and 0.3 epochs are 120.
        for round_number in (1, 2, 3, 4):
            run_dir = self.folder / f"run-{round_number}"
            support.run(support.train_command(*JOB, "--workers", 3, "--warmup-epochs", 0.3, "--run-dir", run_dir,
                                              "--record-round", round_number))
            self.assert_as_recorded(run_dir, round_number)

    def test_after_a_resume_with_other_workers(self):
        run_dir = self.folder / "run"
        support.run(support.train_command(*JOB, "--workers", 2, "--run-dir", run_dir))
        support.run([support.RESIST, "train", "--resume", run_dir, "--workers", 4, "--rounds", 7, "--record-round", 6])
        self.assert_as_recorded(run_dir, 6)

    def test_where_everybody_holds_everything(self):
        run_dir = self.folder / "run"
        support.run(support.train_command("--depths", "1,3,6,1", "--method", "local-sgd", "--workers", 2, "--run-dir",
                                          run_dir, "--record-round", 3))
        self.assert_as_recorded(run_dir, 3)


if __name__ == "__main__":
    unittest.main()
