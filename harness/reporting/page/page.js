// Connects the page's tables with Tablesort and its figures with uPlot. Without it nothing is missing but convenience.
"use strict";
(() => {
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const form = document.querySelector(".controls");
  const say = (message) => { form.querySelector("output").textContent = message; };

  // What is copied and drawn lies packed in the page: base64 of gzip of JSON.
  const unpacked = {};
  const unpack = (id) => unpacked[id] ??= (async () => {
    const packed = atob(document.getElementById(id).textContent);
    const bytes = new Blob([Uint8Array.from(packed, (letter) => letter.charCodeAt(0))]);
    return new Response(bytes.stream().pipeThrough(new DecompressionStream("gzip"))).json();
  })();

  // The address ends with a place, as links have it, and behind a question mark with what was set: #place?scale=10
  const state = new URLSearchParams();
  const ending = () => location.hash.slice(1).split("?");
  function keep(name, value) {
    if (value) state.set(name, value); else state.delete(name);
    history.replaceState(null, "", `#${ending()[0]}${state.size ? `?${state}` : ""}`);
  }
  function go(place) {
    const target = document.getElementById(decodeURIComponent(place));
    if (!target) return;
    for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    all(".here").forEach((element) => element.classList.remove("here"));
    target.classList.add("here");
    target.scrollIntoView();
  }
  function restore(text) {
    for (const name of [...state.keys()]) state.delete(name);
    new URLSearchParams(text).forEach((value, name) => state.set(name, value));
    for (const field of all("[name]", form)) field.value = state.get(field.name) ?? "";
    narrow();
    sorted(...(state.get("sort") ?? "").split(" "));
  }

  // Sorting: by the first number of a cell, or else by its text. What has no number comes before all numbers.
  const number = (text) => parseFloat(text.trim().replace("−", "-").replace(/,|^< /g, ""));
  const orLeast = (text) => (Number.isNaN(number(text)) ? -Number.MAX_VALUE : number(text));
  Tablesort.extend("number", (text) => text === "–" || !Number.isNaN(number(text)), (a, b) => orLeast(b) - orLeast(a));
  const sorters = new Map();
  for (const table of all("table.result")) {
    table.id ||= `${table.closest("[id]").id}/ranking`;
    // Of percentages the highest is the best.
    all("thead tr:last-child th", table).filter((head) => head.textContent.includes("%"))
      .forEach((head) => head.setAttribute("data-sort-reverse", ""));
    const sorter = new Tablesort(table, { sortAttribute: "data-value" });
    sorters.set(table.id, sorter);
    table.addEventListener("afterSort", () => {
      const head = sorter.current;
      keep("sort", `${table.id} ${head.cellIndex} ${head.getAttribute("aria-sort")}`);
    });
  }
  function sorted(id, column, order) {
    const sorter = sorters.get(id);
    const head = sorter && sorter.table.tHead.rows[sorter.table.tHead.rows.length - 1].cells[column];
    if (!head || head.getAttribute("aria-sort") === order) return;
    sorter.current = head;
    head.setAttribute("aria-sort", order);
    sorter.refresh();
  }

  // Narrowing: parts, rows and columns that are not of what was chosen are hidden.
  const KINDS = ["dataset", "pair", "scale"];
  function narrow() {
    const chosen = Object.fromEntries(new FormData(form));
    const names = chosen.method.toLowerCase().split(",").map((name) => name.trim()).filter(Boolean);
    const fits = (place) => KINDS.every((kind) => !chosen[kind] || !place[kind] || place[kind] === chosen[kind]);
    const named = (text) => !names.length || names.some((name) => text.toLowerCase().includes(name));
    for (const part of all("main [data-dataset], main [data-scale]")) part.hidden = !fits(part.dataset);
    for (const row of all("main [data-label]")) row.hidden = !named(row.dataset.label);
    for (const table of all("table.result")) narrowTable(table, fits, named);
  }
  const body = (table) => [...table.tBodies].flatMap((part) => [...part.rows]);
  function narrowTable(table, fits, named) {
    const hidden = places(table).map((place) => !fits(place));
    table.parentElement.hidden = hidden.length > 0 && hidden.every(Boolean);
    let at = 0;
    for (const group of hidden.length ? [...table.rows[0].cells].slice(1) : []) {
      group.hidden = hidden[at];
      at += group.colSpan;
    }
    for (const row of [...table.rows].slice(1)) hidden.forEach((hides, column) => { row.cells[column + 1].hidden = hides; });
    for (const row of body(table)) {
      const labels = all("a[href*='/scale-']", row).map((link) => place(link).label);
      row.hidden = !named([row.querySelector("th").textContent, ...labels].join(" "));
    }
  }
  const place = (link) => {
    const [, dataset, pair, label, scale] = decodeURIComponent(link.hash.slice(1)).split("/");
    return { dataset, pair, label, scale: scale.replace("scale-", "") };
  };
  // A column of a ranking is of all that its part is of; any other is of one dataset, pair and scale, which its links tell; of none where it has options of methods.
  const known = new Map();
  function places(table) {
    if (!known.has(table)) {
      const found = [];
      for (const row of table.matches(".ranking") ? [] : body(table)) {
        [...row.cells].slice(1).forEach((cell, column) => {
          const link = found[column]?.dataset ? null : cell.querySelector("a[href*='/scale-']");
          found[column] = link ? place(link) : found[column] ?? {};
        });
      }
      known.set(table, found);
    }
    return known.get(table);
  }

  // Copying: a button beside each link to a table's file.
  for (const link of all("[data-copy]")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: "copy", title: `copy as ${link.textContent}` });
    button.addEventListener("click", async () => {
      const text = (await unpack("texts"))[link.dataset.copy];
      // What is too long for the page is opened instead; and a page that came without encryption may not write there.
      if (text === undefined || !navigator.clipboard) return link.click();
      await navigator.clipboard.writeText(text);
      say(`${link.dataset.copy} copied`);
    });
    link.after(" ", button);
  }

  // Charts: drawn when they are seen. A click in the legend toggles a method in all of them.
  const STEPS = [[1], [1, 2, 5], [1, 2, 3, 5, 7], [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9]];
  function marks(_, axis, low, high) {
    const powers = Array.from({ length: 40 }, (_, power) => power - 20);
    const inside = STEPS.map((steps) => powers.flatMap((power) => steps.map((step) => Number(`${step}e${power}`)))
      .filter((value) => value >= low && value <= high));
    return inside.findLast((found) => found.length <= 8) ?? inside[0];
  }
  const off = () => (state.get("off") ?? "").split("|").filter(Boolean);
  const plots = [];
  async function draw(into) {
    const chart = (await unpack("charts"))[into.dataset.chart];
    if (!chart) { into.remove(); return; }
    // Drawn as on white: in the dark the style sheet turns all drawings round.
    const axis = (label) => ({
      label, labelFont: "12px sans-serif", labelSize: 22, stroke: "#1c1e21", grid: { stroke: "#e2e4e8", width: 1 }, ticks: { stroke: "#c8ccd2", width: 1 },
    });
    const costs = { ...axis(chart.across), size: 32, splits: marks, filter: (_, values) => values, values: (_, values) => values.map(String) };
    const series = chart.series.map((one) => ({
      label: one.name, stroke: one.colour, width: 2, dash: one.dashed ? [6, 4] : [], show: !off().includes(one.name),
      points: { show: chart.points, size: 9, fill: one.hollow ? "#fff" : one.colour }, paths: uPlot.paths.stepped({ align: 1 }),
      value: (_, value) => (value === null ? "–" : value.toFixed(2)),
    }));
    const curves = {
      scales: { x: { time: false, distr: 3, range: (_, low, high) => widened(low, high, 1.1) } },
      focus: { alpha: 0.3 }, cursor: { focus: { prox: 16 }, drag: { setScale: false } },
    };
    const size = () => ({ width: into.clientWidth, height: chart.points ? 400 : 340 });
    const plot = new uPlot({
      ...size(), ...(chart.points ? points(chart) : curves), axes: [costs, axis(chart.along)],
      hooks: { setSeries: [(_, index, change) => index && "show" in change && toggle(chart.series[index - 1].name, change.show)] },
      series: [{ label: chart.across, value: (_, value) => (value === null ? "–" : value.toPrecision(3)) }, ...series],
    }, [chart.x, ...chart.series.map((one) => one.values)], into);
    plots.push(plot);
    new ResizeObserver(() => plot.setSize(size())).observe(into);
  }
  function toggle(name, show) {
    if (off().includes(name) !== show) return;
    keep("off", show ? off().filter((other) => other !== name).join("|") : [...off(), name].join("|"));
    for (const plot of plots) {
      const index = plot.series.findIndex((series, at) => at && series.label === name);
      if (index > 0 && plot.series[index].show !== show) plot.setSeries(index, { show });
    }
  }
  const seen = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
    seen.unobserve(entry.target);
    draw(entry.target);
  }));

  document.documentElement.classList.add("scripted");
  form.hidden = false;
  form.addEventListener("input", (event) => { keep(event.target.name, event.target.value); narrow(); });
  form.addEventListener("reset", () => setTimeout(() => { for (const field of all("[name]", form)) keep(field.name, ""); narrow(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    const [target, kept] = ending();
    if (kept === undefined) keep(); else if (kept !== String(state)) restore(kept);
    go(target);
  });
  // Paper has no closed parts.
  const closed = () => all("main details:not([open])");
  addEventListener("beforeprint", () => closed().forEach((part) => { part.open = true; part.dataset.printed = ""; }));
  addEventListener("afterprint", () => all("[data-printed]").forEach((part) => { part.open = false; delete part.dataset.printed; }));
  const [target, kept] = ending();
  if (kept !== undefined) restore(kept);
  if (target) go(target);
  all(".chart").forEach((chart) => seen.observe(chart));
  // The charts stand beside the boards; the figure of the same goes to the others.
  for (const figure of all(".beside > figure")) {
    document.getElementById(`${figure.closest(".pair").id.replace("board-", "")}/figures`).querySelector(".figures").prepend(figure);
  }
})();
