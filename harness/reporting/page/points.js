// What uPlot leaves to others in a chart of points: their names and bars, rings, the floor, and values at the pointer.
"use strict";
// A logarithmic axis: so many times as far as its values, and from one to its double at least, so that equal costs look equal.
const widened = (low, high, room) => {
  const times = Math.max(room, Math.sqrt((2 * low) / high));
  return [low / times, high * times];
};
const points = (() => {
  const LETTERS = 11.5, LINE = 14, MARK = 10, BAR = 3, NEAR = 24;
  // A name must be so many times as far from other marks as from its own; else it costs pixels as if upon other names.
  const CLEAR = 1.5, UNCLEAR = 40;
  const RINGS = [8, 17, 28, 42, 60];
  const WAYS = [[1, 0], [-1, 0], [0, 1], [0, -1], [0.7, 0.7], [0.7, -0.7], [-0.7, 0.7], [-0.7, -0.7]];

  // Boxes are [left, top, right, bottom] in pixels of the canvas.
  const shared = (a, b) =>
    Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  const gap = (box, at) => Math.hypot(Math.max(box[0] - at.x, at.x - box[2], 0), Math.max(box[1] - at.y, at.y - box[3], 0));
  const start = (place, size, way) => place - (size * (1 - Math.sign(way))) / 2;

  // Where a name goes: the first place around its point that meets nothing and is nearer to it than to others, else the
  // one of the least harm; and whether a line must lead there.
  function placed(at, others, wide, taken, panel) {
    const ratio = uPlot.pxRatio, high = LINE * ratio;
    let best;
    for (const ring of RINGS) {
      for (const way of WAYS) {
        const left = start(at.x + ring * ratio * way[0], wide, way[0]), top = start(at.y + ring * ratio * way[1], high, way[1]);
        const box = [left, top, left + wide, top + high];
        const unclear = others.some((other) => gap(box, other) < CLEAR * gap(box, at));
        const harm = 10 * (area(box) - shared(box, panel)) + unclear * UNCLEAR * ratio * ratio;
        const cost = taken.reduce((sum, other) => sum + shared(box, other), harm);
        if (!best || cost < best.cost - 0.5) best = { cost, box, led: unclear || ring > RINGS[1] };
      }
    }
    return best;
  }

  function draw(plot, chart) {
    const context = plot.ctx, ratio = uPlot.pxRatio, { left, top, width, height } = plot.bbox;
    const across = (value) => plot.valToPos(value, "x", true), along = (value) => plot.valToPos(value, "y", true);
    const line = (x, y, toX, toY) => { context.beginPath(); context.moveTo(x, y); context.lineTo(toX, toY); context.stroke(); };
    const shown = chart.series.filter((_, index) => plot.series[index + 1].show);
    context.save();
    context.lineWidth = ratio;
    const floor = along(chart.floor.value);
    if (floor < top + height) {
      context.strokeStyle = "#888"; context.setLineDash([ratio, 3 * ratio]);
      line(left, floor, left + width, floor);
      context.setLineDash([]);
    }
    const taken = [];
    for (const { colour, ringed, across: [low, x, high], along: [worst, y, best] } of shown) {
      const at = { x: across(x), y: along(y) }, half = (MARK * ratio) / 2;
      context.strokeStyle = colour;
      line(across(low), at.y, across(high), at.y);
      line(at.x, along(worst), at.x, along(best));
      if (ringed) {
        context.strokeStyle = "#222";
        context.beginPath(); context.arc(at.x, at.y, half + ratio, 0, 7); context.stroke();
      }
      taken.push([at.x - half, at.y - half, at.x + half, at.y + half], [across(low), at.y - BAR, across(high), at.y + BAR],
        [at.x - BAR, along(best), at.x + BAR, along(worst)]);
    }
    context.font = `${LETTERS * ratio}px ${getComputedStyle(plot.root).fontFamily}`;
    context.textBaseline = "middle"; context.textAlign = "left";
    const sorted = [...shown].sort((a, b) => a.pale - b.pale);
    const marks = sorted.map(({ across: [, x], along: [, y] }) => ({ x: across(x), y: along(y) }));
    for (const [index, { name, ink }] of sorted.entries()) {
      const at = marks[index], others = marks.filter((mark) => mark !== at), panel = [left, top, left + width, top + height];
      const { box, led } = placed(at, others, context.measureText(name).width, taken, panel);
      taken.push(box);
      context.strokeStyle = context.fillStyle = ink;
      context.lineWidth = ratio / 2;
      if (led) line(at.x, at.y, Math.min(Math.max(at.x, box[0]), box[2]), at.y < box[1] ? box[1] : Math.min(at.y, box[3]));
      context.fillText(name, box[0], (box[1] + box[3]) / 2);
    }
    context.restore();
  }

  // At the pointer: what the nearest point is of.
  function tell(plot, chart, tip) {
    const { left, top } = plot.cursor;
    const distance = ({ across: [, x], along: [, y] }) => Math.hypot(plot.valToPos(x, "x") - left, plot.valToPos(y, "y") - top);
    const near = chart.series.filter((one, index) => plot.series[index + 1].show && distance(one) < NEAR);
    const [one] = near.sort((a, b) => distance(a) - distance(b));
    tip.hidden = !one || left < 0;
    if (tip.hidden) return;
    const range = ([low, middle, high]) => (low === high ? middle : `${middle} (${low} to ${high})`);
    tip.textContent = `${one.name}\n${chart.along}: ${range(one.along)}\n${chart.across}: ${range(one.across)}`;
    tip.style.left = `${Math.min(left + 12, plot.over.clientWidth - tip.offsetWidth)}px`;
    tip.style.top = `${top > plot.over.clientHeight / 2 ? top - tip.offsetHeight - 12 : top + 12}px`;
  }

  // The axes hold all bars; the floor widens none.
  function scales(chart) {
    const reach = (name) => [Math.min(...chart.series.map((one) => one[name][0])), Math.max(...chart.series.map((one) => one[name][2]))];
    const [cheap, dear] = reach("across"), [worst, best] = reach("along");
    const room = (dear / cheap) ** 0.12 * 1.05, space = 0.05 * (best - worst) + 0.5;
    return { x: { time: false, distr: 3, range: widened(cheap, dear, room) }, y: { range: [worst - space, best + space] } };
  }

  // The options of uPlot for such a chart.
  return (chart) => {
    const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
    const hooks = {
      ready: (plot) => plot.over.append(tip), draw: (plot) => draw(plot, chart), setCursor: (plot) => tell(plot, chart, tip),
    };
    const cursor = { x: false, y: false, points: { show: false }, drag: { setScale: false } };
    return { scales: scales(chart), legend: { show: false }, cursor, plugins: [{ hooks }] };
  };
})();
