"""Checks what a run with lost and joining workers left behind against a small model of what may have happened.

The model: a job begins with the workers 0 .. N-1 and goes through generations, each of which follows from the one before
by losing and gaining workers; who is lost never comes back under its old name. Rounds are committed one after the other,
each by all workers of one generation, and with it one version of the shared parameters and of every block. What is read:
metrics.jsonl (a line a round), history.jsonl (a line a start, a generation, and a commit with the batches in it), and the
workers' journals (RESIST_JOURNAL: a line a commit, with checksums of what the worker holds). Every function returns what is
wrong, in words.
"""
import json
from pathlib import Path


def lines_of(path):
    """The objects of a file of lines; one that is just being written may be there in part, and is left out."""
    return [json.loads(line) for line in path.read_text().rpartition("\n")[0].splitlines()] if path.exists() else []


def generations_of(history):
    return [line for line in history if line["event"] == "generation"]


def check_rounds(metrics):
    """Every round once, in order, and samples in each."""
    wrong = []
    for place, line in enumerate(metrics):
        if line["round"] != place + 1:
            wrong.append(f"line {place + 1} of the metrics is round {line['round']}")
            break
    for before, line in zip(metrics, metrics[1:]):
        if line["samples"] <= before["samples"]:
            wrong.append(f"round {line['round']} has no samples")
    return wrong


def check_batches(history, batch_size):
    """Of a run with sharded data: every batch of the common stream in one commit, and none left out. Batches of iterations
    that were lost come back in the next round, so those of the last rounds may still be missing."""
    wrong, used = [], {}
    commits = [line for line in history if line["event"] == "commit"]
    for commit in commits:
        for worker in commit["workers"]:
            positions = [first + place * stride for first, stride, count in worker["batches"] for place in range(count)]
            if len(positions) != worker["iterations"]:
                wrong.append(f"worker {worker['worker']} has {len(positions)} batches in round {commit['round']}, but "
                             f"{worker['iterations']} iterations")
            for position in positions:
                if position in used:
                    wrong.append(f"the batch at {position} is in rounds {used[position]} and {commit['round']}")
                used[position] = commit["round"]
    changes = generations_of(history)
    if used and not (changes and changes[-1]["round"] + 2 >= commits[-1]["round"]):
        missing = sorted(set(range(0, max(used) + 1, batch_size)) - set(used))
        if missing:
            wrong.append(f"the batches at {missing[:5]} are in no round")
    return wrong


def attempts_of(history):
    """A history cut where the job was started: the workers that it began with, and its generations."""
    attempts = []
    for line in history:
        if line["event"] == "start":
            attempts.append((line["workers"], []))
        elif line["event"] == "generation":
            if not attempts:
                raise SystemExit("the history has a generation before the job's first start")
            attempts[-1][1].append(line)
    return attempts


def check_generations(attempts):
    wrong, last = [], 0
    for workers, generations in attempts:
        members, gone, number = set(range(workers)), set(), 0
        for line in generations:
            name, now = f"generation {line['generation']}", set(line["members"])
            lost, joined = set(line["lost"]), set(line["joined"])
            if line["generation"] <= number:
                wrong.append(f"{name} comes after generation {number}")
            if line["round"] < last:
                wrong.append(f"{name} goes back from round {last} to {line['round']}")
            if line["members"] != sorted(now) or not now:
                wrong.append(f"{name} has the members {line['members']}")
            if now - members - joined:
                wrong.append(f"{name} has {sorted(now - members - joined)}, who did not join")
            if members - now - lost:
                wrong.append(f"{name} misses {sorted(members - now - lost)}, who were not lost")
            if now & (lost | gone):
                wrong.append(f"{name} has {sorted(now & (lost | gone))}, who had been lost")
            gone |= lost
            members, number, last = now, line["generation"], line["round"]
    return wrong


class Versions:
    """The one version that each thing has after each round."""

    def __init__(self):
        self.known = {}  # (thing, round) -> checksum, who had it
        self.wrong = []

    def see(self, thing, number, checksum, who):
        first, by = self.known.setdefault((thing, number), (checksum, who))
        if first != checksum:
            self.wrong.append(f"after round {number} {who} has another version of {thing} than {by}")


def check_journals(journals, generations):
    """`journals`: of one attempt with these generations, by worker. No two workers ever have different values of one thing after one round,
    whichever generation they are in, and together they hold every block."""
    versions = Versions()
    # A block that was lost with all its copies has another version from that generation on.
    lost = {(line["generation"], entry["block"]) for line in generations for entry in line["lost_blocks"]}
    held, members = {}, {}
    for worker, lines in journals.items():
        who = f"worker {worker}"
        for before, line in zip(lines, lines[1:]):
            if (line["generation"], line["round"]) < (before["generation"], before["round"]):
                versions.wrong.append(f"{who} goes back from round {before['round']} to {line['round']}")
        for line in lines:
            versions.see("the shared parameters", line["round"], line["shared"], who)
            for block, checksum in line["blocks"].items():
                times_lost = sum(1 for generation, name in lost
                                 if name == int(block) and generation <= line["generation"])
                thing = f"block {block}" + (f", lost {times_lost} times" if times_lost else "")
                versions.see(thing, line["round"], checksum, who)
            key = (line["generation"], line["round"])
            held.setdefault(key, {})[worker] = set(line["blocks"])
            if members.setdefault(key, line["members"]) != line["members"]:
                versions.wrong.append(f"{who} has other members of generation {key[0]} than others")
            if worker not in line["members"]:
                versions.wrong.append(f"{who} is in generation {key[0]}, whose members are {line['members']}")
    everything = {block for holders in held.values() for blocks in holders.values() for block in blocks}
    for key, holders in held.items():
        missing = everything - set().union(*holders.values())
        if set(holders) == set(members[key]) and missing:
            versions.wrong.append(f"nobody holds blocks {sorted(missing, key=int)} after round {key[1]}")
    return versions.wrong


def read_journals(folder):
    """A job's journals by worker. The last line of a worker that was killed may be a part of one."""
    journals = {}
    for path in sorted(Path(folder).glob("worker-*.jsonl")):
        whole = path.read_text().rpartition("\n")[0]
        journals[int(path.stem.split("-")[1])] = [json.loads(line) for line in whole.splitlines()]
    return journals


def check_run(run_dir, journal_folders, batch_size=None):
    """What is wrong with a run, of which each start of the job wrote its journals into a folder of its own. `batch_size`: of
    a run with sharded data."""
    run_dir = Path(run_dir)
    metrics, history = lines_of(run_dir / "metrics.jsonl"), lines_of(run_dir / "history.jsonl")
    attempts = attempts_of(history)
    wrong = check_batches(history, batch_size) if batch_size else []
    wrong += check_rounds(metrics) + check_generations(attempts)
    if len(attempts) != len(journal_folders):
        wrong.append(f"the job was started {len(journal_folders)} times, its history says {len(attempts)}")
    for folder, (_, generations) in zip(journal_folders, attempts):
        journals = read_journals(folder)
        if not any(journals.values()):
            wrong.append(f"no worker wrote a journal into {folder}")
        wrong += check_journals(journals, generations)
    saved = sorted(int(path.name.split("-")[1]) for path in (run_dir / "checkpoints").glob("round-*"))
    if not metrics or not saved or saved[-1] != metrics[-1]["round"]:
        wrong.append(f"the last round, {metrics[-1]['round'] if metrics else 0}, has no checkpoint")
    return wrong
