// Times, sizes and counts as people read them, in their language and zone.

/** Makes something when it is first wanted: a formatter takes a slow phone as long as a screen full of elements. */
const late = (make) => {
  let made;
  return () => (made ??= make());
};
const dates = (options) => late(() => new Intl.DateTimeFormat(undefined, options));

const relative = late(() => new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" }));
const sameYear = dates({ day: "numeric", month: "short" });
const anyYear = dates({ day: "numeric", month: "short", year: "numeric" });
const full = dates({ dateStyle: "full", timeStyle: "long" });
const clock = dates({ hour: "2-digit", minute: "2-digit" });
const day = dates({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const numbers = late(() => new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }));

const STEPS = [[60, "second", 1], [3600, "minute", 60], [86_400, "hour", 3600], [604_800, "day", 86_400]];

const dateOf = (time) => {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date;
};

/** A number with one digit behind the point at most. */
const written = (number) => (Number.isInteger(number) && number < 1000 ? String(number) : numbers().format(number));

/** How long ago: `5 min. ago`, or the day. */
export function ago(time) {
  const date = dateOf(time);
  if (!date) return String(time ?? "");
  const seconds = (Date.now() - date.getTime()) / 1000;
  if (Math.abs(seconds) < 10) return "now";
  for (const [limit, unit, length] of STEPS) {
    if (Math.abs(seconds) < limit) return relative().format(-Math.round(seconds / length), unit);
  }
  return (date.getFullYear() === new Date().getFullYear() ? sameYear : anyYear)().format(date);
}

/** An element that tells a time: how long ago, all of it when pointed at. */
export function timeOf(time, as = "ago") {
  const element = document.createElement("time");
  const date = dateOf(time);
  element.dateTime = String(time ?? "");
  if (date) element.addEventListener("pointerenter", () => { element.title = full().format(date); }, { once: true });
  element.textContent = as === "clock" && date ? clock().format(date) : ago(time);
  if (as === "ago") element.dataset.ago = "";
  return element;
}

/** The day of a time, which tells it from other days. */
export function dayOf(time) {
  const date = dateOf(time);
  return date ? day().format(date) : "";
}

/** `1,234 messages`. */
export function count(number, one) {
  return `${written(number)} ${one}${number === 1 ? "" : "s"}`;
}

/** `12.3 MB`. */
export function size(bytes) {
  let value = bytes;
  for (const unit of ["bytes", "KB", "MB", "GB"]) {
    if (value < 1024 || unit === "GB") return `${written(value)} ${unit}`;
    value /= 1024;
  }
  return "";
}

/** `0.4 ms`. */
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
      element.textContent = ago(element.dateTime);
    }
  }, 30_000);
}
