// Puts the page together: show(data) draws everything; the theme, copying, and in a live page asking for newer data.

const state = {
  data: null,
  hidden: new Set(), // runs whose curves are not drawn
  baseline: 0, // the run that the others are compared with
};

function show(data) {
  state.data = data;
  state.baseline = Math.min(state.baseline, data.runs.length - 1);
  byId("version").textContent = data.version;
  byId("notes").hidden = data.notes.length === 0;
  byId("notes").replaceChildren(...data.notes.map((note) => element("li", {}, note)));
  showRuns();
  showCurves(data.runs, state.hidden);
  showComparison();
  showRounds(data.runs);
  showWorkers(data.runs);
  showBlocks(data.runs);
  showOptions(data);
}

// The runs with their colours, at the head of the page.
function showRuns() {
  byId("runs").replaceChildren(...state.data.runs.map((run, index) => {
    const rounds = run.columns.round;
    const goal = run.rounds ? ` of ${run.rounds}` : "";
    const epochs = run.epochs && run.epoch !== null ? `, ${Number(run.epoch.toFixed(2))} of ${run.epochs} epochs` : "";
    const about = run.method ? `${run.method}, ${run.workers || "?"} worker${run.workers === 1 ? "" : "s"}` : "";
    const progress = rounds ? `round ${rounds[rounds.length - 1]}${goal}${epochs}` : "no round yet";
    const chip = element("button", { type: "button", class: "chip", "aria-pressed": String(!state.hidden.has(index)),
      title: `${run.path}: ${run.data ?? ""} ${run.model ?? ""}`.trim() }, dot(index),
    element("b", {}, run.name), element("span", { class: "muted" }, ` ${[about, progress].filter(Boolean).join(", ")}`));
    chip.addEventListener("click", () => {
      if (!state.hidden.delete(index)) state.hidden.add(index);
      showRuns();
      showCurves(state.data.runs, state.hidden);
    });
    return chip;
  }));
}

function showComparison() {
  showFigures(state.data, state.baseline, (index) => {
    state.baseline = index;
    showComparison();
  });
}

// --- copying

let toastTimer;

function say(text) {
  byId("toast").textContent = text;
  byId("toast").classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => byId("toast").classList.remove("on"), 1600);
}

async function copyText(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Not allowed, or a page from another machine without https.
    const area = element("textarea", { value: text, class: "off-screen" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`copied ${what}`);
}

document.addEventListener("click", (event) => {
  const copied = event.target.closest?.("[data-copy]")?.dataset.copy;
  if (copied !== undefined) copyText(copied, copied);
});
byId("copy-figures").addEventListener("click", () => copyText(figuresText(state.data), "the table"));

// --- the theme: the system's, unless another was chosen

const THEME = "resist-theme";
const darkSystem = matchMedia("(prefers-color-scheme: dark)");

// A file's page may have no storage.
function storedTheme(choice) {
  try {
    if (choice === null) localStorage.removeItem(THEME);
    else if (choice !== undefined) localStorage.setItem(THEME, choice);
    return localStorage.getItem(THEME);
  } catch {
    return null;
  }
}

function applyTheme(chosen) {
  const theme = chosen ?? (darkSystem.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
  colors.cache.clear();
  Object.values(plots).forEach((plot) => plot.redraw(false, true));
  blockMaps.filter((map) => !map.whole && map.rounds).forEach((map) => map.showKeys());
}

byId("theme").addEventListener("click", () => {
  const other = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  const system = darkSystem.matches ? "dark" : "light";
  storedTheme(other === system ? null : other);
  applyTheme(other);
});
darkSystem.addEventListener("change", () => applyTheme(storedTheme()));

// --- a live page

const POLL_MILLISECONDS = 2000;
const ANSWER_MILLISECONDS = 30000;
const live = { tag: null, changed: Date.now(), lost: false };

async function poll() {
  try {
    const headers = live.tag ? { "If-None-Match": live.tag } : {};
    const answer = await fetch("data.json", { headers, cache: "no-store", signal: AbortSignal.timeout(ANSWER_MILLISECONDS) });
    if (answer.status === 200) {
      const data = await answer.json();
      if (live.tag) live.changed = Date.now();
      live.tag = answer.headers.get("ETag");
      show(data);
    } else if (answer.status !== 304) {
      throw new Error(`status ${answer.status}`);
    }
    live.lost = false;
  } catch {
    live.lost = true;
  }
  sayLive();
  setTimeout(poll, POLL_MILLISECONDS);
}

function sayLive() {
  const ago = Math.round((Date.now() - live.changed) / 1000);
  const when = ago < 60 ? `${ago} s` : ago < 3600 ? `${Math.floor(ago / 60)} min` : `${Math.floor(ago / 3600)} h`;
  byId("live").classList.toggle("lost", live.lost);
  byId("live").textContent = live.lost ? "connection lost" : "live";
  byId("live").title = live.lost ? "The server does not answer; this page asks on." : `The last change was ${when} ago.`;
}

applyTheme(storedTheme());
show(JSON.parse(byId("data").textContent));
if (document.documentElement.dataset.kind === "live") {
  byId("live").hidden = false;
  poll();
}

// For whoever has newer data, and for tests.
window.report = { show, plots };
