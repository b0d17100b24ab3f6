// A small chart: how long a part took to answer over the last minutes, and when it did not.
import { h, svg } from "./dom.js";
import { duration } from "./format.js";

const WIDTH = 320;
const HEIGHT = 56;

/**
 * @param {{at: number, milliseconds: number | null}[]} points In order; `null` where there was no answer.
 * @param {string} label
 */
export function chart(points, label) {
  const known = points.map((point) => point.milliseconds).filter((it) => it !== null);
  const highest = Math.max(1, ...known);
  const step = WIDTH / Math.max(1, 59);
  const x = (index) => WIDTH - (points.length - 1 - index) * step;
  const y = (milliseconds) => HEIGHT - 4 - (milliseconds / highest) * (HEIGHT - 12);
  const lines = [];
  let line = [];
  points.forEach(({ milliseconds }, index) => {
    if (milliseconds === null) {
      lines.push(line);
      line = [];
    } else {
      line.push([x(index), y(milliseconds)]);
    }
  });
  lines.push(line);
  const shapes = lines.filter((it) => it.length > 0).flatMap((it) => {
    const path = it.map(([left, top], index) => `${index ? "L" : "M"}${left.toFixed(1)} ${top.toFixed(1)}`).join("");
    const [end] = it.slice(-1);
    return [
      svg("path", { class: "area", d: `${path}L${end[0].toFixed(1)} ${HEIGHT}L${it[0][0].toFixed(1)} ${HEIGHT}Z` }),
      svg("path", { class: "line", d: it.length > 1 ? path : `${path}l.1 0` }),
    ];
  });
  const outages = points.flatMap(({ milliseconds }, index) => (milliseconds === null
    ? [svg("rect", { class: "outage", x: (x(index) - step / 2).toFixed(1), y: 0, width: step.toFixed(1), height: HEIGHT })] : []));
  const missed = points.length - known.length;
  const median = [...known].sort((a, b) => a - b)[Math.floor(known.length / 2)];
  const words = known.length === 0 ? "no answer yet"
    : `median ${duration(median)}, at most ${duration(highest === 1 ? Math.max(...known) : highest)}`;
  const summary = `${words}${missed > 0 ? `, ${missed} of ${points.length} without an answer` : ""}`;
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${label}: ${summary}`, preserveAspectRatio: "none" }, ...outages, ...shapes);
  return h("figure.chart", {}, drawing, h("figcaption", {}, summary));
}
