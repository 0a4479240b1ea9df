// Accuracy and loss over time, samples and bytes: a plot for each pair, every run a line.

const CURVE_HEIGHT = 250;
const LOG_SPREAD = 12; // where runs differ by more, a linear axis would hide the shorter one
const MOST_DOTS = 24; // of a line; with more, dots are drawn where there is room
const X_AXES = [
  { key: "seconds", kind: "seconds", title: "over time", still: "having taken no time" },
  { key: "samples", kind: "count", title: "over samples", still: "having trained on no sample" },
  { key: "bytes", kind: "bytes", title: "over bytes sent", still: "having sent nothing" },
];
const MEASURES = [
  { key: "accuracy", kind: "share", title: "Accuracy", most: 1, missing: "No run was evaluated yet." },
  { key: "loss", kind: "number", title: "Loss", most: Infinity, missing: "No run has a round yet." },
];

// Every plot of the page by its name, for who wants to look at its data.
const plots = {};

function forgetPlots(beginning) {
  for (const name of Object.keys(plots)) if (name.startsWith(beginning)) delete plots[name];
}

// What a measure's plots draw: [{run, name, color, at: places in the run's columns, ys, dash, dots}].
function linesOf(measure, runs) {
  const lines = [];
  runs.forEach((run, index) => {
    const { columns, evaluations } = run;
    const line = { run: index, name: run.name, dash: runDash(index) };
    if (measure.key === "accuracy") {
      if (evaluations.at.length) lines.push({ ...line, at: evaluations.at, ys: evaluations.accuracy, dots: true });
      return;
    }
    if (columns.round) lines.push({ ...line, at: columns.round.map((_, i) => i), ys: columns.loss });
    if (evaluations.at.length) {
      lines.push({ ...line, name: `${run.name}, test`, at: evaluations.at, ys: evaluations.test_loss, dash: [4, 4],
        dots: true });
    }
  });
  return lines;
}

function axis(kind, side, size) {
  return {
    side,
    size,
    stroke: () => colors.get("muted"),
    grid: { stroke: () => colors.get("grid"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
    gap: 6,
    space: side === 2 ? 74 : 34,
    ...(kind === "seconds" ? { incrs: format.secondsSteps } : {}),
    values: (_, values) => format.ticks(kind, values),
  };
}

// Round numbers between two others, at most six: powers of ten, with 2 and 5 times them where there is room.
function logTicks(least, most) {
  const decades = Math.log10(most / least);
  const factors = decades < 1.5 ? [1, 2, 5] : [1];
  const step = Math.max(1, Math.ceil(decades / 5));
  const ticks = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power++) {
    if (factors.length === 1 && power % step !== 0) continue;
    ticks.push(...factors.map((factor) => factor * 10 ** power));
  }
  return ticks.filter((tick) => tick >= least && tick <= most);
}

// A logarithmic axis of x, each label with a unit of its own.
function logAxis(kind) {
  return {
    ...axis(kind, 2, 30),
    splits: (_, __, least, most) => logTicks(least, most),
    filter: (_, values) => values,
    values: (_, values) => values.map((value) => format.ticks(kind, [value])[0]),
  };
}

// Keeps a plot as wide as its container.
function fitWidth(container, plot, height) {
  const observer = new ResizeObserver(() => {
    const width = container.clientWidth;
    if (width > 0 && width !== plot.width) plot.setSize({ width, height });
  });
  observer.observe(container);
  return observer;
}

// A box beside the cursor; content(plot) gives its rows, or null for none.
function tooltip(content) {
  let box;
  return {
    hooks: {
      init: (plot) => {
        box = element("div", { class: "tooltip", hidden: true });
        plot.over.append(box);
      },
      setCursor: (plot) => {
        const { left, top } = plot.cursor;
        const rows = left >= 0 && top >= 0 ? content(plot) : null;
        box.hidden = !rows;
        if (!rows) return;
        box.replaceChildren(...rows);
        const width = plot.over.clientWidth;
        const beside = left > width / 2 ? left - box.offsetWidth - 14 : left + 14;
        box.style.left = `${Math.max(-40, Math.min(beside, width - box.offsetWidth))}px`;
        box.style.top = `${Math.max(0, Math.min(top - 10, plot.over.clientHeight - box.offsetHeight))}px`;
      },
    },
  };
}

// A line without its points at 0, which a logarithmic axis has no place for.
function withoutZeros(line) {
  const begin = firstAbove(line.xs, 0);
  return { ...line, at: line.at.slice(begin), xs: line.xs.slice(begin), ys: line.ys.slice(begin) };
}

class Curve {
  constructor(measure, x) {
    this.measure = measure;
    this.x = x;
    this.name = `${measure.key}-${x.key}`;
    this.copy = element("button", { type: "button", class: "quiet", title: "Copy every point as a table" }, "Copy");
    this.copy.addEventListener("click", () => copyText(this.asTable(), "the points"));
    this.chosen = null; // linear or logarithmic, if somebody chose
    this.scale = element("button", { type: "button", class: "quiet", title: "A logarithmic axis" }, "Log");
    this.scale.addEventListener("click", () => {
      this.chosen = !this.log;
      this.show(...this.shown);
    });
    this.place = element("div", { class: "place" });
    this.remark = element("p", { class: "hint" });
    this.element = element("figure", { class: "card", id: `plot-${this.name}` },
      element("figcaption", {}, `${measure.title} ${x.title}`, this.copy, this.scale), this.place, this.remark);
  }

  show(lines, runs, hidden) {
    this.shown = [lines, runs, hidden];
    this.columns = runs.map((run) => run.columns);
    // Without an exchange, as with one worker, there is no way along this axis.
    const moves = (line) => runs[line.run].columns[this.x.key][line.at[line.at.length - 1]] > 0;
    const still = new Set(lines.filter((line) => !moves(line)).map((line) => runs[line.run].name));
    this.lines = lines.filter(moves).map((line) => ({ ...line, xs: line.at.map((i) =>
      runs[line.run].columns[this.x.key][i]) }));
    this.remark.textContent = still.size ? `Not drawn, ${this.x.still}: ${[...still].join(", ")}.` : "";
    this.remark.hidden = still.size === 0;
    this.copy.hidden = this.lines.length === 0;
    this.scale.hidden = this.copy.hidden;
    this.log = this.chosen ?? this.spread() > LOG_SPREAD;
    this.scale.setAttribute("aria-pressed", String(this.log));
    if (this.log) this.lines = this.lines.map(withoutZeros);
    const shape = JSON.stringify([this.log, this.lines.map((line) => [line.run, line.name])]);
    if (this.plot && shape === this.shape) this.update();
    else this.make(shape);
    this.lines.forEach((line, i) => this.plot.setSeries(i + 1, { show: !hidden.has(line.run) }));
  }

  // How much further the run that went furthest along this axis went than the one that went least far.
  spread() {
    const ends = this.lines.map((line) => line.xs[line.xs.length - 1]);
    return ends.length ? Math.max(...ends) / Math.min(...ends) : 1;
  }

  data() {
    if (!this.lines.length) return [[], []];
    const EXPAND = 2; // a value that is not finite is a gap up to the line's own neighbours
    return uPlot.join(this.lines.map((line) => [line.xs, line.ys]), this.lines.map(() => [0, EXPAND]));
  }

  update() {
    this.plot.setData(this.data(), !this.zoomed);
    if (this.zoomed) this.plot.redraw();
  }

  make(shape) {
    this.shape = shape;
    this.destroy();
    this.place.replaceChildren();
    if (!this.lines.length) {
      this.place.append(element("p", { class: "empty" }, this.measure.missing));
      this.plot = { setSeries() {}, setData() {}, redraw() {}, destroy() {} };
      return;
    }
    const series = this.lines.map((line) => ({
      label: line.name,
      stroke: () => runColor(line.run),
      width: line.dash.length ? 1.5 : 2,
      dash: line.dash,
      points: { show: line.dots && line.at.length <= MOST_DOTS ? true : undefined, size: 5, fill: () => runColor(line.run),
        stroke: () => runColor(line.run) },
    }));
    this.plot = new uPlot({
      width: this.place.clientWidth || 320,
      height: CURVE_HEIGHT,
      padding: [10, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false },
        sync: { key: this.x.key, scales: ["x", null] } },
      scales: {
        x: { time: false, distr: this.log ? 3 : 1, range: (plot, least, most) => this.xRange(plot, least, most) },
        y: { range: (_, least, most) => this.yRange(least, most) },
      },
      axes: [this.log ? logAxis(this.x.kind) : axis(this.x.kind, 2, 30), axis(this.measure.kind, 3, 54)],
      series: [{}, ...series],
      hooks: {
        setSelect: [(plot) => (this.zoomed = plot.select.width > 0)],
        ready: [(plot) => plot.over.addEventListener("dblclick", () => (this.zoomed = false))],
      },
      plugins: [tooltip((plot) => this.rows(plot))],
    }, this.data(), this.place);
    plots[this.name] = this.plot;
    this.observer = fitWidth(this.place, this.plot, CURVE_HEIGHT);
  }

  xRange(plot, least, most) {
    const first = plot.data[0][0];
    if (least === null || least === undefined) return this.log ? [1, 10] : [0, 1];
    if (this.log) return least < most ? [least, most] : [least / 2, least * 2];
    return least > first ? [least, most] : [0, most > 0 ? most : 1];
  }

  yRange(least, most) {
    if (least === null || least === undefined) return [0, 1];
    const margin = 0.06 * (most - least) || 0.05 * (most || 1);
    return [Math.max(0, least - margin), Math.min(this.measure.most, most + margin)];
  }

  rows(plot) {
    const x = plot.posToVal(plot.cursor.left, "x");
    const rows = [element("div", { class: "head" }, format.value(this.x.kind, Math.max(0, x)))];
    this.lines.forEach((line, i) => {
      const at = nearest(line.xs, x);
      if (!plot.series[i + 1].show || at < 0) return;
      const value = line.ys[at];
      rows.push(element("div", {}, dot(line.run), `${line.name} `,
        element("b", {}, value === null ? "not finite" : format.value(this.measure.kind, value)),
        element("span", { class: "muted" }, ` round ${this.columns[line.run].round[line.at[at]]}`)));
    });
    return rows;
  }

  asTable() {
    const rows = [["run", "round", this.x.key, this.measure.key]];
    for (const line of this.lines) {
      line.at.forEach((i, k) => rows.push([line.name, this.columns[line.run].round[i], line.xs[k], line.ys[k] ?? ""]));
    }
    return rows.map((row) => row.join("\t")).join("\n");
  }

  destroy() {
    this.observer?.disconnect();
    this.plot?.destroy();
    this.plot = null;
    this.zoomed = false;
    delete plots[this.name];
  }
}

const curves = MEASURES.map((measure) => ({ measure, plots: X_AXES.map((x) => new Curve(measure, x)) }));

function showCurves(runs, hidden) {
  for (const { measure, plots: row } of curves) {
    const place = byId(measure.key);
    if (!place.hasChildNodes()) place.append(...row.map((curve) => curve.element));
    const lines = linesOf(measure, runs);
    row.forEach((curve) => curve.show(lines, runs, hidden));
  }
}
