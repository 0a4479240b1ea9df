#!/usr/bin/env python3
"""studies/results.py: writes docs/results.md and its pictures from studies/grids/ and studies/rows/."""
import itertools
import statistics

import links
import plot
from grid import ROOT, Grid, Undecided, names

ABOVE = "the row above"  # as a grid's reference
ENOUGH_FOR_A_MEDIAN = 8
MEDIAN_OF_NORMAL = 0.6745  # of |z|, z standard normal
LINKS = {"1gbit": "1 Gbit/s", "100mbit": "100 Mbit/s"}


def table(header, lines):
    return "\n".join(["| " + " | ".join(header) + " |", "| " + " | ".join("---" for _ in header) + " |",
                      *("| " + " | ".join(line) + " |" for line in lines)])


def in_words(options):
    words = {True: "true", False: "false"}
    return ", ".join(f"`--{name} {words.get(value, value) if isinstance(value, bool) else value}`"
                     for name, value in options.items())


def mean(rows, value):
    return statistics.mean(value(row) for row in rows)


def compute_seconds(row):
    """Of one worker: all workers of a run share one core."""
    return row["processor_seconds"] / row["options"]["workers"]


def seconds_over(row, link):
    return compute_seconds(row) + row["rounds"] * row["sync_seconds_per_round"][link]


def accuracy_cells(found):
    points = [100 * row["accuracy"] for row in found]
    deviation = f"{statistics.stdev(points):.2f}" if len(points) > 1 else ""
    return f"{statistics.mean(points):.2f} %", deviation


def paired_points(found, reference):
    return [100 * (found[seed]["accuracy"] - reference[seed]["accuracy"]) for seed in found if seed in reference]


def difference_cells(found, reference):
    """Mean of the paired differences in points and its standard error."""
    pairs = paired_points(found, reference)
    if len(pairs) < 2 or found is reference:
        return "", ""
    return f"{statistics.mean(pairs):+.2f}", f"{statistics.stdev(pairs) / len(pairs) ** 0.5:.2f}"


def two_pairs_error(found, reference):
    """The standard error of a mean of two paired differences; None: there are not two."""
    pairs = paired_points(found, reference)
    return abs(pairs[0] - pairs[1]) / 2 if len(pairs) == 2 and found is not reference else None


def cost_cells(found, with_links):
    cells = [f"{mean(found, compute_seconds):.1f}"]
    if with_links:
        cells += [f"{mean(found, lambda row: seconds_over(row, link)):.1f}" for link in LINKS]
    return [*cells, f"{mean(found, lambda row: row['bytes_sent']) / 1e6:.0f}"]


def finished(grid):
    """Every case that has rows, with them, and a sentence for each setting that waits for a choice."""
    cases, undecided = [], []
    for setting in grid.settings():
        try:
            cases += [(case, found) for case in grid.cases(setting) if (found := grid.found(case))]
        except Undecided as missing:
            undecided.append(f"{setting} waits for {missing}")
    return cases, undecided


COSTS = {"payload, MB": lambda row: row["bytes_sent"] / 1e6, "compute, s": compute_seconds,
         **{f"compute and links of {words}, s": lambda row, link=link: seconds_over(row, link) for link, words in LINKS.items()}}


def lines_by_cost(grid):
    """The points of every line that a grid names (`plot`: settings by line) and that has any, by cost."""
    found = {}
    for case, rows in finished(grid)[0]:
        found.setdefault(case.setting, []).append(list(rows.values()))

    def points(settings, cost):
        for rows in (rows for setting in settings for rows in found.get(setting, []) if len(rows) > 1):
            accuracies = [100 * row["accuracy"] for row in rows]
            yield plot.Point(mean(rows, cost), statistics.mean(accuracies),
                             statistics.stdev(accuracies) / len(accuracies) ** 0.5)

    lines = {name: settings for name, settings in grid.declared.get("plot", {}).items() if any(
        len(rows) > 1 for setting in settings for rows in found.get(setting, []))}
    return {label: {name: list(points(settings, cost)) for name, settings in lines.items()}
            for label, cost in COSTS.items()}


def picture(grid):
    """Accuracy over bytes and over time; None: nothing yet."""
    panels = lines_by_cost(grid)
    if not any(panels.values()):
        return None
    return plot.svg("test accuracy, %" if grid.on_test else "held-out accuracy, %", panels)


def cost_at(points, accuracy):
    """On the straight line between the two budgets around it; None: there are no such two."""
    points = sorted(points, key=lambda point: point.x)
    for before, after in itertools.pairwise(points):
        if before.y <= accuracy <= after.y:
            if before.y == after.y:
                return before.x
            return before.x + (after.x - before.x) * (accuracy - before.y) / (after.y - before.y)
    return None


def sooner(grid):
    """What each line needs for the accuracy that the best budget of a baseline ends with, and how many times less."""
    panels = lines_by_cost(grid)
    lines = []
    for baseline in grid.declared.get("baselines", []):
        ends = [max(points[baseline], key=lambda point: point.y) for points in panels.values() if baseline in points]
        for line in next(iter(panels.values())) if ends else []:
            if line not in grid.declared["baselines"]:
                needed = [cost_at(points[line], end.y) for points, end in zip(panels.values(), ends)]
                lines.append((line, f"{baseline}, {ends[0].y:.2f} %",
                              *(f"{cost:.1f} ({end.x / cost:.1f})" if cost else "not within its budgets"
                                for cost, end in zip(needed, ends))))
    if not lines:
        return []
    header = ["to reach it", "accuracy of", *(f"{label} (times less)" for label in panels)]
    return [table(header, lines), "", "Between budgets on a straight line.", ""]


def section(grid):
    cases, undecided = finished(grid)
    text = [f"## {grid.title}", ""]
    if grid.about:
        text += [grid.about.strip(), ""]
    if cases:
        text += described(grid, cases)
    if "plot" in grid.declared and picture(grid):
        text += [f"![{grid.title}]({picture_path(grid).name})", "",
                 "Means and their standard errors; the points of a line are its budgets.", ""]
    text += sooner(grid)
    left = sum(1 for _ in grid.todo())
    if left:
        text += [f"{left} runs are still to be done (`studies/run.py PROGRAM {grid.name}`).", ""]
    for line in undecided:
        text += [f"Not begun: {line}.", ""]
    return text


def described(grid, cases):
    options = [case.options for case, _ in cases]
    common = {name: value for name, value in options[0].items()
              if all(name in other and other[name] == value for other in options)}
    rows = [row for _, found in cases for row in found.values()]
    with_links = all("sync_seconds_per_round" in row for row in rows)
    wanted = grid.declared.get("reference", grid.settings()[0])
    # Of several cases the best one.
    reference = max((found for case, found in cases if case.setting == wanted), default={},
                    key=lambda found: mean(found.values(), lambda row: row["accuracy"]))
    lines, errors = [], []
    above = {}
    for case, found in cases:
        beside = above if wanted == ABOVE else reference
        own = {name: value for name, value in case.options.items() if name not in common}
        runs = list(found.values())
        lines.append((case.setting, in_words(own), str(len(runs)), *accuracy_cells(runs),
                      *difference_cells(found, beside),
                      *cost_cells(runs, with_links)))
        if (error := two_pairs_error(found, beside)) is not None:
            errors.append(error)
        above = found
    header = ["setting", "options", "runs", "test accuracy" if grid.on_test else "held-out accuracy", "deviation",
              f"points against {wanted}", "standard error", "compute s",
              *(f"s over {rate}" for rate in LINKS.values() if with_links), "payload MB"]
    processors = ", ".join(sorted({row["processor"] for row in rows}))
    dates = sorted({row["date"] for row in rows})
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    text = [f"All: {in_words(common)}.", "", table(header, lines), ""]
    if len(errors) >= ENOUGH_FOR_A_MEDIAN:
        text += [f"Two pairs say little of an error of their own. By the median of this table's, a difference has a standard "
                 f"error of {statistics.median(errors) / MEDIAN_OF_NORMAL:.2f}.", ""]
    return [*text, f"{processors}, {when}.", ""]


def links_section():
    rows = links.rows()
    if not rows:
        return []
    lines = [(row["rate"], row["setting"], f"{100 * row['accuracy']:.2f} %", f"{row['seconds']:.1f}",
              f"{row['forecast_seconds']:.1f}", f"{100 * (row['forecast_seconds'] / row['seconds'] - 1):+.1f} %",
              f"{row['compute_seconds']:.1f}", f"{row['seconds'] - row['compute_seconds']:.1f}",
              f"{row['bytes_sent'] / 1e6:.0f}") for row in rows]
    header = ["link", "setting", "test accuracy", "s", "s by the model", "off", "computing", "standing still", "payload MB"]
    return ["## CIFAR-10: 2 workers over links for real", "", "The recipe of `cifar`, each worker with a core and a network namespace "
            "of its own, the link between them shaped. The model is what the other tables go by: measured local iterations, "
            "and each round's synchronisation as `resist plan` forecasts it. One run each.", "", table(header, lines), "",
            f"{', '.join(sorted({row['processor'] for row in rows}))}, {max(row['date'] for row in rows)}, "
            "`studies/links.py`.", ""]


INTRODUCTION = """# Results

Written by `studies/results.py` from `studies/grids/`, which declare what is trained, and `studies/rows/`, a line for each
finished run; `studies/run.py PROGRAM` does the runs that have no row.

Every choice is made by accuracy on 5 000 training pictures that are held out, always the same. The test set is for final
settings, which train on all pictures. Some looks at it were more than that: 8 workers with rounds of 20 local iterations were
seen on it (5 seeds) before held-out pictures chose 10; how long overlap lasts by default was chosen on it; and strata, which
held-out pictures liked, were left to the user after it. A test accuracy uses the statistics of the test batch, as training does.

Differences are means over seeds that both have, with their standard error, which knows of seeds only and not of other pictures.
Compute is processor time of one worker on one core. The machine, its day and what runs on its other cores change it by tens of
percent: where a table names two processors, or rows of other days, its seconds say no more than that. Seconds over a link add
each round's synchronisation as [`resist plan`](plan.md) forecasts it for links of that rate to every worker. Payload is what all
workers sent, copies of blocks against losses (`--protect`) included.
`fashion-mnist-14` is the first 25 000 training pictures of Fashion-MNIST at half its resolution (`studies/pictures.py`).
"""

PAGE = ROOT / "docs" / "results.md"


def picture_path(grid):
    return PAGE.with_name(f"results-{grid.name}.svg")


def pictures():
    """Every picture's text by its path."""
    drawn = {picture_path(grid): picture(grid) for grid in map(Grid, names()) if "plot" in grid.declared}
    return {path: text for path, text in drawn.items() if text}


def page():
    grids = sorted((Grid(name) for name in names()), key=lambda grid: grid.declared["place"])
    return "\n".join([INTRODUCTION, *(line for grid in grids for line in section(grid)), *links_section()])


if __name__ == "__main__":
    PAGE.write_text(page())
    for file, drawing in pictures().items():
        file.write_text(drawing)
