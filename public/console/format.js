// Times, sizes and counts as people read them, in their language and zone.

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const sameYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const anyYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const numbers = new Intl.NumberFormat();
const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

const STEPS = [[60, "second", 1], [3600, "minute", 60], [86_400, "hour", 3600], [604_800, "day", 86_400]];

const dateOf = (time) => {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date;
};

/** How long ago: `5 min. ago`, or the day. @param {string} time */
export function ago(time) {
  const date = dateOf(time);
  if (!date) return String(time ?? "");
  const seconds = (Date.now() - date.getTime()) / 1000;
  if (Math.abs(seconds) < 10) return "now";
  for (const [limit, unit, length] of STEPS) {
    if (Math.abs(seconds) < limit) return relative.format(-Math.round(seconds / length), /** @type {any} */ (unit));
  }
  return (date.getFullYear() === new Date().getFullYear() ? sameYear : anyYear).format(date);
}

/** An element that tells a time: how long ago, all of it when pointed at. @param {string} time @param {"ago" | "clock"} [as] */
export function timeOf(time, as = "ago") {
  const element = document.createElement("time");
  const date = dateOf(time);
  element.dateTime = String(time ?? "");
  element.title = date ? full.format(date) : "";
  element.textContent = as === "clock" && date ? clock.format(date) : ago(time);
  if (as === "ago") element.dataset.ago = "";
  return element;
}

/** The day of a time, which tells it from other days. @param {string} time */
export function dayOf(time) {
  const date = dateOf(time);
  return date ? day.format(date) : "";
}

/** `1,234 messages`. @param {number} count @param {string} one */
export function count(number, one) {
  return `${numbers.format(number)} ${one}${number === 1 ? "" : "s"}`;
}

/** `12.3 MB`. @param {number} bytes */
export function size(bytes) {
  let value = bytes;
  for (const unit of ["bytes", "KB", "MB", "GB"]) {
    if (value < 1024 || unit === "GB") return `${tenths.format(value)} ${unit}`;
    value /= 1024;
  }
  return "";
}

/** `0.4 ms`. @param {number} milliseconds */
export function duration(milliseconds) {
  return `${tenths.format(milliseconds)} ms`;
}

/** The first letter large, and a stop at the end. @param {string} text */
export function sentence(text) {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? "" : ".");
}

/** Whose something is: `user/default`. @param {{volume?: string, volume_id?: string}} scope */
export function volumeName({ volume, volume_id: id }) {
  if (!volume) return "everything";
  return volume === "system" ? "system" : `${volume}/${id ?? "default"}`;
}

/** Times that are shown as how long ago grow older. */
export function keepTimesFresh() {
  setInterval(() => {
    for (const element of document.querySelectorAll("time[data-ago]")) {
      element.textContent = ago(/** @type {HTMLTimeElement} */ (element).dateTime);
    }
  }, 30_000);
}
