"use strict";

// Numbers as people read them. Values are in base units: seconds, bytes, shares of one.
const format = (() => {
  const NARROW = "\u202f"; // a space that does not break
  const grouped = (text) => text.replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, NARROW));
  // About `digits` significant digits, but never fewer than the whole part has.
  const rounded = (value, digits) => {
    const whole = Math.max(1, Math.floor(Math.log10(Math.abs(value) || 1)) + 1);
    return grouped(value.toFixed(Math.max(0, Math.min(12, digits - whole))));
  };
  const significant = (value, digits) =>
    value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(digits - 1) : grouped(trimmed(value, digits));
  const trimmed = (value, digits) => String(Number(value.toPrecision(digits)));

  const BYTES = ["B", "kB", "MB", "GB", "TB", "PB"];
  const bytesUnit = (value) => {
    let unit = 0;
    while (unit + 1 < BYTES.length && Math.abs(value) >= 999.5 * 1000 ** unit) unit++;
    return [1000 ** unit, BYTES[unit]];
  };
  const bytes = (value) => {
    const [size, unit] = bytesUnit(value);
    return `${unit === "B" ? grouped(String(Math.round(value))) : rounded(value / size, 3)} ${unit}`;
  };

  const seconds = (value) => {
    if (value !== 0 && value < 0.9995) return `${rounded(value * 1000, 3)} ms`;
    if (value < 119.5) return `${rounded(value, 3)} s`;
    const minutes = Math.floor(value / 60);
    const hours = Math.floor(minutes / 60);
    if (hours < 2) return `${minutes} min ${Math.floor(value % 60)} s`;
    if (hours < 48) return `${hours} h ${minutes % 60} min`;
    return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  };

  const COUNTS = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];
  const short = (value) => {
    const unit = COUNTS.find(([size]) => Math.abs(value) >= size);
    return unit ? `${trimmed(value / unit[0], 4)}${NARROW}${unit[1]}` : trimmed(value, 4);
  };

  const kinds = {
    share: (value) => `${(100 * value).toFixed(2)} %`,
    number: (value) => significant(value, 4),
    count: (value) => grouped(String(Math.round(value))),
    seconds,
    bytes,
  };

  // The labels of an axis; its largest value decides the unit of all.
  const ticks = (kind, values) => {
    const largest = Math.max(...values.map(Math.abs));
    const step = values.length > 1 ? Math.abs(values[1] - values[0]) : largest;
    if (kind === "bytes") {
      const [size, unit] = bytesUnit(largest);
      return values.map((value) => (value === 0 ? "0" : `${trimmed(value / size, 4)} ${unit}`));
    }
    if (kind === "seconds") {
      const [size, unit] = step >= 3600 ? [3600, "h"] : step >= 60 ? [60, "min"] : largest < 1 ? [1e-3, "ms"] : [1, "s"];
      return values.map((value) => (value === 0 ? "0" : `${trimmed(value / size, 4)} ${unit}`));
    }
    if (kind === "share") {
      let digits = 0;
      while (digits < 4 && Math.abs(step * 10 ** (digits + 2) - Math.round(step * 10 ** (digits + 2))) > 1e-6) digits++;
      return values.map((value) => `${(100 * value).toFixed(digits)} %`);
    }
    return values.map(kind === "count" ? short : (value) => trimmed(value, 5));
  };

  // Where an axis of seconds may have its ticks, so that they are whole minutes and hours.
  const secondsSteps = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120,
    300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 432000, 864000, 8640000];

  // How `value` compares with `reference`.
  const ratio = (kind, value, reference) => {
    if (kind === "share") {
      const points = 100 * (value - reference);
      return `${points < 0 ? "\u2212" : "+"}${Math.abs(points).toFixed(2)}`;
    }
    if (reference === 0) return value === 0 ? "\u00d71" : "";
    const times = value / reference;
    const text = times >= 100 ? grouped(times.toFixed(0)) : times >= 9.995 ? times.toFixed(1)
      : times >= 0.0995 || times === 0 ? times.toFixed(2) : significant(times, 2);
    return `\u00d7${text}`;
  };

  return { value: (kind, value) => kinds[kind](value), ticks, secondsSteps, ratio };
})();
