// The keyboard: which key does what, and the page that says so.
import { ask, isOpen } from "./dialog.js";
import { byId, h, isEditable } from "./dom.js";
import { undoLast } from "./notice.js";

const HELP = [
  ["j, k or ↓, ↑", "next, previous in the list"],
  ["Enter", "open it"],
  ["Esc", "leave a field, then what is open"],
  ["/", "filter the list"],
  ["n", "new session, skill or upload"],
  ["r", "write a message; rename with Shift+R"],
  ["e, m", "edit a skill, a session's metadata"],
  ["Ctrl+Enter or ⌘+Enter", "send, save"],
  ["z", "take a deletion back"],
  ["1, 2, 3, 4", "sessions, skills, files, status"],
  ["?", "this page"],
];

export function showHelp() {
  const rows = HELP.flatMap(([keys, what]) => [h("dt", {}, keys.split(/( or |, )/).map((part) =>
    (/^( or |, )$/.test(part) ? part : h("kbd", {}, part)))), h("dd", {}, what)]);
  ask("Keys", [h("dl.keys", {}, rows)], { submit: "Close", cancel: null });
}

/** What `click`s where a key is pressed: the element on the screen that has `data-key`. */
function press(key) {
  const marked = [...document.querySelectorAll("[data-key]")];
  const target = marked.find((it) =>
    // The way back is there for the key where it is not shown, too.
    it.dataset.key === key && (key === "Escape" || it.offsetParent !== null));
  if (!target) return false;
  if (isEditable(target)) target.focus();
  else target.click();
  return true;
}

function move(step) {
  const rows = [...document.querySelectorAll("#list [data-row], #detail [data-row]")]
    .filter((row) => row.offsetParent !== null);
  if (rows.length === 0) return false;
  const current = rows.findIndex((row) => row.contains(document.activeElement));
  const chosen = current < 0 ? rows.findIndex((row) => row.getAttribute("aria-current") === "page") : current + step;
  const next = rows[Math.min(rows.length - 1, Math.max(0, chosen))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function escape() {
  const active = document.activeElement;
  if (isEditable(active)) {
    active.blur();
    byId("main").focus({ preventScroll: true });
    return true;
  }
  return press("Escape");
}

export function listen() {
  addEventListener("keydown", (event) => {
    if (isOpen() || event.defaultPrevented) return;
    if (event.key === "Escape") {
      if (escape()) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isEditable(event.target)) return;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    const inList = event.target instanceof Element && event.target.closest("[data-row]") !== null;
    let isDone;
    if (step && (event.key.length === 1 || inList)) isDone = move(step);
    else if (event.key === "?") isDone = showHelp() ?? true;
    else if (event.key === "z") isDone = undoLast() ?? true;
    else isDone = event.key.length === 1 && press(event.key);
    if (isDone) event.preventDefault();
  });
}
