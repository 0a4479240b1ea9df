#!/usr/bin/env python3
"""What compression and overlap do to accuracy: the same job, the same seeds, with and without them (docs/results.md).

    studies/exchange.py run PROGRAM [SECONDS]   do the runs that have no row yet, while SECONDS last

Each finished run leaves one row. `studies/results.py` writes docs/results.md from the rows.
"""
import statistics
import sys

from fashion_mnist import JOB, chosen_rate
from study import Rows, hardware, in_words, run_all, table, train

ROWS = Rows("exchange")
VARIANTS = {"float32": {}, "int6": {"compress": "int6"}, "overlap": {"overlap": "true"},
            "int6 and overlap": {"compress": "int6", "overlap": "true"}}
# An average that is under way can't take the momentum along, so all of them carry it.
BASE = {**JOB, "method": "resist", "momentum-sync": "carry"}
ALLOWED = {"int6": 0.2, "overlap": 0.3, "int6 and overlap": 0.3}  # points, plus one standard error
SEEDS = range(1, 9)


def todo():
    """The next run without a row, or None; seed by seed, so that what is there can be compared."""
    return next(({"variant": variant, "seed": seed} for seed in SEEDS for variant in VARIANTS
                 if not ROWS.find(variant=variant, seed=seed)), None)


def run(program, job):
    options = {**BASE, "lr": chosen_rate("resist"), **VARIANTS[job["variant"]]}
    row = {**job, "options": options, **train(program, {**options, "seed": job["seed"]})}
    ROWS.add(row)
    return row


def pairs(variant):
    """Points of accuracy lost to float32, by seed, where both are there."""
    plain = {row["seed"]: row["accuracy"] for row in ROWS.find(variant="float32")}
    return {row["seed"]: 100 * (plain[row["seed"]] - row["accuracy"])
            for row in ROWS.find(variant=variant) if row["seed"] in plain}


def line(variant):
    rows = ROWS.find(variant=variant)
    cells = [variant, len(rows), f"{100 * statistics.mean(r['accuracy'] for r in rows):.2f} %",
             f"{statistics.mean(r['bytes_sent'] for r in rows) / 1e6:.0f} MB"]
    lost = list(pairs(variant).values())
    if variant == "float32" or len(lost) < 2:
        return (*cells, "", "", "")
    error = statistics.stdev(lost) / len(lost) ** 0.5
    return (*cells, f"{statistics.mean(lost):+.2f}", f"{error:.2f}", ALLOWED[variant])


def section():
    done = [variant for variant in VARIANTS if ROWS.find(variant=variant)]
    text = ["## Compression and overlap, 4 workers, paired seeds", "",
            in_words({**BASE, "lr": chosen_rate("resist")}), "", *hardware(ROWS.all()),
            table(("exchange", "seeds", "test accuracy", "payload, all workers", "points lost to float32",
                   "standard error", "allowed besides it"), [line(variant) for variant in done]), ""]
    left = len(VARIANTS) * len(SEEDS) - len(ROWS.all())
    if left > 0:
        text += [f"{left} of {len(VARIANTS) * len(SEEDS)} runs are still to be done; `studies/exchange.py run PROGRAM` does "
                 "them.", ""]
    return text


if __name__ == "__main__":
    if sys.argv[1:2] != ["run"]:
        sys.exit(__doc__)
    run_all(todo, run, lambda row: f"{row['variant']} seed {row['seed']}: {100 * row['accuracy']:.2f} %")
