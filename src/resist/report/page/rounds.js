// How a round's time divides into computing, synchronising and waiting: stacked bars for each run.

const ROUNDS_HEIGHT = 190;
const MOST_BARS = 240; // more rounds than this are drawn as means of several
const PHASES = [
  { key: "compute", title: "computing" },
  { key: "sync", title: "synchronising" },
  { key: "wait", title: "waiting for slower workers" },
];

// The rounds' phases as at most MOST_BARS means: {size: rounds in a bar, first: [round], last: [round], compute, ...}.
function barsOf(columns) {
  const count = columns.round.length;
  const size = Math.ceil(count / MOST_BARS);
  const bars = { size, first: [], last: [], compute: [], sync: [], wait: [] };
  for (let begin = 0; begin < count; begin += size) {
    const end = Math.min(begin + size, count);
    bars.first.push(columns.round[begin]);
    bars.last.push(columns.round[end - 1]);
    for (const { key } of PHASES) {
      let sum = 0;
      for (let i = begin; i < end; i++) sum += columns[key][i];
      bars[key].push(sum / (end - begin));
    }
  }
  return bars;
}

// One bar across the panel: the shares of the whole run, with their numbers.
function shareBar(columns) {
  const sums = PHASES.map(({ key }) => columns[key].reduce((sum, value) => sum + value, 0));
  const whole = sums.reduce((sum, value) => sum + value, 0) || 1;
  const bar = element("div", { class: "share-bar", "aria-hidden": "true" });
  const text = element("p", { class: "shares" });
  PHASES.forEach(({ key, title }, i) => {
    const part = element("span", { class: key });
    part.style.flexGrow = sums[i] / whole;
    bar.append(part);
    text.append(element("span", {}, `${title} `, number("share", sums[i] / whole), " ", number("seconds", sums[i])));
  });
  return [bar, text];
}

class RoundTimes {
  constructor() {
    this.place = element("div", { class: "place" });
    this.shares = element("div");
    this.title = element("figcaption");
    this.element = element("figure", { class: "card" }, this.title, this.shares, this.place);
  }

  show(index, run, bars, longest) {
    this.bars = bars;
    this.longest = longest;
    this.title.replaceChildren(dot(index), run.name,
      element("span", { class: "muted" }, bars.size > 1 ? ` bars are means of ${bars.size} rounds` : ""));
    this.shares.replaceChildren(...shareBar(run.columns));
    if (this.plot) {
      this.plot.setData(this.data());
    } else {
      this.make();
    }
    plots[`rounds-${index}`] = this.plot;
  }

  // Each series lies before the one above it, so the sums go from all three down to the first.
  data() {
    const { first, last, compute, sync, wait } = this.bars;
    const both = compute.map((value, i) => value + sync[i]);
    return [first.map((round, i) => (round + last[i]) / 2), both.map((value, i) => value + wait[i]), both, compute];
  }

  make() {
    const series = [...PHASES].reverse().map(({ key, title }) => ({
      label: title,
      width: 0,
      fill: () => colors.get(key),
      stroke: () => colors.get(key),
      paths: uPlot.paths.bars({ size: [1, Infinity], gap: 0 }),
      points: { show: false },
    }));
    this.plot = new uPlot({
      width: this.place.clientWidth || 320,
      height: ROUNDS_HEIGHT,
      padding: [10, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false } },
      scales: {
        x: { time: false, range: (_, least, most) => this.xRange(least, most) },
        y: { range: () => [0, this.longest * 1.04 || 1] },
      },
      axes: [{ ...axis("count", 2, 30), space: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6],
        values: (_, values) => values.map((round) => (Number.isInteger(round) ? format.value("count", round) : "")) },
      axis("seconds", 3, 60)],
      series: [{}, ...series],
      plugins: [tooltip((plot) => this.rows(plot))],
    }, this.data(), this.place);
    this.observer = fitWidth(this.place, this.plot, ROUNDS_HEIGHT);
  }

  xRange(least, most) {
    const { first, last, size } = this.bars;
    const whole = least <= first[0] + size && most >= last[last.length - 1] - size;
    return whole ? [first[0] - 0.5, last[last.length - 1] + 0.5] : [least, most];
  }

  rows(plot) {
    const at = plot.cursor.idx;
    if (at === null || at === undefined) return null;
    const { first, last } = this.bars;
    const rounds = first[at] === last[at] ? `round ${first[at]}` : `rounds ${first[at]} to ${last[at]}, mean`;
    return [element("div", { class: "head" }, rounds), ...PHASES.map(({ key, title }) =>
      element("div", {}, element("span", { class: `dot ${key}` }), `${title} `,
        element("b", {}, format.value("seconds", this.bars[key][at]))))];
  }

  destroy() {
    this.observer?.disconnect();
    this.plot?.destroy();
  }
}

let roundTimes = [];

function showRounds(runs) {
  const shown = runs.map((run, index) => [run, index]).filter(([run]) => run.columns.round);
  byId("section-rounds").hidden = shown.length === 0;
  byId("phases").replaceChildren(...PHASES.map(({ key, title }) =>
    element("span", { class: "key" }, element("span", { class: `dot ${key}` }), title)));
  if (roundTimes.length !== shown.length) {
    roundTimes.forEach((times) => times.destroy());
    forgetPlots("rounds-");
    roundTimes = shown.map(() => new RoundTimes());
    byId("rounds").replaceChildren(...roundTimes.map((times) => times.element));
  }
  const bars = shown.map(([run]) => barsOf(run.columns));
  // One scale for all runs, so that they can be compared.
  const longest = bars.reduce((most, { compute, sync, wait }) =>
    compute.reduce((top, value, i) => Math.max(top, value + sync[i] + wait[i]), most), 0);
  shown.forEach(([run, index], i) => roundTimes[i].show(index, run, bars[i], longest));
}
