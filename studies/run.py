#!/usr/bin/env python3
"""Does the runs of declared studies that have no row yet.

    studies/run.py PROGRAM [--seconds N] [--jobs N] [GRID...]     default: all grids, no end, a job for each core

Every run has one core: its workers are threads of one process, so its processor time is its compute time, whatever
runs beside it. Each finished run leaves one row at once; what is interrupted is done again. `studies/results.py` writes
docs/results.md from the rows.
"""
import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from grid import Grid, key, names
from pictures import Missing, data_options

# Everything that a grid does not say is the paper's, and stays that. The rest decides nothing of what a run learns.
FIXED = {"recipe": "paper", "in-process": True, "threads": 1, "checkpoint-every": 0, "tensorboard": False, "calibrate-samples": 0}


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def flag(name, value):
    text = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
    return f"--{name}={text}"


# What `resist plan` knows of a training's options.
PLANNED = ("depths", "width", "model", "workers", "method", "partition", "min-blocks", "dealing", "deal-every",
           "partition-sections", "partition-first-blocks", "compress", "overlap", "last-section-every", "outer-lr",
           "outer-momentum", "overlap-iterations", "momentum-sync", "batch-size", "local-iterations", "max-local-iterations",
           "final-min-blocks", "schedule", "epochs", "rounds", "checkpoint-every")
LINKS = ("1gbit", "100mbit")


def sync_seconds(program, options):
    """A round's synchronisation as `resist plan` forecasts it, by the rate of every worker's link."""
    seconds = {}
    trained = {**FIXED, **options}
    for rate in LINKS:
        given = {**{name: trained[name] for name in PLANNED if name in trained}, **data_options(program, options["data"]),
                 "bandwidth": rate, "latency": "100us", "speed": "100gflops", "format": "json"}
        said = subprocess.run([program, "plan", *(flag(name, value) for name, value in given.items())], check=True,
                              capture_output=True, text=True).stdout
        methods = json.loads(said)["forecasts"][0]["methods"]
        method = next(m for m in methods if m["method"] == options.get("method", "resist"))
        seconds[rate] = round(method["round"]["sync_seconds"], 4)
    return seconds


def rounds_of(run_dir):
    """The metrics of every round of a run."""
    lines = (json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines())
    return [record for record in lines if "bytes_sent" in record]


# Options of ours: so many of a run's newest rounds are averaged when it has ended; running statistics are computed, and the
# residual scale is chosen on the pictures held out.
AVERAGED, CALIBRATED = "average-newest", "calibrated"


def evaluate(program, run_dir, options, norms):
    """Accuracy and loss with a batch's own statistics or with running ones."""
    said = subprocess.run([program, "evaluate", run_dir, "--on", "held-out" if "holdout" in options else "test",
                           "--format", "json"], check=True, capture_output=True, text=True).stdout
    row = next(row for row in json.loads(said)["sets"] if row["norms"] == norms)
    return row["accuracy"], row["test_loss"]


def average(program, folder, options):
    """Accuracy and loss of the mean of a run's newest checkpoints."""
    subprocess.run([program, "average", folder / "run", "--newest", str(options[AVERAGED]), "-o", folder / "average"],
                   check=True, capture_output=True)
    return evaluate(program, folder / "average", options, "batch")


def calibrate(program, folder, options):
    """The same of a run whose running statistics are computed and whose residual scale is chosen."""
    subprocess.run([program, "calibrate", folder / "run", "--calibrate-samples", "10000", "--choose-scale"], check=True,
                   capture_output=True)
    return evaluate(program, folder / "run", options, "running")


def train(program, options, seed, core):
    """A training on one core: what it reached and cost."""
    folder = Path(tempfile.mkdtemp(prefix="resist-study-"))
    given = {**FIXED, **options, **data_options(program, options["data"]), "seed": seed, "run-dir": folder / "run"}
    if newest := given.pop(AVERAGED, None):
        given |= {"checkpoint-every": 1, "keep-checkpoints": newest}
    if given.pop(CALIBRATED, False):
        given |= {"checkpoint-every": 1}
    command = [program, "train", *(flag(name, value) for name, value in given.items())]
    with (folder / "errors").open("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors,
                                   preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read()
    diverged = process.returncode == 1 and "not finite" in said
    if process.returncode != 0 and not diverged:
        raise RuntimeError(f"{' '.join(map(str, command))}\nended with {process.returncode}:\n{said}")
    records = rounds_of(folder / "run")
    last = records[-1] if records else {}
    accuracy, loss = (0.0, None) if diverged else (last["accuracy"], last["test_loss"])
    if AVERAGED in options and not diverged:
        accuracy, loss = average(program, folder, options)
    if CALIBRATED in options and not diverged:
        accuracy, loss = calibrate(program, folder, options)
    shutil.rmtree(folder)
    return {"accuracy": accuracy, "loss": loss,
            "diverged": diverged, "samples": last.get("samples", 0), "rounds": len(records),
            "processor_seconds": round(used.ru_utime + used.ru_stime, 2),
            "bytes_sent": sum(record["bytes_sent"] for record in records),
            "peak_memory_bytes": max((record["peak_memory_bytes"] for record in records), default=0),
            "sync_seconds_per_round": sync_seconds(program, options),
            "processor": processor(), "date": time.strftime("%Y-%m-%d"),
            "version": subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip()}


def main(given=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("program")
    parser.add_argument("grids", nargs="*", metavar="GRID", help="default: all, " + ", ".join(names()))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no run after this time")
    cores_here = len(os.sched_getaffinity(0))
    parser.add_argument("--jobs", type=int, choices=range(1, cores_here + 1), default=cores_here)
    arguments = parser.parse_intermixed_args(given)
    if unknown := set(arguments.grids) - set(names()):
        parser.error(f"no such grid: {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    arguments.grids = arguments.grids or list(names())
    end = time.monotonic() + arguments.seconds
    cores = Queue()
    for core in sorted(os.sched_getaffinity(0))[:arguments.jobs]:
        cores.put(core)
    for name in list(arguments.grids):
        try:
            data_options(arguments.program, Grid(name).declared["data"])  # made before two runs want it
        except Missing as missing:
            print(f"{name} is left out: {missing}", flush=True)
            arguments.grids.remove(name)
    lock = threading.Condition()
    under_way = set()
    failed = set()

    def next_run():
        for name in arguments.grids:
            grid = Grid(name)
            for case, seed in grid.todo():
                run = key(case.options), seed
                if run not in under_way | failed:
                    under_way.add(run)
                    return grid, case, seed
        return None

    def work():
        core = cores.get()
        while True:
            with lock:
                # A run that is under way may decide what others wait for.
                while time.monotonic() < end and (run := next_run()) is None and under_way:
                    lock.wait()
                if time.monotonic() >= end or run is None:
                    return
            grid, case, seed = run
            outcome = None
            try:
                outcome = train(arguments.program, case.options, seed, core)
            finally:
                with lock:
                    if outcome is not None:
                        grid.add({"setting": case.setting, "seed": seed, "options": case.options, **outcome})
                    else:
                        failed.add((key(case.options), seed))
                    under_way.discard((key(case.options), seed))
                    lock.notify_all()
            print(f"{grid.name}: {case.name}, seed {seed}: {100 * outcome['accuracy']:.2f} %, "
                  f"{outcome['processor_seconds']:.0f} s", flush=True)

    with ThreadPoolExecutor(arguments.jobs) as pool:
        for future in [pool.submit(work) for _ in range(arguments.jobs)]:
            future.result()


if __name__ == "__main__":
    sys.exit(main())
