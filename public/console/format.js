// Times, sizes and counts as people read them, in the language of the page and the reader's zone. None of it takes a
// formatter of `Intl`: the first one costs a slow phone a tenth of a second.

/** Up to how many seconds something is told in which unit. */
const STEPS = [[60, "s", 1], [3600, "min", 60], [86_400, "h", 3600], [604_800, "d", 86_400]];

const dateOf = (time) => {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date;
};

/** A number with one digit behind the point at most: `1,234.5`. */
const written = (number) => String(Math.round(number * 10) / 10).replace(/\B(?=(\d{3})+(\.|$))/g, ",");

/** How long ago: `5 min ago`, or the day. */
function ago(date) {
  const seconds = (Date.now() - date.getTime()) / 1000;
  if (Math.abs(seconds) < 10) return "now";
  for (const [limit, unit, length] of STEPS) {
    const number = `${Math.round(Math.abs(seconds) / length)} ${unit}`;
    if (Math.abs(seconds) < limit) return seconds < 0 ? `in ${number}` : `${number} ago`;
  }
  const [, month, day, year] = date.toDateString().split(" ");
  return `${Number(day)} ${month}${Number(year) === new Date().getFullYear() ? "" : ` ${year}`}`;
}

/** An element that tells a time: how long ago, or as on a clock; all of it when pointed at. */
export function timeOf(time, as = "ago") {
  const element = document.createElement("time");
  const date = dateOf(time);
  element.dateTime = String(time ?? "");
  element.textContent = !date ? element.dateTime : as === "clock" ? date.toTimeString().slice(0, 5) : ago(date);
  if (!date) return element;
  element.addEventListener("pointerenter", () => { element.title = date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" }); }, { once: true });
  if (as === "ago") element.dataset.ago = "";
  return element;
}

/** The day of a time, which tells it from other days: `Sun 29 Nov 2026`. */
export function dayOf(time) {
  const [weekday, month, day, year] = dateOf(time)?.toDateString().split(" ") ?? [];
  return day ? `${weekday} ${Number(day)} ${month} ${year}` : "";
}

export function count(number, one) {
  return `${written(number)} ${one}${number === 1 ? "" : "s"}`;
}

export function size(bytes) {
  let value = bytes;
  for (const unit of ["bytes", "KB", "MB", "GB"]) {
    if (value < 1024 || unit === "GB") return `${written(value)} ${unit}`;
    value /= 1024;
  }
  return "";
}

export function duration(milliseconds) {
  return `${written(milliseconds)} ms`;
}

/** The first letter large, and a stop at the end. */
export function sentence(text) {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? "" : ".");
}

/** Whose something is: `user/default`. */
export function volumeName({ volume, volume_id: id }) {
  if (!volume) return "everything";
  return volume === "system" ? "system" : `${volume}/${id ?? "default"}`;
}

/** Times that are shown as how long ago grow older. */
export function keepTimesFresh() {
  setInterval(() => {
    for (const element of document.querySelectorAll("time[data-ago]")) {
      element.textContent = ago(new Date(element.dateTime));
    }
  }, 30_000);
}
