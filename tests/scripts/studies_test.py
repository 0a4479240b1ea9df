"""The declared studies: grids name options that there are, the page is what the rows say, runs go on from rows."""
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "studies"))
import grid  # noqa: E402
import plot  # noqa: E402
import results  # noqa: E402
import run  # noqa: E402

RATES = """
title = "Rates"
place = 1
data = "synthetic:200,1,8,8,4"
measured_on = "held-out"
seeds = [1, 2]

[options]
depths = "1,1,4,1"
width = 4
workers = 2
rounds = 2
local-iterations = 2
batch-size = 8
holdout = 50

[settings.resist]
lr = [0.01, 0.02]
"""
FINAL = """
title = "Final"
place = 2
data = "synthetic:200,1,8,8,4"
measured_on = "test"
seeds = [1]
reference = "local-sgd"

[settings.resist]
like = "rates/resist"

[settings.local-sgd]
like = "rates/resist"
method = "local-sgd"
"""


def learned(line):
    row = json.loads(line)
    return row["options"], row["seed"], row["accuracy"], row["loss"]


class Declared(unittest.TestCase):
    def test_every_option_of_every_grid_is_one_of_the_program(self):
        help_text = subprocess.run([os.environ["RESIST"], "train", "--help"], capture_output=True, text=True).stdout
        for name in grid.names():
            declared = grid.Grid(name).declared
            options = set(declared.get("options", {}))
            for setting in declared["settings"].values():
                options |= set(setting) - {"like", run.AVERAGED, run.CALIBRATED}
            for option in options:
                self.assertIn(f"--{option}", help_text, f"{name}.toml")

    def test_the_best_recipe_is_what_the_studies_chose(self):
        chosen = grid.best_of("cifar", "resist")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([os.environ["RESIST"], "train", "--data", "synthetic:80,1,8,8,4", "--depths", "1,1,4,1", "--width", "4",
                            "--workers", "2", "--in-process", "--rounds", "1", "--local-iterations", "1", "--batch-size", "8",
                            "--recipe", "best", "--run-dir", f"{folder}/run"], check=True, capture_output=True)
            recipe = tomllib.loads(Path(f"{folder}/run/config.toml").read_text())
        for option in ("schedule", "label-smoothing", "momentum-sync", "zero-init", "outer-momentum"):
            self.assertEqual(recipe[option], chosen[option], option)
        self.assertEqual(recipe["lr"], grid.best_of("recipe", "resist")["lr"])
        self.assertEqual(recipe["lr-warmup-epochs"], "auto")
        self.assertEqual(chosen["lr-warmup-epochs"], chosen["epochs"] / 20)

    def test_the_page_is_what_the_rows_say(self):
        self.assertEqual(results.PAGE.read_text(), results.page(), "write it anew: studies/results.py")
        for path, drawing in results.pictures().items():
            self.assertEqual(path.read_text(), drawing, "draw it anew: studies/results.py")


class Runs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.studies = Path(folder.name)
        (self.studies / "grids").mkdir()
        (self.studies / "rows").mkdir()
        (self.studies / "grids" / "rates.toml").write_text(RATES)
        (self.studies / "grids" / "final.toml").write_text(FINAL)
        patch = mock.patch.object(grid, "STUDIES", self.studies)
        patch.start()
        self.addCleanup(patch.stop)

    def run_all(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            run.main([os.environ["RESIST"], "rates", "final"])
        return said.getvalue()

    def rows(self, name):
        return (self.studies / "rows" / f"{name}.jsonl").read_text().splitlines()

    def test_runs_are_done_once_and_choices_first(self):
        with self.assertRaises(grid.Undecided):
            grid.Grid("final").cases("resist")
        self.run_all()
        self.assertEqual(len(self.rows("rates")), 4)
        self.assertEqual(len(self.rows("final")), 2)
        self.assertEqual(self.run_all(), "")
        rates = grid.Grid("rates")
        means = {case.options["lr"]: sum(row["accuracy"] for row in rates.found(case).values())
                 for case in rates.cases("resist")}
        final, = grid.Grid("final").cases("resist")
        self.assertEqual(means[final.options["lr"]], max(means.values()))
        self.assertNotIn("holdout", final.options)
        row, = grid.Grid("final").found(final).values()
        self.assertEqual(set(row["sync_seconds_per_round"]), set(run.LINKS))
        self.assertGreater(row["processor_seconds"], 0)

    def test_a_grid_that_is_not_there_is_refused(self):
        with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit):
            run.main([os.environ["RESIST"], "--seconds", "1", "ratse"])
        self.assertIn("ratse; there are final, rates", said.getvalue())

    def test_what_was_interrupted_is_done_again(self):
        self.run_all()
        rows = self.rows("rates")
        (self.studies / "rows" / "rates.jsonl").write_text("\n".join(rows[:-1]) + "\n")
        self.assertEqual(len(self.run_all().splitlines()), 1)
        self.assertEqual([learned(row) for row in self.rows("rates")], [learned(row) for row in rows])

    def test_a_changed_grid_keeps_the_rows_that_fit(self):
        self.run_all()
        path = self.studies / "grids" / "rates.toml"
        path.write_text(path.read_text().replace("[0.01, 0.02]", "[0.01, 0.04]"))
        self.assertEqual(sorted(seed for _, seed in grid.Grid("rates").todo()), [1, 2])

    def test_a_run_that_diverges_is_a_row(self):
        path = self.studies / "grids" / "rates.toml"
        path.write_text(path.read_text().replace("[0.01, 0.02]", "1000"))
        self.run_all()
        found = grid.Grid("rates").found(grid.Grid("rates").cases("resist")[0])
        self.assertEqual([row["diverged"] for row in found.values()], [True, True])

    def test_a_picture_has_a_point_for_every_case_and_a_line_for_every_name(self):
        path = self.studies / "grids" / "rates.toml"
        path.write_text(path.read_text() + '\n[plot]\nResIST = ["resist"]\n"not run" = ["nothing"]\n')
        self.assertIsNone(results.picture(grid.Grid("rates")))
        self.run_all()
        drawn = ElementTree.fromstring(results.picture(grid.Grid("rates")))
        names = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("ResIST", names)
        self.assertNotIn("not run", names)
        panels = 4
        self.assertEqual(len(list(drawn.iter("{http://www.w3.org/2000/svg}circle"))), 2 * panels)
        self.assertEqual(len(list(drawn.iter("{http://www.w3.org/2000/svg}polyline"))), panels)
        self.assertIn("(results-rates.svg)", "\n".join(results.section(grid.Grid("rates"))))

    def test_axes_have_round_numbers(self):
        self.assertEqual(plot.ticks(0, 42), [0, 10, 20, 30, 40])
        self.assertEqual(plot.ticks(54.3, 57.1), [54.5, 55, 55.5, 56, 56.5, 57])

    def test_the_page_compares_pairs(self):
        self.run_all()
        text = "\n".join(results.section(grid.Grid("rates")))
        self.assertIn("| resist | `--lr 0.02` | 2 |", text)
        self.assertNotIn("still to be done", text)
        reference = {1: {"accuracy": 0.5}, 2: {"accuracy": 0.75}}
        found = {1: {"accuracy": 0.625}, 2: {"accuracy": 0.8125}, 3: {"accuracy": 1.0}}
        self.assertEqual(results.difference_cells(found, reference), ("+9.38", "3.12"))


if __name__ == "__main__":
    unittest.main()
