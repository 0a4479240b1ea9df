// The tables: final figures, workers, options.

// A run's name at the head of a column. `choose`: what a press does, where there is a choice.
function runHead(run, index, choose, chosen) {
  const name = [dot(index), run.name];
  if (!choose) return element("th", { scope: "col" }, ...name);
  const button = element("button", { type: "button", class: "chip", "aria-pressed": String(chosen),
    title: "Compare the others with this run" }, ...name);
  button.addEventListener("click", choose);
  return element("th", { scope: "col" }, button);
}

function showFigures(data, baseline, setBaseline) {
  const several = data.runs.length > 1;
  byId("section-figures").hidden = data.figures.length === 0;
  const head = element("tr", {}, element("td"), ...data.runs.map((run, index) =>
    runHead(run, index, several ? () => setBaseline(index) : null, index === baseline)));
  const rows = data.figures.map(({ label, kind, values, explanation }) => {
    const cells = values.map((value, index) => {
      if (value === null) return element("td", { class: "muted" }, "\u2013");
      const cell = element("td", {}, number(kind, value));
      const reference = values[baseline];
      const comparable = reference !== null && reference !== undefined && reference !== value;
      if (several && index !== baseline && comparable) {
        const text = format.ratio(kind, value, reference);
        const exact = kind === "share" ? 100 * (value - reference) : value / reference;
        if (text) cell.append(element("small", {}, number(kind, exact, text)));
      }
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row", title: explanation,
      class: label.startsWith("of it") ? "part" : "" }, label), ...cells);
  });
  byId("figures").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

// The figures as text with tabs, which a spreadsheet takes.
function figuresText(data) {
  const rows = [["", ...data.runs.map((run) => run.name)],
    ...data.figures.map(({ label, values }) => [label, ...values.map((value) => value ?? "")])];
  return rows.map((row) => row.join("\t")).join("\n");
}

const WORKER_COLUMNS = [
  ["received", "bytes", "bytes_received"],
  ["most in a round", "bytes", "most_bytes_sent"],
  ["computing", "seconds", "seconds_compute"],
  ["waiting", "seconds", "seconds_wait"],
  ["memory", "bytes", "peak_memory_bytes"],
];

function workersTable(run, index, most) {
  const rows = run.per_worker.map((worker, rank) => {
    const bar = element("span", { class: "meter", "aria-hidden": "true" });
    bar.style.setProperty("--share", most > 0 ? worker.bytes_sent / most : 0);
    bar.style.setProperty("--color", `var(--run-${index % RUN_COLORS})`);
    return element("tr", {}, element("th", { scope: "row" }, `worker ${rank}`),
      element("td", { class: "sent" }, bar, number("bytes", worker.bytes_sent)),
      ...WORKER_COLUMNS.map(([, kind, key]) => element("td", {}, number(kind, worker[key]))));
  });
  const head = ["", "sent", ...WORKER_COLUMNS.map(([title]) => title)];
  return element("figure", { class: "card" }, element("figcaption", {}, dot(index), run.name),
    element("div", { class: "scroll" }, element("table", { class: "workers" },
      element("thead", {}, element("tr", {}, ...head.map((title) => element("th", { scope: "col" }, title)))),
      element("tbody", {}, ...rows))));
}

function showWorkers(runs) {
  const shown = runs.map((run, index) => [run, index]).filter(([run]) => run.per_worker.length);
  byId("section-workers").hidden = shown.length === 0;
  const most = Math.max(0, ...shown.flatMap(([run]) => run.per_worker.map((worker) => worker.bytes_sent)));
  byId("workers").replaceChildren(...shown.map(([run, index]) => workersTable(run, index, most)));
}

function showOptions(data) {
  const { runs, differences } = data;
  const place = byId("differences");
  if (differences.length) {
    place.replaceChildren(element("table", {},
      element("caption", {}, "What sets the runs apart"),
      element("thead", {}, element("tr", {}, element("td"), ...runs.map((run, index) => runHead(run, index)))),
      element("tbody", {}, ...differences.map(({ name, values }) => element("tr", {},
        element("th", { scope: "row" }, `--${name}`), ...values.map((value) => element("td", {}, value)))))));
  } else {
    place.replaceChildren();
  }
  const open = new Set([...byId("options").querySelectorAll("details[open]")].map((details) => details.dataset.run));
  byId("options").replaceChildren(...runs.filter((run) => run.options).map((run, i) => {
    const list = element("dl", { class: "options" });
    let group = "";
    for (const [name, value, of] of run.options) {
      if (of !== group) list.append(element("dt", { class: "group" }, of), element("dd"));
      group = of;
      list.append(element("dt", {}, `--${name}`), element("dd", {}, value));
    }
    const details = element("details", { "data-run": run.path, open: open.has(run.path) },
      element("summary", {}, dot(runs.indexOf(run)), `All options of ${run.name} `,
        element("span", { class: "muted" }, run.path)), list);
    return details;
  }));
}
