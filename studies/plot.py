"""Pictures of a study's results as SVG, by hand: a panel for each cost, a line for each method, a point for each budget."""
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 44
COLOURS = ["#1f6feb", "#d1580a", "#2e8540", "#8250df", "#6e7781", "#bf3989"]
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    error: float  # drawn above and below


def ticks(low, high, most=6):
    """Round numbers from low to high, about as many as `most`."""
    raw = (high - low) / most
    power = 10.0
    while power > raw:
        power /= 10
    while power * 10 <= raw:
        power *= 10
    step = next(step * power for step in STEPS if step * power >= raw)
    first = int(low // step) + (low % step > 1e-9 * step)
    return [index * step for index in range(first, int(high / step + 1e-9) + 1)]


def text(x, y, words, anchor="middle", turned=False):
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(words)}</text>'


def line(x1, y1, x2, y2, colour, width=1.0):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width:g}"/>')


def panel(offset, label, lines):
    """`lines`: points by name. The horizontal axis starts at zero, the vertical one where the points do."""
    points = [point for row in lines.values() for point in row]
    right = 1.05 * max(point.x for point in points)
    low = min(point.y - point.error for point in points)
    high = max(point.y + point.error for point in points)
    low, high = low - 0.05 * (high - low) - 0.1, high + 0.05 * (high - low) + 0.1

    def x(value):
        return offset + LEFT + value / right * (WIDTH - LEFT - RIGHT)

    def y(value):
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    out = []
    for value in ticks(0, right):
        out += [line(x(value), y(low), x(value), y(high), "#d0d7de"), text(x(value), y(low) + 16, f"{value:g}")]
    for value in ticks(low, high):
        out += [line(x(0), y(value), x(right), y(value), "#d0d7de"), text(x(0) - 6, y(value) + 4, f"{value:g}", "end")]
    out.append(text(offset + LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 8, label))
    for colour, row in zip(COLOURS, lines.values()):
        row = sorted(row, key=lambda point: point.x)
        path = " ".join(f"{x(point.x):.1f},{y(point.y):.1f}" for point in row)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for point in row:
            out.append(line(x(point.x), y(point.y - point.error), x(point.x), y(point.y + point.error), colour, 1.5))
            out.append(f'<circle cx="{x(point.x):.1f}" cy="{y(point.y):.1f}" r="3.5" fill="{colour}"/>')
    return out


def svg(vertical, panels):
    """`panels`: by the horizontal axis's label, the points of every line by its name; all have the same names."""
    names = list(next(iter(panels.values())))
    width, height = WIDTH * len(panels), HEIGHT + 22 * ((len(names) + 1) // 2)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
           'font-size="12" fill="#1f2328">', f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
           text(14, TOP + (HEIGHT - TOP - BOTTOM) / 2, vertical, turned=True)]
    for index, (label, lines) in enumerate(panels.items()):
        out += panel(index * WIDTH, label, lines)
    for index, (colour, name) in enumerate(zip(COLOURS, names)):
        left, top = LEFT + (index % 2) * width / 2, HEIGHT + 14 + 22 * (index // 2)
        out += [line(left, top - 4, left + 24, top - 4, colour, 2), text(left + 30, top, name, "start")]
    return "\n".join([*out, "</svg>", ""])
