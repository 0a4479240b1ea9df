"""The three commands of docs/imagenet.md, on class folders of Fashion-MNIST's pictures as JPEG and PNG, and what follows
from them: the exported files agree with resist's own logits, whoever computes them."""
import gzip
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import unittest
from pathlib import Path

import numpy

from support import RESIST, TestCase, metrics, run

ROOT = Path(__file__).resolve().parents[2]
FASHION = Path(os.environ.get("RESIST_DATA_DIR", "/usr/share/datasets")) / "fashion-mnist"
CLASSES = ["bag", "boot", "coat", "dress"]
LABELS = {8: "bag", 9: "boot", 4: "coat", 3: "dress"}
# Training is cut short and the network small: that the commands are right shows in a few rounds.
SHORT = ["--width", "4", "--depths", "1,1,5,1", "--image-size", "64", "--rounds", "4", "--warmup-epochs", "0.2",
         "--lr-warmup-epochs", "0.2", "--batch-size", "8", "--local-iterations", "2", "--threads", "1",
         "--calibrate-samples", "64", "--eval-batch-size", "20"]
PYTHON_WITH_ONNX = os.environ.get("RESIST_ONNX_PYTHON", "")


def fashion(part):
    with gzip.open(FASHION / f"{part}-images-idx3-ubyte.gz") as file:
        images = numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(FASHION / f"{part}-labels-idx1-ubyte.gz") as file:
        return images, numpy.frombuffer(file.read(), numpy.uint8, offset=8)


def write_folder(folder, part, count):
    """Colour pictures of many sizes, half of them JPEG and half PNG, `count` of each class."""
    from PIL import Image
    images, labels = fashion("train" if part == "train" else "t10k")
    for label, name in LABELS.items():
        (folder / part / name).mkdir(parents=True)
        for number, index in enumerate(numpy.flatnonzero(labels == label)[:count]):
            size = (100 + 7 * (number % 9), 100 + 5 * (number % 11))
            picture = Image.fromarray(images[index]).convert("RGB").resize(size, Image.BILINEAR)
            picture.save(folder / part / name / f"{number}.{'jpg' if number % 2 else 'png'}")


def shown_commands():
    text = (ROOT / "docs" / "imagenet.md").read_text()
    block = text.split("<!-- commands-begin -->\n```\n")[1].split("```\n<!-- commands-end -->")[0]
    return [shlex.split(line)[1:] for line in block.splitlines()]


@unittest.skipUnless(FASHION.exists(), "Fashion-MNIST is not installed (Debian's dataset-fashion-mnist)")
@unittest.skipUnless(importlib.util.find_spec("PIL"), "Pillow is not installed (Debian's python3-pil)")
class Imagenet(TestCase):
    def three_commands(self):
        """Runs what the page shows, on our pictures."""
        write_folder(self.folder / "imagenet", "train", 30)
        write_folder(self.folder / "imagenet", "val", 10)
        commands = shown_commands()
        self.assertEqual([words[0] for words in commands], ["data", "train", "export"])
        for words in commands:
            if words[0] == "train":
                words = [word if word != "4" else "2" for word in words] + SHORT
            run([RESIST, *words], cwd=self.folder)
        return self.folder / "runs" / "imagenet"

    def test_pack_train_export_and_what_follows(self):
        run_dir = self.three_commands()
        self.check_packed()
        self.check_evaluation(run_dir)
        self.check_models(run_dir)

    def check_packed(self):
        packed = self.folder / "imagenet.resist"
        info = json.loads(run([RESIST, "data", "info", packed, "--format", "json"]).stdout)
        self.assertEqual(info["parts"], {"train": 120, "test": 40})
        self.assertEqual(info["classes"], CLASSES)
        self.assertIn("every sample", run([RESIST, "data", "verify", packed]).stdout)
        cut = self.folder / "cut.resist"
        cut.write_bytes(packed.read_bytes()[:-1000])
        answer = run([RESIST, "train", "--data", cut], check=2)
        self.assertIn("cut.resist", answer.stderr)
        self.assertEqual(len(answer.stderr.splitlines()), 1)

    def check_evaluation(self, run_dir):
        self.assertEqual(metrics(run_dir)[-1]["round"], 4)
        numbered = self.folder / "numbered"
        numbered.mkdir()
        for label, name in enumerate(CLASSES):
            (numbered / str(label)).symlink_to(self.folder / "imagenet" / "val" / name)
        answer = json.loads(run([RESIST, "evaluate", run_dir, "--format", "json", "--eval", f"numbered={numbered}"],
                                cwd=self.folder).stdout)
        sets = {(row["set"], row["norms"]): row for row in answer["sets"]}
        self.assertEqual(len(sets), 4)
        for norms in ("batch", "running"):
            self.assertEqual(sets["test", norms]["samples"], 40)
            for key in ("samples", "accuracy", "test_loss"):  # the same pictures, so the labels are the same too
                self.assertEqual(sets["numbered", norms][key], sets["test", norms][key])
        self.check_predictions(run_dir, sets["test", "running"]["accuracy"])
        answer = json.loads(run([RESIST, "calibrate", run_dir, "--format", "json", "--calibrate-samples", "32"],
                                cwd=self.folder).stdout)
        self.assertEqual(answer["calibrate_samples"], 32)
        answer = run([RESIST, "calibrate", run_dir, "--choose-scale"], cwd=self.folder, check=2)
        self.assertIn("--holdout", answer.stderr)
        self.check_chosen_scale()

    def check_chosen_scale(self):
        run([RESIST, "train", "--config", "imagenet", "--data", "imagenet.resist", "--workers", "2", "--run-dir", "held",
             *SHORT, "--holdout", "40", "--eval", "val=imagenet/val"], cwd=self.folder)
        self.assertEqual(metrics(self.folder / "held")[-1]["further"]["val"]["samples"], 40)
        answer = json.loads(run([RESIST, "calibrate", "held", "--choose-scale", "--format", "json"],
                                cwd=self.folder).stdout)
        best = min(answer["trials"], key=lambda trial: trial["test_loss"])
        self.assertEqual(answer["scales"], best["scale"])
        self.assertGreater(len({trial["test_loss"] for trial in answer["trials"]}), 1)
        run([RESIST, "export", "held"], cwd=self.folder)
        header = (self.folder / "held" / "model.safetensors").read_bytes()[:20000]
        folded = json.loads(json.loads(re.search(rb'"folded_scales":("(?:[^"\\]|\\.)*")', header).group(1)))
        self.assertEqual(list(folded.values()), answer["scales"])

    def check_predictions(self, run_dir, accuracy):
        """Pictures one at a time are classified as evaluation does it."""
        pictures = sorted((self.folder / "imagenet" / "val").glob("*/*"))
        lines = run([RESIST, "predict", run_dir / "model.safetensors", *pictures, "--format", "json"]).stdout.splitlines()
        right = [json.loads(line)["best"][0]["class"] == picture.parent.name for line, picture in zip(lines, pictures)]
        self.assertEqual(len(right), 40)
        self.assertLess(abs(sum(right) / 40 - accuracy), 1.5 / 40)  # packing encoded them anew

    def check_models(self, run_dir):
        run([RESIST, "export", run_dir], cwd=self.folder)
        run([RESIST, "export", run_dir, "--format", "onnx"], cwd=self.folder)
        pictures = sorted((self.folder / "imagenet" / "val").glob("*/[0-3].*"))
        model = run_dir / "model.safetensors"
        lines = run([RESIST, "predict", model, *pictures, "--format", "json"]).stdout.splitlines()
        answers = [json.loads(line) for line in lines]
        self.assertEqual([Path(answer["picture"]) for answer in answers], pictures)
        for answer in answers:
            self.assertEqual(sorted(one["class"] for one in answer["best"]), CLASSES)
            self.assertAlmostEqual(sum(one["probability"] for one in answer["best"]), 1, places=6)
        self.assertRegex(run([RESIST, "predict", model, pictures[0]]).stdout, r"\d\.\d\d %  (bag|boot|coat|dress)\n")

        dump = self.folder / "dump"
        run([RESIST, "predict", model, *pictures, "--dump", dump])
        for python, exported in ((sys.executable, model), (PYTHON_WITH_ONNX, run_dir / "model.onnx")):
            with self.subTest(exported.name):
                if not python:
                    self.skipTest("no Python with onnxruntime: RESIST_ONNX_PYTHON is not set")
                subprocess.run([python, ROOT / "tests" / "export" / "compare_models.py", dump / "inputs.f32",
                                dump / "logits.f32", exported], check=True, timeout=120)
        (self.folder / "no-picture.jpg").write_bytes(b"\xff\xd8 no picture")
        answer = run([RESIST, "predict", model, self.folder / "no-picture.jpg"], check=2)
        self.assertTrue(re.search("no-picture.jpg", answer.stderr))


if __name__ == "__main__":
    unittest.main()
