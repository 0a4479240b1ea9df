#!/usr/bin/env python3
"""What resist's own parts reach on this machine, beside their bounds.

    bench/performance.py run build/bench/bin/kernel_bench   run the kernels and keep their figures in bench/results/
    bench/performance.py report                             write docs/performance.md and the figures of
                                                            docs/reliability.md from bench/results/

A file in bench/results/ is one finished run: of this script, of another one in bench/, or of scripts/fault-lab.
"""
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

from machine import RESULTS, about, keep, write

ROOT = Path(__file__).resolve().parents[1]
REPETITIONS = 7
# Benchmarks of what no walk through memory is faster than.
BOUNDS = {"copy": "copying", "add": "adding in place"}


def run(program):
    """All benchmarks, repetitions shuffled among each other so that a slow moment of the machine spoils none."""
    answer = subprocess.run([program, f"--benchmark_repetitions={REPETITIONS}", "--benchmark_format=json",
                             "--benchmark_enable_random_interleaving=true", "--benchmark_report_aggregates_only=true"],
                            check=True, capture_output=True, text=True).stdout
    keep("kernels", {**about(Path(program).resolve().with_name("resist")), "repetitions": REPETITIONS,
                     "benchmarks": json.loads(answer)["benchmarks"]})


def aggregate(result, name, which, key):
    """Of all repetitions: `which` is median or cv (standard deviation over mean)."""
    found = [b for b in result["benchmarks"] if b["run_name"] == name and b["aggregate_name"] == which]
    return found[0][key] if found else None


def table(header, lines):
    return "\n".join(["| " + " | ".join(header) + " |", "| " + " | ".join("---" for _ in header) + " |",
                      *("| " + " | ".join(line) + " |" for line in lines)])


def names_of(result, prefix):
    """Of all benchmarks that begin so, by their numbers."""
    found = {b["run_name"] for b in result["benchmarks"] if b["run_name"].startswith(prefix)}
    return sorted(found, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])


def rows_of(result, prefix, key, show):
    for name in names_of(result, prefix):
        yield (f"`{name}`", show(aggregate(result, name, "median", key)),
               f"{100 * aggregate(result, name, 'cv', key):.0f} %")


def bounds_of(result):
    return [bound for bound in BOUNDS if names_of(result, f"{bound}/")]


def sgd_lines(result):
    for name in names_of(result, "sgd/"):
        bounds = [aggregate(result, f"{bound}/{name.split('/')[1]}", "median", "bytes_per_second")
                  for bound in bounds_of(result)]
        rate = aggregate(result, name, "median", "bytes_per_second")
        yield (f"`{name}`", f"{rate / 1e9:.1f} GB/s", *(f"{bound / 1e9:.1f} GB/s" for bound in bounds),
               f"{100 * rate / max(bounds):.0f} %", f"{100 * aggregate(result, name, 'cv', 'bytes_per_second'):.0f} %")


def convolution_lines(result):
    for name in names_of(result, "convolution/"):
        shape = name.split("/", 1)[1]
        yield (f"`{shape}`", *(f"{aggregate(result, f'{who}/{shape}', 'median', 'items_per_second') / 1e9:.0f} "
                               f"({100 * aggregate(result, f'{who}/{shape}', 'cv', 'items_per_second'):.0f} %)"
                               for who in ("convolution", "libtorch", "convolution_bf16", "libtorch_bf16")))


def evaluation_lines(result):
    for bf16 in (0, 1):
        name, bare = (f"Evaluation/{what}/bf16:{bf16}/iterations:1" for what in ("evaluate", "forward"))
        whole, forward = (aggregate(result, one, "median", "cpu_time") for one in (name, bare))
        yield (f"`{name}`", f"{whole / 1e3:.2f} s", f"{forward / 1e3:.2f} s", f"{whole / forward:.2f}",
               f"{100 * aggregate(result, name, 'cv', 'cpu_time'):.0f} %")


def spread(values):
    """The standard deviation over the mean, for a table."""
    return f"{100 * statistics.stdev(values) / statistics.mean(values):.0f} %" if len(values) > 1 else ""


def hardware(result):
    words = [f"{result['processor']}, {result['cores']} cores"]
    return ", ".join([*words, *([result["version"]] if "version" in result else []), result["date"]])


def kernels(result):
    return [f"{hardware(result)}, {result['repetitions']} repetitions", "",
            "Fused SGD (momentum, weight decay) over an arena, one thread, bytes read and written; beside it its bound, of several "
            "the fastest:", "",
            table(("benchmark", "reaches", *(BOUNDS[bound] for bound in bounds_of(result)), "share", "spread"),
                  list(sgd_lines(result))), "",
            "A 3x3 convolution of a batch of 32 forward and backward, one thread, in GFLOP/s of direct convolution (spread); "
            "libtorch's in its default format, in bf16 in channels last:", "",
            table(("shape", "float32", "libtorch", "bf16", "libtorch"), list(convolution_lines(result))), "",
            "Codecs, bytes of float32 a second, one thread (formats 1 to 4: bf16, int8, int6, int4):", "",
            table(("benchmark", "GB/s", "spread"),
                  [line for prefix in ("encode_values/", "decode_values/") for line in
                   rows_of(result, prefix, "bytes_per_second", lambda rate: f"{rate / 1e9:.2f}")]), "",
            "Pictures a second, one core (`loader`: with its thread, batches of 32):", "",
            table(("benchmark", "pictures/s", "spread"),
                  [line for prefix in ("augment/", "loader/") for line in
                   rows_of(result, prefix, "items_per_second", lambda rate: f"{rate:,.0f}".replace(",", " "))]), "",
            "An evaluation of preact-resnet101, two batches of 250, beside the forward pass alone (processor time, one thread):", "",
            table(("benchmark", "evaluation", "forward", "times", "spread"), list(evaluation_lines(result))), "",
            "Dealing a round's blocks:", "",
            table(("benchmark", "time", "spread"),
                  list(rows_of(result, "dealing/", "real_time", lambda ns: f"{ns / 1000:.1f} us"))), "",
            "The mean over workers of 4 MiB each, workers as threads of one process, payload one worker sends:", "",
            table(("benchmark", "GB/s", "spread"),
                  list(rows_of(result, "MeanOverWorkers/", "bytes_per_second", lambda rate: f"{rate / 1e9:.2f}"))), ""]


def beside(cases, reference, show):
    """A line per case and contender: what it reaches, its spread, and how many times what the reference does."""
    lines = []
    for case, measured in cases.items():
        theirs = statistics.median(measured[reference])
        for who, values in measured.items():
            middle = statistics.median(values)
            lines.append((case, who, show(middle), spread(values), f"{middle / theirs:.2f}"))
    return lines


def local_step(result):
    lines = beside(result["networks"], "resist", lambda seconds: f"{seconds:.3f} s")
    return [f"{hardware(result)}; batch {result['batch']} of 3x32x32, one thread, {result['repeats']} alternating repeats "
            f"of {result['steps']} steps, PyTorch of the same libtorch", "",
            table(("network", "who", "a step", "spread", "times resist's"), lines), ""]


def compare(result):
    lines = []
    for row in result["rounds"]:
        times = row["times_a_round"]
        seconds = statistics.median(row["seconds"])
        lines.append((str(row["workers"]), row["rate"], row["who"], f"{times * seconds:.2f} s", spread(row["seconds"]),
                      f"{seconds / row['floor']:.2f}" if row["floor"] else "",
                      f"{times * statistics.median(row['bytes_sent']) / 1e6:.0f} MB",
                      f"{statistics.median(row['peak_memory_bytes']) / 1e6:.0f} MB", str(len(row["seconds"])), row["date"]))
    versions = "; ".join(dict.fromkeys(row["version"] for row in result["rounds"]))
    return [f"{result['processor']}, {result['cores']} cores, {versions}; every worker in a network namespace with a link of "
            f"its own, all on these cores; TCP congestion control {result['congestion_control']}. A round is 50 local "
            "iterations, and DistributedDataParallel synchronises in every one of them. resist's bytes are the payload of "
            "the worker that sends most, PyTorch's what worker 0's interface counts; memory is a worker's peak, with "
            "gradients and momentum, at batch 1. Repeats alternate. " + result.get("remark", ""), "",
            table(("workers", "link", "who", "a round", "spread", "times the floor", "sent", "memory", "repeats", "date"), lines),
            ""]


def pictures(result):
    lines = beside(result["crops"], "Pillow", lambda rate: f"{rate:.0f}")
    return [f"{hardware(result)}; one core, {result['repeats']} alternating repeats of {result['passes']} passes over 250 "
            "pictures of ImageNet's size: read, decoded, cropped (random: RandomResizedCrop and flip; centre: shorter side "
            "to 256, middle 224), resampled to 224x224, normalised", "",
            table(("crop", "who", "pictures/s", "spread", "times Pillow's"), lines), ""]


def synchronisation(result):
    return [f"{hardware(result)}; TCP congestion control {result['congestion_control']}; every worker in a network namespace with "
            "a link of its own, all on these cores. Each row's floor is of its own bytes: blocks are copied, so that none is "
            "lost with a worker, but where the row says no copies (`--protect none`)", "",
            table(("workers", "link", "format", "seconds", "floor", "times the floor"),
                  [(str(case["workers"]), case["rate"], case["format"], f"{statistics.median(case['seconds']):.2f}",
                    f"{statistics.median(case['floors']):.2f}", f"{case['ratio']:.2f}") for case in result["cases"]]), ""]


def overlap(result):
    in_full = statistics.median(result["runs"]["in full"]["seconds_sync"])
    lines = []
    for name, run in result["runs"].items():
        compute, exposed = (statistics.median(run[key]) for key in ("seconds_compute", "seconds_sync"))
        lines.append((name, f"{compute:.1f} s", f"{exposed:.2f} s", f"{100 * (exposed / in_full - 1):+.0f} %"))
    return [f"{hardware(result)}; {result['workers']} workers with links of {result['rate']}, {result['local_iterations']} local "
            f"iterations a round, the average lands after a fifth of them; TCP congestion control "
            f"{result['congestion_control']}; a median of {len(result['runs']['in full']['seconds_sync'])} rounds", "",
            table(("synchronised", "local iterations", "training stands still", "against in full"), lines), ""]


def workers(result):
    fewest = result["cases"][0]
    before = statistics.median(fewest["seconds"])
    lines = []
    most = result["cases"][-1]
    growth = [100 * (after / earlier - 1) for after, earlier in
              ((statistics.median(most["seconds"]), before), (most["bytes_sent"], fewest["bytes_sent"]))]
    for case in result["cases"]:
        seconds = statistics.median(case["seconds"])
        more_bytes = case["bytes_sent"] - fewest["bytes_sent"]
        lines.append((str(case["workers"]), f"{1e3 * seconds:.2f} ms", spread(case["seconds"]),
                      f"{case['bytes_sent'] / 1e3:.0f} kB",
                      f"{1e9 * (seconds - before) / more_bytes:.2f} ns" if more_bytes else ""))
    return [f"{hardware(result)}; workers as threads of one process, a tiny network of which each holds as much; "
            f"{result['iterations']} local iterations of {result['batch']} samples a round; {len(fewest['seconds'])} alternating "
            "repeats", "",
            table(("workers", "processor time a round and worker", "spread", "planned payload a worker sends",
                   f"time beyond {fewest['workers']} workers, for each byte beyond"), lines), "",
            f"With {most['workers']} workers instead of {fewest['workers']} a worker costs {growth[0]:.0f} % more and sends "
            f"{growth[1]:.0f} % more.", ""]


def forecast(result):
    lines = [(case["rate"], case["method"], f"{statistics.median(case['forecast']):.3f}",
              f"{statistics.median(case['measured']):.3f}", f"{100 * case['off']:+.1f} %",
              f"{statistics.median(case['forecast_evaluation']):.2f}",
              f"{statistics.median(case['measured_evaluation']):.2f}") for case in result["cases"]]
    return [f"{hardware(result)}; TCP congestion control {result['congestion_control']}; {result['workers']} workers in "
            f"network namespaces, a link each, all on these cores; medians of {result['repeats']} alternating repeats; "
            "seconds", "",
            table(("link", "method", "a round, forecast", "measured", "off", "evaluation, forecast", "measured"), lines),
            ""]


def faults(result):
    speed = result["samples_per_second"]
    seconds = result["recovery_seconds"]
    hosts = f", each on a host of its own with a link of {result['rate']}" if result.get("rate") else ""
    return [f"{hardware(result)}; {result['workers']} workers on these cores{hosts}, {result['seconds']:.0f} s of faults, each "
            f"{result['seconds_between_faults']:g} s after the one before is over on average, lost workers replaced by new ones that join; no block was "
            "lost. Recovery: from noticing a loss until the others train on", "",
            table(("faults", "generations", "rounds", "recovery, median", "longest", "samples/s", "without faults", "kept"),
                  [(", ".join(f"{count} x {fault}" for fault, count in result["injected"].items() if count),
                    str(result["generations"]), str(result["rounds"]), f"{seconds['median']:.2f} s",
                    f"{seconds['largest']:.2f} s", f"{speed['disturbed']:.0f}", f"{speed['undisturbed']:.0f}",
                    f"{100 * speed['disturbed'] / speed['undisturbed']:.0f} %")]), ""]


SECTIONS = {"local-step": ("Local step, preact-resnet101, beside an idiomatic PyTorch loop", local_step),
            "compare": ("Synchronising a round beside PyTorch, preact-resnet101", compare),
            "synchronisation": ("Synchronisation over slow links, preact-resnet101, blocks included",
                                synchronisation),
            "overlap": ("What `--overlap` hides of a synchronisation, preact-resnet101", overlap),
            "forecast": ("What `resist plan --measure` forecasts, beside real runs", forecast),
            "workers": ("A worker's cost by how many there are", workers),
            "pictures": ("Decoding and cropping pictures, beside Pillow", pictures),
            "kernels": ("Kernels", kernels)}


PAGE, RELIABILITY = ROOT / "docs" / "performance.md", ROOT / "docs" / "reliability.md"
FAULTS_BEGIN, FAULTS_END = "<!-- faults-begin: bench/performance.py report -->\n", "<!-- faults-end -->\n"


def results(kind):
    return [json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{kind}-*.json"))]


def page():
    text = ["# Performance", "", "Written by `bench/performance.py report` from `bench/results/`; each file there is one "
            "finished run. Medians; the spread is the standard deviation over the mean.", ""]
    for kind, (title, section) in SECTIONS.items():
        for result in results(kind):
            text += [f"## {title}", "", *section(result)]
    return "\n".join(text)


def with_faults(text):
    """docs/reliability.md with the figures of today's results."""
    before, begin, rest = text.partition(FAULTS_BEGIN)
    _, end, after = rest.partition(FAULTS_END)
    if not end:
        sys.exit(f"{RELIABILITY} has no place for figures: {FAULTS_BEGIN}{FAULTS_END}")
    return before + begin + "\n".join(line for result in results("faults") for line in faults(result)) + end + after


def report():
    write(PAGE, page())
    write(RELIABILITY, with_faults(RELIABILITY.read_text()))


def main():
    if sys.argv[1:2] == ["run"] and len(sys.argv) == 3:
        run(sys.argv[2])
    elif sys.argv[1:] == ["report"]:
        report()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
