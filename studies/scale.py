#!/usr/bin/env python3
"""What changes beyond 16 workers, by `resist simulate`: docs/scale.md's tables.

    studies/scale.py PROGRAM     simulate every case, write studies/rows/scale.json and the tables
    studies/scale.py             only the tables, from that file

Every table has a name, the options that its rows have in common, its rows and its columns. A row is a label and the
options that it adds; a column a heading and what it shows of the simulation's result.
"""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "rows" / "scale.json"
PAGE = ROOT / "docs" / "scale.md"

NETWORK = {"model": "preact-resnet101", "classes": 100, "batch-size": 32, "local-iterations": 50, "seed": 1}
MACHINE = {"speed": "1tflops", "bandwidth": "1gbit", "latency": "100us"}
UNEVEN = {"speed-spread": 0.2, "jitter": 0.05, "bandwidth-spread": 0.3}
FAILING = {"fail-per-hour": 0.02, "return-after": 1800, "cut-off-share": 0.1, "timeout": 60}
SITES = {"sites": 10, "uplink": "10gbit", "uplink-latency": "10ms"}

SECONDS = ("s a round", lambda r: f"{r['round_seconds']['mean']:.1f}")
LONGEST = ("99 %", lambda r: f"{r['round_seconds']['percentile_99']:.1f}")
LOCAL = ("local", lambda r: f"{r['compute_seconds']:.1f}")
SYNC = ("sync", lambda r: f"{r['sync_seconds']:.1f}")
MEETING = ("between groups", lambda r: f"{r['meeting_seconds']:.1f}")
GOODPUT = ("samples/s", lambda r: f"{r['goodput']:.0f}")
SHARE = ("of even workers", lambda r: f"{100 * r['goodput_share']:.1f} %")
BUSIEST = ("MB, busiest link", lambda r: f"{r['round_busiest_link_bytes'] / 1e6:.0f}")
STOPPED = ("began anew", lambda r: r["stopped_synchronisations"])
HOLDERS = ("holders", lambda r: f"{r['blocks']['holders']:.1f}")
UNHELD = ("blocks left without a holder", lambda r: r["blocks"]["unheld"])
FROM_BUDDY = ("from a buddy", lambda r: r["blocks"]["from_buddy"])
FROM_CHECKPOINT = ("from a checkpoint", lambda r: r["blocks"]["from_checkpoint"])
LOST_ROUNDS = ("their rounds lost", lambda r: f"{r['blocks']['rounds_lost']:.0f}")
STALENESS = ("staleness", lambda r: f"{r['staleness']['mean']:.2f}" if "staleness" in r else "0")
STALEST = ("at most", lambda r: f"{r['staleness']['most']:.1f}" if "staleness" in r else "0")

TABLES = {
    "size": {
        "common": {**MACHINE, "rounds": 50},
        "rows": [(str(n), {"workers": n}) for n in (4, 16, 64, 256, 1024, 4096)],
        "columns": [SECONDS, LOCAL, SYNC, BUSIEST, HOLDERS, GOODPUT], "label": "workers"},
    "uneven": {
        "common": {**MACHINE, **UNEVEN, "rounds": 200},
        "rows": [(str(n), {"workers": n}) for n in (4, 16, 64, 256, 1024)],
        "columns": [SECONDS, LONGEST, LOCAL, SYNC, SHARE], "label": "workers"},
    "failures": {
        "common": {**MACHINE, **FAILING, "rounds": 1000},
        "rows": [(f"{n} workers, {rate:g} an hour", {"workers": n, "fail-per-hour": rate})
                 for n in (16, 1000) for rate in (0.01, 0.1, 1)],
        "columns": [SECONDS, LONGEST, STOPPED, SHARE, UNHELD], "label": "failures of a worker"},
    "protection": {
        "common": {**MACHINE, **FAILING, "fail-per-hour": 0.1, "min-blocks": 1, "rounds": 5000},
        "rows": [(f"{n} workers, replication {k}, protection {protect}",
                  {"workers": n, "replication": k, "protect": protect})
                 for n, k, protect in ((4, 1, "none"), (4, 1, "buddy"), (16, 1, "none"), (16, 1, "buddy"), (16, 2, "none"),
                                       (16, 3, "none"), (100, 1, "none"))],
        "columns": [SECONDS, BUSIEST, HOLDERS, UNHELD, FROM_BUDDY, FROM_CHECKPOINT, LOST_ROUNDS], "label": "job"},
    "groups": {
        "common": {**MACHINE, **UNEVEN, **FAILING, "workers": 1024, "rounds": 200},
        "rows": [("one job", {})] + [(f"{groups} groups, meet every {n} rounds", {"groups": groups, "group-rounds": n})
                                     for groups, n in ((8, 10), (64, 1), (64, 10), (64, 50))],
        "columns": [SECONDS, LOCAL, SYNC, MEETING, BUSIEST, SHARE, GOODPUT], "label": "1024 workers"},
    "sites": {
        "common": {**MACHINE, **FAILING, **SITES, "workers": 1000, "rounds": 50},
        "rows": [("flat exchange", {}), ("hierarchical averaging", {"hierarchical": None}),
                 ("10 groups, meet every round", {"groups": 10, "group-rounds": 1}),
                 ("10 groups, meet every 10 rounds", {"groups": 10, "group-rounds": 10})],
        "columns": [SECONDS, SYNC, MEETING, STOPPED, GOODPUT], "label": "1000 workers on 10 sites"},
    "homes": {
        "common": {**MACHINE, **SITES, "workers": 1000, "rounds": 100, "hierarchical": None, "uplink": "1gbit"},
        "rows": [("anywhere, every round", {})] + [(f"10 homes, for {n} rounds", {"homes": 10, "home-rounds": n})
                                                    for n in (1, 10, 50)],
        "columns": [SECONDS, SYNC, HOLDERS, GOODPUT], "label": "blocks move"},
    "asynchronous": {
        "common": {**MACHINE, **UNEVEN, **FAILING, "rounds": 200},
        "rows": [(f"{n} workers, {'asynchronous' if free else 'in rounds'}",
                  {"workers": n, **({"asynchronous": None} if free else {})})
                 for n in (16, 128, 1024) for free in (False, True)],
        "columns": [SECONDS, SHARE, GOODPUT, STALENESS, STALEST], "label": "job"},
}


def simulate(program, options):
    flags = [f"--{name}" if value is None else f"--{name}={value}" for name, value in {**NETWORK, **options}.items()]
    done = subprocess.run([program, "simulate", *flags, "--format", "json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(flags)}: {done.stderr}")
    return json.loads(done.stdout)["result"]


def run(program):
    results = {}
    for name, table in TABLES.items():
        results[name] = [{"label": label, "options": {**table["common"], **own},
                          "result": simulate(program, {**table["common"], **own})} for label, own in table["rows"]]
        print(f"{name}: {len(results[name])} simulations")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    RESULTS.write_text(json.dumps({"version": version, "network": NETWORK, "tables": results}, indent=1) + "\n")


def in_words(options):
    return " ".join(f"--{name}" if value is None else f"--{name} {value}" for name, value in options.items())


def shared_options(table):
    """Those that a row goes by unless it has its own."""
    return {name: value for name, value in {**NETWORK, **table["common"]}.items()
            if not all(name in own for _, own in table["rows"])}


def markdown(name, rows):
    columns = TABLES[name]["columns"]
    header = [TABLES[name]["label"], *(heading for heading, _ in columns)]
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " ---: |" * len(columns)]
    for row in rows:
        cells = [show(row["result"]) for _, show in columns]
        stalled = " (stalled)" if row["result"]["stalled"] else ""
        lines.append("| " + " | ".join(map(str, [row["label"] + stalled, *cells])) + " |")
    return "\n".join([*lines, "", f"`resist simulate {in_words(shared_options(TABLES[name]))}` and each row's own."])


def report():
    results = json.loads(RESULTS.read_text())["tables"]
    page = PAGE.read_text()
    for name in TABLES:
        begin, end = f"<!-- {name}-begin -->\n", f"<!-- {name}-end -->"
        before, rest = page.split(begin)
        page = before + begin + markdown(name, results[name]) + "\n" + end + rest.split(end, 1)[1]
    PAGE.write_text(page)


def main():
    if len(sys.argv) > 2 or (len(sys.argv) < 2 and not RESULTS.exists()):
        sys.exit(__doc__)
    if len(sys.argv) == 2:
        run(str(Path(sys.argv[1]).resolve()))
    report()


if __name__ == "__main__":
    main()
