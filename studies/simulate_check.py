#!/usr/bin/env python3
"""`resist simulate` beside measured rounds of a few workers.

    studies/simulate_check.py PROGRAM [WORKERS,...] [RATE,...] [CONGESTION]     default: 2,4 and 1gbit,100mbit; needs root

Every worker has a network namespace of its own with a link of that rate (bench/synchronisation.py does the runs). The
simulation is told the speed that the run's own local iterations had, so what is compared are the synchronisation, and
the round with all that it waits for. It ends with 1 where a synchronisation on links of at most 100 Mbit/s, which the
link decides, is more than a tenth off; on faster ones the processor that all workers share decides, and is only shown.
"""
import json
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))
from synchronisation import NETWORK, bits_per_second, counts_and_rates, measure, own_congestion, run  # noqa: E402

JOB = ["--batch-size", "1", "--local-iterations", "1"]
ROUNDS = 8
TOLERANCE = 0.1
SLOW = 1e8  # bits per second
GUESS = 1e10  # operations a second; what a first simulation is told


def simulated(program, workers, rate, speed):
    flags = ["--workers", workers, "--bandwidth", rate, "--speed", f"{speed / 1e9:.6f}gflops", "--rounds", ROUNDS]
    return json.loads(run([program, "simulate", *NETWORK, *JOB, *flags, "--format", "json"]).stdout)["result"]


def median(rounds, key):
    return statistics.median(r[key] for r in rounds)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    counts, rates = counts_and_rates(sys.argv[2:4] or ["2,4"])
    congestion = sys.argv[4] if len(sys.argv) > 4 else own_congestion()
    worst = 0
    for workers in counts:
        for rate in rates:
            rounds = measure(program, workers, rate, [], congestion, ROUNDS)[1:]  # the first also opens connections
            local = median(rounds, "seconds_compute")
            speed = GUESS * simulated(program, workers, rate, GUESS)["compute_seconds"] / local
            result = simulated(program, workers, rate, speed)
            error = result["sync_seconds"] / median(rounds, "seconds_sync") - 1
            whole = local + median(rounds, "seconds_sync")
            print(f"{workers} workers, {rate}: synchronisation {median(rounds, 'seconds_sync'):.3f} s measured, "
                  f"{result['sync_seconds']:.3f} s simulated ({100 * error:+.1f} %); round {whole:.3f} s, "
                  f"{result['round_seconds']['mean']:.3f} s")
            if bits_per_second(rate) <= SLOW:
                worst = max(worst, abs(error))
    sys.exit(1 if worst > TOLERANCE else 0)


if __name__ == "__main__":
    main()
