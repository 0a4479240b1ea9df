#!/usr/bin/env python3
"""How long training stands still for a synchronisation, with --overlap and without, where a round's average has the time
to travel beside local iterations.

    bench/overlap.py PROGRAM [LOCAL_ITERATIONS] [CONGESTION]     default: 180, and the system's congestion control; needs root

The hosts and the network are bench/synchronisation.py's, 4 workers with links of 100 Mbit/s. The average lands after a fifth
of a round's local iterations, as by default. Of each run the first round is left out, which opens connections. Kept in
bench/results/; `bench/performance.py report` writes docs/performance.md.
"""
import statistics
import sys
from pathlib import Path

import synchronisation
from machine import about, keep

WORKERS, RATE = 4, "100mbit"
ROUNDS = 3
# Batches of one sample diverge at the rate of larger ones.
RUNS = {name: ["--lr", "1e-5", *extra] for name, extra in {"in full": [], "overlap": ["--overlap"]}.items()}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    iterations = int(sys.argv[2]) if len(sys.argv) > 2 else 180
    congestion = sys.argv[3] if len(sys.argv) > 3 else synchronisation.own_congestion()
    result = {**about(program), "congestion_control": congestion, "workers": WORKERS, "rate": RATE,
              "local_iterations": iterations, "runs": {}}
    for name, extra in RUNS.items():
        rounds = synchronisation.measure(program, WORKERS, RATE, extra, congestion, ROUNDS, iterations)[1:]
        result["runs"][name] = {key: [record[key] for record in rounds] for key in ("seconds_compute", "seconds_sync")}
        print(name, {key: round(statistics.median(values), 2) for key, values in result["runs"][name].items()}, flush=True)
    keep("overlap", result)


if __name__ == "__main__":
    main()
