"""What the studies share: runs that leave one row each in studies/rows/, and tables."""
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


class Rows:
    """One study's finished runs, a line of JSON each."""

    def __init__(self, name):
        self.path = ROOT / "studies" / "rows" / f"{name}.jsonl"

    def all(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def find(self, **wanted):
        return [row for row in self.all() if all(row[key] == value for key, value in wanted.items())]

    def add(self, row):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def train(program, options):
    """A training with these options: what it reached and cost, and where."""
    folder = Path(tempfile.mkdtemp(prefix="resist-study-"))
    flags = [f"--{name}={value}" for name, value in {**options, "run-dir": folder / "run"}.items()]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "train", *flags], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    records = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    shutil.rmtree(folder)
    return {"accuracy": records[-1]["accuracy"], "loss": records[-1]["test_loss"], "samples": records[-1]["samples"],
            "processor_seconds": round(used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, 1),
            "bytes_sent": sum(r["bytes_sent"] for r in records),
            "peak_memory_bytes": max(r["peak_memory_bytes"] for r in records),
            "processor": processor(), "cores": len(os.sched_getaffinity(0)),
            "version": subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip(),
            "date": time.strftime("%Y-%m-%d")}


def run_all(todo, run, describe):
    """`run PROGRAM [SECONDS]` of the command line: run(program, job) while todo() gives a job and SECONDS last."""
    program = sys.argv[2]
    end = time.monotonic() + float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")
    while (job := todo()) and time.monotonic() < end:
        print(describe(run(program, job)), flush=True)


def table(header, lines):
    return "\n".join(["| " + " | ".join(header) + " |", "| " + " | ".join("---" for _ in header) + " |",
                      *("| " + " | ".join(map(str, line)) + " |" for line in lines)])


def in_words(options):
    return "Options: " + ", ".join(f"`--{name} {value}`" for name, value in options.items()) + "."


def hardware(rows):
    return [f"Hardware: {rows[-1]['processor']}, {rows[-1]['cores']} cores, all workers on it; {rows[-1]['date']}.",
            ""] if rows else []
