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


def version(program):
    """Of resist, the libtorch it was built with, and the system; the commit is that of the sources that lie here."""
    said = json.loads(subprocess.run([program, "doctor", "--format", "json"], capture_output=True, text=True).stdout)
    found = {finding["topic"]: finding for finding in said["findings"]}
    commit = git("rev-parse", "--short", "HEAD").stdout.strip()
    changed = "" if git("diff", "--quiet", "HEAD", "--", "src").returncode == 0 else ", changed"
    return (f"{found['version']['found']} ({commit}{changed}), libtorch {found['libtorch']['values']['version']}, "
            f"Linux {os.uname().release}")


def git(*arguments):
    return subprocess.run(["git", "-C", RESULTS.parents[1], *arguments], capture_output=True, text=True)


def about(program=None):
    text = {"processor": processor(), "cores": len(os.sched_getaffinity(0)), "date": time.strftime("%Y-%m-%d")}
    if program:
        text["version"] = version(program)
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
    write(path, json.dumps(result, indent=1) + "\n")
    print(path)


def write(path, text):
    """All of it or nothing."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    beside.replace(path)
