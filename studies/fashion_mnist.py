#!/usr/bin/env python3
"""ResIST against local SGD on Fashion-MNIST, 4 workers, equal samples (README and docs/results.md show the outcome).

    studies/fashion_mnist.py run PROGRAM [SECONDS]   do the runs that have no row yet, while SECONDS last
    studies/fashion_mnist.py report                  write docs/results.md from the rows

The learning rate of each method is chosen among three by accuracy on 5 000 held-out training images; then three seeds
train on all of them and are measured once on the test set. Each finished run leaves one row.
"""
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "studies" / "rows" / "fashion-mnist.jsonl"
METHODS = ("resist", "local-sgd")
RATES = (0.02, 0.05, 0.1)
SEEDS = (1, 2, 3)
JOB = {"data": "fashion-mnist", "depths": "1,2,12,1", "width": "16", "workers": "4", "epochs": "2", "batch-size": "32",
       "local-iterations": "10", "schedule": "cosine", "lr-warmup-epochs": "0.1", "momentum-sync": "average",
       "crop-padding": "0", "flip": "false", "threads": "1"}


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def rows():
    return [json.loads(line) for line in ROWS.read_text().splitlines()] if ROWS.exists() else []


def find(**wanted):
    return [row for row in rows() if all(row[key] == value for key, value in wanted.items())]


def chosen_rate(method):
    tried = find(method=method, kind="tune")
    return max(tried, key=lambda row: row["accuracy"])["lr"] if len(tried) == len(RATES) else None


def todo():
    """The next run without a row, or None."""
    for method in METHODS:
        for rate in RATES:
            if not find(method=method, kind="tune", lr=rate):
                return {"kind": "tune", "method": method, "lr": rate, "seed": 100}
    for seed in SEEDS:
        for method in METHODS:
            if not find(method=method, kind="final", seed=seed):
                return {"kind": "final", "method": method, "lr": chosen_rate(method), "seed": seed}
    return None


def run(program, job):
    folder = Path(tempfile.mkdtemp(prefix="resist-study-"))
    options = {**JOB, "method": job["method"], "lr": job["lr"], "seed": job["seed"], "run-dir": folder / "run"}
    if job["kind"] == "tune":
        options["holdout"] = 5000
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "train", *(f"--{name}={value}" for name, value in options.items())],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    records = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    row = {**job, "options": JOB, "accuracy": records[-1]["accuracy"], "loss": records[-1]["test_loss"],
           "samples": records[-1]["samples"],
           "processor_seconds": round(used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, 1),
           "bytes_sent": sum(r["bytes_sent"] for r in records),
           "peak_memory_bytes": max(r["peak_memory_bytes"] for r in records),
           "processor": processor(), "cores": len(os.sched_getaffinity(0)),
           "version": subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip(),
           "date": time.strftime("%Y-%m-%d")}
    with ROWS.open("a") as file:
        file.write(json.dumps(row) + "\n")
    shutil.rmtree(folder)
    return row


def table(header, lines):
    return "\n".join(["| " + " | ".join(header) + " |", "| " + " | ".join("---" for _ in header) + " |",
                      *("| " + " | ".join(map(str, line)) + " |" for line in lines)])


def report():
    text = ["# Results", "",
            "Written by `studies/fashion_mnist.py report` from `studies/rows/`; each row is one finished run.", "",
            "## Fashion-MNIST, ResIST against local SGD, 4 workers, equal samples", "",
            "Options: " + ", ".join(f"`--{name} {value}`" for name, value in JOB.items()) + ".", ""]
    done = rows()
    if done:
        text += [f"Hardware: {done[-1]['processor']}, {done[-1]['cores']} cores, all workers on it; "
                 f"{done[-1]['date']}.", ""]
    text += ["### Learning rate, by accuracy on 5 000 held-out training images", "",
             table(("learning rate", *METHODS),
                   [(rate, *(f"{100 * r[0]['accuracy']:.2f} %" if (r := find(method=m, kind="tune", lr=rate)) else "not run"
                             for m in METHODS)) for rate in RATES]), "",
             edge_note(), "",
             "### Test accuracy with the chosen learning rate", "",
             table(("seed", *METHODS, "gap in points"), [final_line(seed) for seed in SEEDS]), ""]
    gaps = [gap for seed in SEEDS if (gap := final_gap(seed)) is not None]
    if len(gaps) > 1:
        error = statistics.stdev(gaps) / len(gaps) ** 0.5
        text += [f"Mean gap (local SGD minus ResIST) {statistics.mean(gaps):.2f} points, standard error {error:.2f}, "
                 f"{len(gaps)} seeds.", ""]
    if len(gaps) < len(SEEDS):
        text += [f"{len(gaps)} of {len(SEEDS)} seeds are done; `studies/fashion_mnist.py run PROGRAM` does the rest.", ""]
    costs = [(m, find(method=m, kind="final")) for m in METHODS]
    if all(rs for _, rs in costs):
        text += ["### Cost of a run", "",
                 table(("method", "processor time of all workers", "payload, all workers", "peak memory of a worker"),
                       [(m, f"{statistics.mean(r['processor_seconds'] for r in rs):.0f} s",
                         f"{statistics.mean(r['bytes_sent'] for r in rs) / 1e6:.0f} MB",
                         f"{max(r['peak_memory_bytes'] for r in rs) / 1e6:.0f} MB") for m, rs in costs]), ""]
    (ROOT / "docs" / "results.md").write_text("\n".join(text))


def edge_note():
    chosen = {method: chosen_rate(method) for method in METHODS}
    at_edge = [method for method, rate in chosen.items() if rate in (min(RATES), max(RATES))]
    text = "Chosen: " + ", ".join(f"{rate} for {method}" for method, rate in chosen.items() if rate) + "."
    if at_edge:
        text += f" For {' and '.join(at_edge)} that is an end of what was tried: a rate beyond it may be better still."
    return text


def final_gap(seed):
    accuracy = {m: find(method=m, kind="final", seed=seed) for m in METHODS}
    if not all(accuracy.values()):
        return None
    return 100 * (accuracy["local-sgd"][0]["accuracy"] - accuracy["resist"][0]["accuracy"])


def final_line(seed):
    cells = [f"{100 * r[0]['accuracy']:.2f} %" if (r := find(method=m, kind="final", seed=seed)) else "not run"
             for m in METHODS]
    gap = final_gap(seed)
    return (seed, *cells, "" if gap is None else f"{gap:.2f}")


def main():
    if sys.argv[1:2] == ["run"]:
        ROWS.parent.mkdir(parents=True, exist_ok=True)
        end = time.monotonic() + float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")
        while (job := todo()) and time.monotonic() < end:
            row = run(sys.argv[2], job)
            print(f"{row['kind']} {row['method']} lr {row['lr']} seed {row['seed']}: {100 * row['accuracy']:.2f} %")
    elif sys.argv[1:] == ["report"]:
        report()
    else:
        sys.exit(__doc__)


main()
