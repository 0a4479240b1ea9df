// The report's data is one JSON object, which src/resist/report/report_json.cpp writes:
//   version; notes: [text]
//   figures: [{label, kind: share|number|count|seconds|bytes, values: [a run's, or null], explanation}]
//   differences: [{name, values: [a run's]}]: the options that set the runs apart
//   runs: [{name, path, method, data, model, workers, epochs or rounds (how far it goes), epoch (how far it is),
//     options: [[name, value, group]],
//     columns: {round, seconds, bytes, samples, loss, compute, sync, wait}: a number or null for each round,
//       seconds, bytes and samples since the run began, the last three the mean of the workers
//     evaluations: {at: [places in the columns], accuracy, test_loss}
//     per_worker: [{bytes_sent, bytes_received, most_bytes_sent, seconds_compute, seconds_wait, peak_memory_bytes}]
//     holdings: {blocks: [name], first, last: [round], held: [text]}: who held what from a first to a last round;
//       the text has a hexadecimal number for each worker, whose bits, highest first, are its blocks}]

// A text or element with this tag; properties are set on it, "class" and what has a dash as attributes.
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class" || name.includes("-")) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

// Colours come from the style sheet, so that a canvas follows the theme.
const colors = {
  cache: new Map(),
  get(name) {
    if (!this.cache.has(name)) {
      this.cache.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
    }
    return this.cache.get(name);
  },
};

const RUN_COLORS = 8; // as many as the style sheet has
const runColor = (run) => colors.get(`run-${run % RUN_COLORS}`);
// More runs than colours are told apart by their lines.
const runDash = (run) => (run < RUN_COLORS ? [] : [9, 3]);

function workerColor(worker, workers) {
  const hue = (235 + (360 * worker) / workers) % 360;
  const dark = document.documentElement.dataset.theme === "dark";
  return CSS.supports("color", "oklch(0.5 0.1 0)")
    ? `oklch(${dark ? 0.66 : 0.72} 0.1 ${hue})`
    : `hsl(${hue}, 42%, ${dark ? 58 : 55}%)`;
}

// A dot in a run's colour.
function dot(run) {
  const made = element("span", { class: "dot" });
  made.style.setProperty("--color", `var(--run-${run % RUN_COLORS})`);
  made.classList.toggle("dashed", run >= RUN_COLORS);
  return made;
}

// The place of the value nearest to `wanted` in an ascending list; -1 if it is empty.
function nearest(values, wanted) {
  const after = firstAbove(values, wanted);
  if (after === 0) return values.length ? 0 : -1;
  return after < values.length && values[after] - wanted < wanted - values[after - 1] ? after : after - 1;
}

// The first place in an ascending list whose value is above `wanted`.
function firstAbove(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

// A number that a press copies in full.
function number(kind, value, text = format.value(kind, value)) {
  return element("button", { type: "button", class: "number", "data-copy": String(value), title: `Copy ${value}` },
    text);
}
