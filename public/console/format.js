// Formats times, sizes and counts, in English and in the reader's time zone. `Intl` is avoided: creating the first
// formatter takes 100 ms on a slow phone.

/** Upper limit in seconds, unit, and length of the unit in seconds. */
const UNITS = [[60, "s", 1], [3600, "min", 60], [86_400, "h", 3600], [604_800, "d", 86_400]];

const parseDate = (time) => {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date;
};

/** Formats a number with at most one decimal: `1,234.5`. */
const formatNumber = (number) => String(Math.round(number * 10) / 10).replace(/\B(?=(\d{3})+(\.|$))/g, ",");

/** Formats a time relative to now, such as `5 min ago`, or as a day. */
function relativeTime(date) {
  const seconds = (Date.now() - date.getTime()) / 1000;
  if (Math.abs(seconds) < 10) return "now";
  for (const [limit, unit, length] of UNITS) {
    const number = `${Math.round(Math.abs(seconds) / length)} ${unit}`;
    if (Math.abs(seconds) < limit) return seconds < 0 ? `in ${number}` : `${number} ago`;
  }
  const [, month, day, year] = date.toDateString().split(" ");
  return `${Number(day)} ${month}${Number(year) === new Date().getFullYear() ? "" : ` ${year}`}`;
}

/** Creates a `<time>`: relative, or `HH:MM` for `clock`. Its tooltip is the full time. */
export function timeElement(time, as = "relative") {
  const element = document.createElement("time");
  const date = parseDate(time);
  element.dateTime = String(time ?? "");
  element.textContent = !date ? element.dateTime : as === "clock" ? date.toTimeString().slice(0, 5) : relativeTime(date);
  if (!date) return element;
  element.addEventListener("pointerenter", () => { element.title = date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" }); }, { once: true });
  if (as === "relative") element.dataset.relative = "";
  return element;
}

/** Formats the day of a time: `Sun 29 Nov 2026`. */
export function formatDay(time) {
  const [weekday, month, day, year] = parseDate(time)?.toDateString().split(" ") ?? [];
  return day ? `${weekday} ${Number(day)} ${month} ${year}` : "";
}

export function pluralize(number, noun) {
  return `${formatNumber(number)} ${noun}${number === 1 ? "" : "s"}`;
}

export function formatBytes(bytes) {
  let value = bytes;
  for (const unit of ["bytes", "KB", "MB", "GB"]) {
    if (value < 1024 || unit === "GB") return `${formatNumber(value)} ${unit}`;
    value /= 1024;
  }
  return "";
}

export function formatDuration(milliseconds) {
  return `${formatNumber(milliseconds)} ms`;
}

/** Capitalizes the first letter and adds a final period. */
export function toSentence(text) {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? "" : ".");
}

/** Formats a volume: `user/default`. */
export function formatVolume({ volume, volume_id: id }) {
  if (!volume) return "all volumes";
  return volume === "system" ? "system" : `${volume}/${id ?? "default"}`;
}

export function refreshTimes() {
  setInterval(() => {
    for (const element of document.querySelectorAll("time[data-relative]")) {
      element.textContent = relativeTime(new Date(element.dateTime));
    }
  }, 30_000);
}
