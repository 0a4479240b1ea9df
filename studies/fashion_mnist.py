#!/usr/bin/env python3
"""ResIST against local SGD on Fashion-MNIST, 4 workers, equal samples (README and docs/results.md show the outcome).

    studies/fashion_mnist.py run PROGRAM [SECONDS]   do the runs that have no row yet, while SECONDS last

The learning rate of each method is chosen among three by accuracy on 5 000 held-out training images; then three seeds
train on all of them and are measured once on the test set. Each finished run leaves one row. `studies/results.py` writes
docs/results.md from the rows.
"""
import statistics
import sys

from study import Rows, hardware, in_words, run_all, table, train

ROWS = Rows("fashion-mnist")
METHODS = ("resist", "local-sgd")
RATES = (0.02, 0.05, 0.1)
SEEDS = (1, 2, 3)
JOB = {"data": "fashion-mnist", "depths": "1,2,12,1", "width": "16", "workers": "4", "epochs": "2", "batch-size": "32",
       "local-iterations": "10", "schedule": "cosine", "lr-warmup-epochs": "0.1", "momentum-sync": "average",
       "crop-padding": "0", "flip": "false", "threads": "1"}


def chosen_rate(method):
    tried = ROWS.find(method=method, kind="tune")
    return max(tried, key=lambda row: row["accuracy"])["lr"] if len(tried) == len(RATES) else None


def todo():
    """The next run without a row, or None."""
    for method in METHODS:
        for rate in RATES:
            if not ROWS.find(method=method, kind="tune", lr=rate):
                return {"kind": "tune", "method": method, "lr": rate, "seed": 100}
    for seed in SEEDS:
        for method in METHODS:
            if not ROWS.find(method=method, kind="final", seed=seed):
                return {"kind": "final", "method": method, "lr": chosen_rate(method), "seed": seed}
    return None


def run(program, job):
    options = {**JOB, "method": job["method"], "lr": job["lr"], "seed": job["seed"]}
    if job["kind"] == "tune":
        options["holdout"] = 5000
    row = {**job, "options": JOB, **train(program, options)}
    ROWS.add(row)
    return row


def section():
    text = ["## Fashion-MNIST, ResIST against local SGD, 4 workers, equal samples", "", in_words(JOB), "",
            *hardware(ROWS.all()),
            "### Learning rate, by accuracy on 5 000 held-out training images", "",
            table(("learning rate", *METHODS),
                  [(rate, *(accuracy(method=m, kind="tune", lr=rate) for m in METHODS)) for rate in RATES]), "",
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
    costs = [(m, ROWS.find(method=m, kind="final")) for m in METHODS]
    if all(rs for _, rs in costs):
        text += ["### Cost of a run", "",
                 table(("method", "processor time of all workers", "payload, all workers", "peak memory of a worker"),
                       [(m, f"{statistics.mean(r['processor_seconds'] for r in rs):.0f} s",
                         f"{statistics.mean(r['bytes_sent'] for r in rs) / 1e6:.0f} MB",
                         f"{max(r['peak_memory_bytes'] for r in rs) / 1e6:.0f} MB") for m, rs in costs]), ""]
    return text


def accuracy(**wanted):
    found = ROWS.find(**wanted)
    return f"{100 * found[0]['accuracy']:.2f} %" if found else "not run"


def edge_note():
    chosen = {method: chosen_rate(method) for method in METHODS}
    at_edge = [method for method, rate in chosen.items() if rate in (min(RATES), max(RATES))]
    text = "Chosen: " + ", ".join(f"{rate} for {method}" for method, rate in chosen.items() if rate) + "."
    if at_edge:
        text += f" For {' and '.join(at_edge)} that is an end of what was tried: a rate beyond it may be better still."
    return text


def final_gap(seed):
    found = {m: ROWS.find(method=m, kind="final", seed=seed) for m in METHODS}
    if not all(found.values()):
        return None
    return 100 * (found["local-sgd"][0]["accuracy"] - found["resist"][0]["accuracy"])


def final_line(seed):
    gap = final_gap(seed)
    return (seed, *(accuracy(method=m, kind="final", seed=seed) for m in METHODS), "" if gap is None else f"{gap:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] != ["run"]:
        sys.exit(__doc__)
    run_all(todo, run, lambda row: f"{row['kind']} {row['method']} lr {row['lr']} seed {row['seed']}: "
                                   f"{100 * row['accuracy']:.2f} %")
