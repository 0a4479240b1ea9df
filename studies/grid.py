"""Declared studies: grids/NAME.toml says what is trained, rows/NAME.jsonl holds one finished run a line.

A grid:

    title, about    for the page that docs/results.md is
    data            a data set: a name of `resist train --data`, or one of pictures.py
    measured_on     "held-out" (choices: the test set is not looked at) or "test" (final settings)
    seeds           of each setting
    reference       the setting that others are compared with (the first one), or "the row above"
    [options]       of `resist train`, for every setting
    [settings.NAME] options of one setting, besides. A list stands for each of its values: NAME is then several cases,
                    and the best of them (by mean accuracy, ties: the first) is what `like` refers to.
                    like = "GRID/NAME": the options of the best case of that setting of another grid, below these.
                    average-newest = N: what counts is the mean of the newest N rounds (`resist average`).
                    calibrated = true: the network with running statistics and the residual scale that pictures held
                    out chose (`resist calibrate --choose-scale`).
    [plot]          the lines of its picture, if it has one: LINE = [settings whose cases are its points]
    baselines       those of them that the others are compared with: what it takes to be as accurate

A run belongs to a grid by its options and its seed, not by its names: a grid that is changed keeps the rows that still
fit, and only the others are run.
"""
import itertools
import json
import statistics
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STUDIES = ROOT / "studies"


@dataclass(frozen=True)
class Case:
    """One choice of options; `varied` are those that its setting gives several values of."""
    setting: str
    options: dict
    varied: dict

    @property
    def name(self):
        return " ".join([self.setting, *(f"{name}={value}" for name, value in self.varied.items())])


class Undecided(Exception):
    """A case refers to a choice whose runs are not all there."""


class Grid:
    def __init__(self, name):
        self.name = name
        self.declared = tomllib.loads((STUDIES / "grids" / f"{name}.toml").read_text())
        self.title = self.declared["title"]
        self.about = self.declared.get("about", "")
        self.seeds = self.declared["seeds"]
        self.on_test = {"held-out": False, "test": True}[self.declared["measured_on"]]
        self.path = STUDIES / "rows" / f"{name}.jsonl"

    def add(self, row):
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def settings(self):
        return list(self.declared["settings"])

    def cases(self, setting):
        """Raises Undecided."""
        own = dict(self.declared["settings"][setting])
        base = {"data": self.declared["data"], **self.declared.get("options", {})}
        if like := own.pop("like", None):
            base = {**base, **best_of(*like.split("/", 1)), **self.declared.get("options", {})}
            base["data"] = self.declared["data"]
        if not self.on_test:
            base.setdefault("holdout", 5000)
        varied = {name: value for name, value in own.items() if isinstance(value, list)}
        fixed = {**base, **{name: value for name, value in own.items() if name not in varied}}
        return [Case(setting, {**fixed, **dict(zip(varied, values))}, dict(zip(varied, values)))
                for values in itertools.product(*varied.values())]

    def found(self, case):
        """Finished runs by seed, whichever grid they were done for."""
        return {row["seed"]: row for row in rows_of(case.options) if row["seed"] in self.seeds}

    def todo(self):
        """(case, seed) without a row, seed by seed, so that what is there can be compared."""
        for seed in self.seeds:
            for setting in self.settings():
                try:
                    cases = self.cases(setting)
                except Undecided:
                    continue
                for case in cases:
                    if seed not in self.found(case):
                        yield case, seed


def best_of(grid_name, setting):
    """The options that held-out samples chose, without what belongs to choosing. Raises Undecided."""
    grid = Grid(grid_name)
    best = None
    for case in grid.cases(setting):
        found = grid.found(case)
        if len(found) < len(grid.seeds):
            raise Undecided(f"{grid_name}/{case.name}")
        accuracy = statistics.mean(row["accuracy"] for row in found.values())
        if best is None or accuracy > best[0]:
            best = accuracy, case
    return {name: value for name, value in best[1].options.items() if name != "holdout"}


def key(options):
    return json.dumps(options, sort_keys=True)


def rows_of(options):
    """Every finished run with these options."""
    rows = all_rows(tuple((path, path.stat().st_mtime_ns, path.stat().st_size)
                          for path in sorted((STUDIES / "rows").glob("*.jsonl"))))
    return rows.get(key(options), [])


@cache
def all_rows(files):
    rows = {}
    for path, _, _ in files:
        for line in path.read_text().splitlines():
            row = json.loads(line)
            rows.setdefault(key(row["options"]), []).append(row)
    return rows


def names():
    return sorted(path.stem for path in (STUDIES / "grids").glob("*.toml"))
