// Who held which partitioned block in which round: a map for each run that deals blocks out.

const ROUND_WIDTH = [9, 24]; // pixels of a round, least and most
const NAMES_WIDTH = 74;
const BLOCKS_AXIS = 30;

// The holders of each block in one span: [[worker]], from its text of hexadecimal numbers.
function holdersOf(text, blocks) {
  const holders = Array.from({ length: blocks }, () => []);
  text.split(" ").forEach((digits, worker) => {
    for (let block = 0; block < blocks; block++) {
      if (parseInt(digits[block >> 2], 16) & (8 >> (block & 3))) holders[block].push(worker);
    }
  });
  return holders;
}

// How many blocks a worker holds and how many workers a block has, in words.
function describeSpan(holders, workers) {
  const held = Array.from({ length: workers }, () => 0);
  for (const list of holders) for (const worker of list) held[worker]++;
  const range = (values) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return least === most ? `${least}` : `${least} to ${most}`;
  };
  return `In the newest round a worker holds ${range(held)} of ${holders.length} blocks, and a block is held by ` +
    `${range(holders.map((list) => list.length))} of ${workers} workers.`;
}

class BlockMap {
  constructor() {
    this.start = null; // the first round in view, as a place in the columns; null: the newest rounds
    this.worker = null; // shown alone
    this.cache = new Map();
    this.title = element("figcaption");
    this.text = element("p", { class: "hint" });
    this.keys = element("div", { class: "chips", role: "group", "aria-label": "Workers" });
    this.place = element("div", { class: "place" });
    this.slider = element("input", { type: "range", min: 0, step: 1, "aria-label": "The first round in view" });
    this.slider.addEventListener("input", () => {
      this.start = Number(this.slider.value) < Number(this.slider.max) ? Number(this.slider.value) : null;
      this.draw();
    });
    this.view = element("span", { class: "muted" });
    this.element = element("figure", { class: "card" }, this.title, this.text, this.keys, this.place,
      element("div", { class: "slider" }, this.slider, this.view));
    new ResizeObserver(() => this.place.clientWidth !== this.width && this.draw()).observe(this.place);
  }

  show(index, run) {
    this.index = index;
    this.rounds = run.columns.round;
    this.holdings = run.holdings;
    this.cache.clear();
    const { blocks, held } = run.holdings;
    this.workers = Math.max(...held.slice(-1).map((text) => text.split(" ").length), run.per_worker.length);
    this.title.replaceChildren(dot(index), run.name);
    const full = (text) => holdersOf(text, blocks.length).every((list) => list.length === text.split(" ").length);
    this.whole = held.every(full);
    this.element.classList.toggle("whole", this.whole);
    this.text.textContent = blocks.length === 0 ? "No block is partitioned."
      : this.whole ? `Every worker holds all ${blocks.length} blocks in every round.`
        : describeSpan(holdersOf(held[held.length - 1], blocks.length), held[held.length - 1].split(" ").length);
    if (this.whole) return;
    this.showKeys();
    this.draw();
  }

  showKeys() {
    const keys = [];
    for (let worker = 0; worker < this.workers; worker++) {
      const color = element("span", { class: "dot" });
      color.style.setProperty("--color", workerColor(worker, this.workers));
      const key = element("button", { type: "button", class: "chip", "aria-pressed": String(this.worker === worker) },
        color, `worker ${worker}`);
      key.addEventListener("click", () => {
        this.worker = this.worker === worker ? null : worker;
        this.showKeys();
        this.plot?.redraw();
      });
      keys.push(key);
    }
    this.keys.replaceChildren(...keys);
  }

  // The holders of each block in a round, or null where it is not recorded.
  holders(round) {
    const span = firstAbove(this.holdings.first, round) - 1;
    if (span < 0 || this.holdings.last[span] < round) return null;
    if (!this.cache.has(span)) {
      this.cache.set(span, holdersOf(this.holdings.held[span], this.holdings.blocks.length));
    }
    return this.cache.get(span);
  }

  // Lays out the rounds that fit and draws them.
  draw() {
    this.width = this.place.clientWidth;
    if (this.whole || !this.width || !this.rounds) return;
    const fits = Math.max(1, Math.floor((this.width - NAMES_WIDTH - 10) / ROUND_WIDTH[0]));
    const count = Math.min(fits, this.rounds.length);
    const furthest = this.rounds.length - count;
    const start = Math.min(this.start ?? furthest, furthest);
    this.slider.parentElement.hidden = furthest === 0;
    this.slider.max = furthest;
    this.slider.value = start;
    const first = this.rounds[start];
    const last = this.rounds[start + count - 1];
    this.view.textContent = `rounds ${first} to ${last} of ${this.rounds[this.rounds.length - 1]}`;
    this.range = [first - 0.5, last + 0.5];
    this.shown = this.rounds.slice(start, start + count);
    const blocks = this.holdings.blocks.length;
    const row = Math.max(3, Math.min(15, Math.floor(520 / blocks)));
    const height = blocks * row + BLOCKS_AXIS + 6;
    const width = Math.min(this.width, NAMES_WIDTH + 10 + (last - first + 1) * ROUND_WIDTH[1]);
    const data = [[first, last], [null, null]];
    if (this.plot) {
      this.plot.setSize({ width, height });
      this.plot.setData(data);
    } else {
      this.make(width, height, data);
    }
    plots[`blocks-${this.index}`] = this.plot;
  }

  make(width, height, data) {
    const names = axis("count", 3, NAMES_WIDTH);
    this.plot = new uPlot({
      width,
      height,
      padding: [6, 10, 0, 0],
      legend: { show: false },
      cursor: { x: false, y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, range: () => this.range },
        y: { dir: -1, range: () => [-0.5, this.holdings.blocks.length - 0.5] },
      },
      axes: [
        { ...axis("count", 2, BLOCKS_AXIS), grid: { show: false },
          space: () => 13 + 7 * String(this.rounds[this.rounds.length - 1]).length, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500],
          values: (_, values) => values.map((round) => (Number.isInteger(round) ? format.value("count", round) : "")) },
        { ...names, grid: { show: false }, space: 14, incrs: [1, 2, 5, 10, 20, 50, 100],
          values: (_, values) => values.map((block) => this.holdings.blocks[block] ?? "") },
      ],
      series: [{}, { show: false }],
      hooks: { draw: [(plot) => this.paint(plot)] },
      plugins: [tooltip((plot) => this.rows(plot))],
    }, data, this.place);
  }

  paint(plot) {
    const { ctx } = plot;
    const palette = Array.from({ length: this.workers }, (_, worker) => workerColor(worker, this.workers));
    const [begin] = this.range;
    const wide = plot.valToPos(begin + 1, "x", true) - plot.valToPos(begin, "x", true);
    const high = plot.valToPos(0.5, "y", true) - plot.valToPos(-0.5, "y", true);
    const gap = Math.min(devicePixelRatio, wide / 6, high / 6);
    ctx.save();
    for (const round of this.shown) {
      const left = plot.valToPos(round - 0.5, "x", true);
      (this.holders(round) ?? []).forEach((list, block) => {
        const top = plot.valToPos(block - 0.5, "y", true);
        const band = (high - gap) / list.length;
        list.forEach((worker, i) => {
          ctx.globalAlpha = this.worker === null || this.worker === worker ? 1 : 0.12;
          ctx.fillStyle = palette[worker];
          ctx.fillRect(left, top + i * band, wide - gap, band);
        });
      });
    }
    ctx.restore();
  }

  rows(plot) {
    const round = Math.round(plot.posToVal(plot.cursor.left, "x"));
    const block = Math.round(plot.posToVal(plot.cursor.top, "y"));
    const list = this.holders(round)?.[block];
    if (!list) return null;
    return [element("div", { class: "head" }, `${this.holdings.blocks[block]}, round ${round}`),
      ...list.map((worker) => {
        const color = element("span", { class: "dot" });
        color.style.setProperty("--color", workerColor(worker, this.workers));
        return element("div", {}, color, `worker ${worker}`);
      })];
  }
}

let blockMaps = [];

function showBlocks(runs) {
  const shown = runs.map((run, index) => [run, index]).filter(([run]) => run.columns.round);
  byId("section-blocks").hidden = shown.length === 0;
  if (blockMaps.length !== shown.length) {
    blockMaps.forEach((map) => map.plot?.destroy());
    forgetPlots("blocks-");
    blockMaps = shown.map(() => new BlockMap());
    byId("blocks").replaceChildren(...blockMaps.map((map) => map.element));
  }
  shown.forEach(([run, index], i) => blockMaps[i].show(index, run));
}
