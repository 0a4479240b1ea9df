#!/usr/bin/env python3
"""Trains over links for real: 2 workers, each with a core and a network namespace of its own, the link between them shaped.

    studies/links.py PROGRAM [RATE,...]     default: 100mbit,1gbit; needs root and two idle cores

What local SGD and ResIST reach and how long that takes, with the recipes that the grid `cifar` chose for 4 workers, beside
what the measured local iterations and the synchronisation that `resist plan` forecasts for such links come to. Each
finished run leaves a row in studies/rows/links.json; what has one is not done again. `studies/results.py` shows them.
"""
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from grid import STUDIES, best_of
from pictures import data_options
from run import FIXED, LINKS, flag, processor, rounds_of, sync_seconds

ROWS = STUDIES / "rows" / "links.json"
RATES = "100mbit,1gbit"
# As many samples in an iteration of both workers as of four.
WORKERS = {"workers": 2, "batch-size": 128}
# Whose recipe it is in the grid, and what it has besides.
SETTINGS = {"local-sgd, momentum averaged": ("local-sgd", {}),
            "local-sgd, outer momentum": ("local-sgd, outer momentum", {}),
            "resist": ("resist", {}),
            "resist, overlap": ("resist", {"overlap": True, "overlap-iterations": 4})}
LAUNCHERS = ("workers", "in-process")  # options that say what the launcher says here


def rows():
    return json.loads(ROWS.read_text()) if ROWS.exists() else []


def train(program, options, rate):
    from synchronisation import on_hosts, own_congestion  # it looks at the command line
    folder = Path(tempfile.mkdtemp(prefix="resist-links-"))
    given = {**FIXED, **options, **data_options(program, options["data"]), "seed": 1, "run-dir": folder / "run"}
    given = {name: value for name, value in given.items() if name not in LAUNCHERS}
    on_hosts([program, "train", *(flag(name, value) for name, value in given.items())], options["workers"], rate,
             own_congestion())
    records = rounds_of(folder / "run")
    shutil.rmtree(folder)

    def seconds(of):
        return sum(record[f"seconds_{of}"] for record in records)

    local = seconds("compute")
    return {"accuracy": records[-1]["accuracy"], "rounds": len(records), "bytes_sent": sum(r["bytes_sent"] for r in records),
            "compute_seconds": round(local, 2), "seconds": round(local + seconds("sync") + seconds("wait"), 2),
            "forecast_seconds": round(local + len(records) * sync_seconds(program, options)[rate], 2)}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    sys.path.insert(0, str(STUDIES.parent / "bench"))
    rates = (sys.argv[2] if len(sys.argv) > 2 else RATES).split(",")
    if unknown := set(rates) - set(LINKS):
        sys.exit(f"rates that `resist plan` is not asked for: {', '.join(sorted(unknown))}; allowed are {', '.join(LINKS)}")
    done = {(row["setting"], row["rate"]) for row in rows()}
    for rate in rates:
        for setting, (chosen, besides) in SETTINGS.items():
            if (setting, rate) in done:
                continue
            options = {**best_of("cifar", chosen), **WORKERS, **besides}
            row = {"setting": setting, "rate": rate, "options": options, **train(program, options, rate),
                   "processor": processor(), "date": time.strftime("%Y-%m-%d")}
            ROWS.write_text(json.dumps([*rows(), row], indent=1) + "\n")
            print(f"{rate}, {setting}: {100 * row['accuracy']:.2f} %, {row['seconds']:.1f} s, "
                  f"forecast {row['forecast_seconds']:.1f} s", flush=True)


if __name__ == "__main__":
    main()
