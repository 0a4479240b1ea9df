#!/usr/bin/env python3
"""Seconds of a local step of resist and of an idiomatic PyTorch loop, alternating, same machine, same libtorch.

    bench/local_step.py PROGRAM [REPEATS] [STEPS]     default: 5 repeats of 3 steps

The networks are the paper's preact-resnet101 and its sub-network at S=4 (6 of 22 blocks in section 3), batch 32 of
3x32x32, one thread. Kept in bench/results/; `bench/performance.py report` writes docs/performance.md.
"""
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import about, keep

HERE = Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"  # the one whose torch is Debian's libtorch, as resist is built with
NETWORKS = {"sub-network, S=4": "3,4,7,3", "whole network": "3,4,23,3"}
BATCH = 32


def resist(program, depths, steps):
    """Mean of the second round of `steps`; the first one sets things up, as PyTorch's first step does."""
    with tempfile.TemporaryDirectory(prefix="resist-bench-") as folder:
        return resist_in(folder, program, depths, steps)


def resist_in(folder, program, depths, steps):
    job = ["--data", f"synthetic:{BATCH * steps * 2},3,32,32,100", "--model", "preact-resnet101", "--depths", depths,
           "--method", "local-sgd", "--workers", "1", "--threads", "1", "--batch-size", str(BATCH), "--local-iterations",
           str(steps), "--rounds", "2", "--eval-batch-size", "32", "--run-dir", f"{folder}/run"]
    subprocess.run([program, "train", *job], check=True, capture_output=True)
    last = Path(folder, "run", "metrics.jsonl").read_text().splitlines()[-1]
    return json.loads(last)["seconds_compute"] / steps


def pytorch(mode, depths, steps):
    answer = subprocess.run([PYTHON, HERE / "pytorch_loop.py", mode, depths, str(BATCH), str(steps), "1"],
                            check=True, capture_output=True, text=True).stdout
    return float(answer)


def measure(program, repeats=5, steps=3):
    result = {"batch": BATCH, "steps": steps, "repeats": repeats, "networks": {}}
    for name, depths in NETWORKS.items():
        seconds = {"resist": [], "PyTorch, defaults": [], "PyTorch, best": []}
        for _ in range(repeats):
            seconds["resist"].append(resist(program, depths, steps))
            seconds["PyTorch, defaults"].append(pytorch("default", depths, steps))
            seconds["PyTorch, best"].append(pytorch("best", depths, steps))
        result["networks"][name] = seconds
        print(name, {who: round(statistics.median(values), 3) for who, values in seconds.items()})
    return result


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    keep("local-step", {**about(program), **measure(program, *map(int, sys.argv[2:4]))})


if __name__ == "__main__":
    main()
