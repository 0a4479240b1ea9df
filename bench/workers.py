#!/usr/bin/env python3
"""What a worker costs by how many there are: processor time and payload of a round, workers as threads of one process.

    bench/workers.py PROGRAM [WORKERS,...] [REPEATS]     default: 2,4,8,16 and 5

A tiny network, of which every worker holds as many blocks however many there are, so a worker's local iterations are the
same; what is left to grow with S is the synchronisation. Processor time, so it does not matter what else runs. Start-up and
the evaluation at the end are in a shorter run as well, and taken off. Kept in bench/results/; `bench/performance.py report`
writes docs/performance.md.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import about, keep

LEAST_BLOCKS = 4  # of 8; with 2 workers and more that is what each holds
NETWORK = ["--depths", "1,1,9,1", "--width", "8", "--min-blocks", str(LEAST_BLOCKS)]
ITERATIONS, BATCH = 4, 8
ROUNDS = 20, 220
COUNTS = "2,4,8,16"


def processor_seconds(program, workers, rounds):
    with tempfile.TemporaryDirectory(prefix="resist-bench-") as folder:
        command = [program, "train", "--data", "synthetic:2000,3,8,8,10", *NETWORK, "--workers", str(workers), "--in-process",
                   "--threads", "1", "--local-iterations", str(ITERATIONS), "--batch-size", str(BATCH), "--rounds", str(rounds),
                   "--calibrate-samples", "0", "--checkpoint-every", "0", "--tensorboard=false", "--run-dir", f"{folder}/run"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"{' '.join(command)}\nended with {os.waitstatus_to_exitcode(status)}")
        return used.ru_utime + used.ru_stime


def planned_bytes(program, workers):
    """Payload that a worker sends in a round, on average."""
    said = subprocess.run([program, "plan", *NETWORK, "--channels", "3", "--image-size", "8", "--classes", "10", "--workers",
                           str(workers), "--format", "json"], check=True, capture_output=True, text=True).stdout
    mine = next(row for row in json.loads(said)["plans"] if row["method"] == "resist")
    return statistics.mean(mine["payload_bytes_by_round"]) / workers


def measure(program, counts, repeats):
    seconds = {workers: [] for workers in counts}
    for _ in range(repeats):
        for workers, found in seconds.items():
            short, long = (processor_seconds(program, workers, rounds) for rounds in ROUNDS)
            found.append((long - short) / (ROUNDS[1] - ROUNDS[0]) / workers)
    return [{"workers": workers, "seconds": found, "bytes_sent": planned_bytes(program, workers)}
            for workers, found in seconds.items()]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    counts = sorted(int(word) for word in (sys.argv[2] if len(sys.argv) > 2 else COUNTS).split(","))
    cases = measure(program, counts, int(sys.argv[3]) if len(sys.argv) > 3 else 5)
    for case in cases:
        print(f"{case['workers']} workers: {1e3 * statistics.median(case['seconds']):.2f} ms of processor a round and worker, "
              f"{case['bytes_sent'] / 1e3:.0f} kB sent")
    keep("workers", {**about(program), "iterations": ITERATIONS, "batch": BATCH, "cases": cases})


if __name__ == "__main__":
    main()
