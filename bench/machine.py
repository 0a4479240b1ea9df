"""What every kept figure says of where it was made."""
import json
import os
import re
import subprocess
import time
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    flags = next(line for line in lines if line.startswith("flags")).split()
    widest = next((flag for flag in ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "avx") if flag in flags), "no AVX")
    return f"{name} with {widest}"


def about(program=None):
    text = {"processor": processor(), "cores": len(os.sched_getaffinity(0)), "date": time.strftime("%Y-%m-%d")}
    if program:
        text["version"] = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip()
    return text


def path_of(kind, machine):
    name = re.sub(r"[^a-z0-9]+", "-", f"{kind}-{machine['processor']}-{machine['cores']}-cores".lower())
    return RESULTS / f"{name}.json"


def kept(kind, machine):
    """What was kept of this kind on this machine; empty if nothing was."""
    path = path_of(kind, machine)
    return json.loads(path.read_text()) if path.exists() else {}


def keep(kind, result):
    """Writes one finished run; a later one of the same kind on the same machine replaces it."""
    path = path_of(kind, result)
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)
