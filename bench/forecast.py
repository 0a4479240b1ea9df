#!/usr/bin/env python3
"""What `resist plan --measure` forecasts beside what runs really take, over links of several speeds.

    bench/forecast.py PROGRAM [RATE,...] [REPEATS]     default: 1gbit,100mbit,20mbit and 3; needs root

Two workers, each in a network namespace with a link of that rate both ways, all on this machine's cores; every method.
The plan measures two workers at once, since so many share the machine. Compared are the median seconds of a round
(local steps and synchronisation; the first round also sets things up and is left out) and of the evaluation. Kept in
bench/results/; `bench/performance.py report` writes docs/performance.md.
"""
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import about, keep
import synchronisation
from support import metrics

WORKERS = 2
METHODS = ["resist", "local-sgd", "data-parallel"]
NETWORK = ["--depths", "1,2,12,1", "--width", "16", "--batch-size", "32", "--local-iterations", "10", "--threads", "1"]
IMAGES = 4000
ROUNDS = 5


def forecast(program, rate):
    answer = subprocess.run([program, "plan", *NETWORK, "--workers", str(WORKERS), "--bandwidth", rate, "--measure",
                             str(WORKERS), "--samples", str(IMAGES), "--format", "json"],
                            check=True, capture_output=True, text=True).stdout
    return {row["method"]: row for row in json.loads(answer)["forecasts"][0]["methods"]}


def measure(program, rate, method, congestion):
    with tempfile.TemporaryDirectory(prefix="resist-bench-") as folder:
        synchronisation.on_hosts([program, "train", *NETWORK, "--data", f"synthetic:{IMAGES},3,32,32,10", "--method",
                                  method, "--rounds", ROUNDS, "--run-dir", f"{folder}/run"], WORKERS, rate, congestion)
        rounds = metrics(f"{folder}/run")
    return {"round": statistics.median(r["seconds_compute"] + r["seconds_sync"] for r in rounds[1:]),
            "evaluation": rounds[-1]["seconds_evaluation"]}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    rates = sys.argv[2].split(",") if len(sys.argv) > 2 else ["1gbit", "100mbit", "20mbit"]
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    congestion = synchronisation.own_congestion()
    result = {**about(program), "congestion_control": congestion, "workers": WORKERS, "repeats": repeats, "cases": []}
    for rate in rates:
        cases = {method: {"forecast": [], "measured": [], "forecast_evaluation": [], "measured_evaluation": []}
                 for method in METHODS}
        for _ in range(repeats):
            planned = forecast(program, rate)
            for method, case in cases.items():
                run = measure(program, rate, method, congestion)
                row = planned[method]
                case["forecast"].append(row["round"]["compute_seconds"] + row["round"]["sync_seconds"])
                case["forecast_evaluation"].append(row["evaluation_seconds"])
                case["measured"].append(run["round"])
                case["measured_evaluation"].append(run["evaluation"])
        for method, case in cases.items():
            off = statistics.median(case["forecast"]) / statistics.median(case["measured"]) - 1
            result["cases"].append({"rate": rate, "method": method, **case, "off": off})
            print(f"{rate}, {method}: forecast {statistics.median(case['forecast']):.3f} s, measured "
                  f"{statistics.median(case['measured']):.3f} s a round, {100 * off:+.1f} %", flush=True)
    keep("forecast", result)


if __name__ == "__main__":
    main()
