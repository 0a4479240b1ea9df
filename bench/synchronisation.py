#!/usr/bin/env python3
"""Seconds of a synchronisation over slow links, beside the floor of its rounds.

    bench/synchronisation.py PROGRAM [WORKERS,...] [RATE,...] [CONGESTION]     default: 2,4,8 and 1gbit,100mbit; needs root

CONGESTION: TCP's congestion control in the hosts (reno, cubic, bbr); default: the system's.

Every worker has a network namespace of its own with a link of that rate both ways. The network is the paper's
(preact-resnet101, 100 classes, blocks included), with float32, with float32 but without the copies of blocks that keep them
from being lost with a worker, and with --compress int6. A round's floor is the most payload that any one worker must
send or receive in it, over the link's rate, as `resist plan` says: of each format its own. The run is kept in bench/results/;
`bench/performance.py report` writes docs/performance.md.
"""
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from machine import about, keep

# The tests' hosts; their module wants to know the program.
os.environ.setdefault("RESIST", sys.argv[1] if len(sys.argv) > 1 else "")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "end_to_end"))
from support import Hosts, metrics, rounds_of, run, start, torchrun_environment  # noqa: E402

NETWORK = ["--model", "preact-resnet101", "--classes", "100"]
ROUNDS = 6
FORMATS = {"float32": [], "float32, no copies": ["--protect", "none"], "int6": ["--compress", "int6"]}
BITS = {"gbit": 1e9, "mbit": 1e6}
PORT = 29650
LONGEST = 900  # seconds of a run


def bits_per_second(rate):
    return float(rate[:-4]) * BITS[rate[-4:]]


def floors(program, workers, rate, extra):
    plan = json.loads(run([program, "plan", *NETWORK, *extra, "--workers", workers, "--format", "json"]).stdout)
    mine = next(row for row in plan["plans"] if row["method"] == "resist")
    return [bytes_ * 8 / bits_per_second(rate) for bytes_ in mine["busiest_link_bytes_by_round"][:ROUNDS]]


def output_of(process):
    output, errors = process.communicate(timeout=LONGEST)
    if process.returncode != 0:
        sys.exit(errors)
    return output


@contextmanager
def started_on_hosts(command, workers, rate, congestion):
    """One worker's command under way on every host: its processes, which are killed at the end."""
    with Hosts(workers, rate) as hosts:
        for rank in range(workers):
            run(hosts.on(rank, ["sysctl", "-qw", f"net.ipv4.tcp_congestion_control={congestion}"]))
        # Without the interface's name PyTorch's Gloo would listen where the machine's own name leads to.
        processes = [start(hosts.on(rank, [str(word) for word in command]),
                           env={**torchrun_environment(rank, workers, "10.78.0.1", PORT, 1),
                                "GLOO_SOCKET_IFNAME": "veth"}) for rank in range(workers)]
        try:
            yield processes
        finally:
            for process in processes:
                process.kill()
                process.wait()


def on_hosts(command, workers, rate, congestion):
    """Runs one worker's command on every host to its end; returns what worker 0 printed."""
    with started_on_hosts(command, workers, rate, congestion) as processes:
        return [output_of(process) for process in processes][0]


def measure(program, workers, rate, extra, congestion, rounds=ROUNDS, local_iterations=1):
    """The records of the first rounds of a run, which is killed after them: an evaluation and a checkpoint over slow links
    take their time. The first round also opens connections: leave it out."""
    with tempfile.TemporaryDirectory(prefix="resist-bench-") as folder:
        command = [program, "train", *NETWORK, *extra, "--data", "synthetic:64,3,32,32,100", "--batch-size", "1",
                   "--local-iterations", local_iterations, "--rounds", 10 * rounds, "--checkpoint-every", "0", "--threads",
                   "1", "--run-dir", f"{folder}/run"]
        end = time.monotonic() + LONGEST
        with started_on_hosts(command, workers, rate, congestion) as processes:
            while rounds_of(f"{folder}/run") < rounds:
                if time.monotonic() > end:
                    sys.exit(f"no {rounds} rounds within {LONGEST} s")
                time.sleep(0.1)
                for process in processes:
                    if process.poll() is not None:
                        sys.exit(process.stderr.read())
        return metrics(f"{folder}/run")[:rounds]


def counts_and_rates(given):
    """The first two optional arguments."""
    counts, rates = [*given, *["2,4,8", "1gbit,100mbit"][len(given):]]
    return [int(word) for word in counts.split(",")], rates.split(",")


def own_congestion():
    return Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    counts, rates = counts_and_rates(sys.argv[2:4])
    congestion = sys.argv[4] if len(sys.argv) > 4 else own_congestion()
    result = {**about(program), "congestion_control": congestion, "cases": []}
    cases = [(workers, rate, wire) for workers in counts for rate in rates for wire in FORMATS]
    for workers, rate, wire in cases:
        extra = FORMATS[wire]
        rounds = measure(program, workers, rate, extra, congestion)
        pairs = list(zip([r["seconds_sync"] for r in rounds], floors(program, workers, rate, extra)))[1:]
        ratios = [seconds / floor for seconds, floor in pairs]
        case = {"workers": workers, "rate": rate, "format": wire, "seconds": [seconds for seconds, _ in pairs],
                "floors": [floor for _, floor in pairs], "ratio": statistics.median(ratios)}
        result["cases"].append(case)
        print(f"{workers} workers, {rate}, {wire}: median {statistics.median(s for s, _ in pairs):.2f} s, "
              f"{case['ratio']:.3f} times the floor")
    keep(f"synchronisation-{congestion}", result)


if __name__ == "__main__":
    main()
