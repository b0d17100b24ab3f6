// Keyboard shortcuts and their help dialog.
import { undoLast } from "./deletion.js";
import { isDialogOpen, openDialog } from "./dialog.js";
import { byId, h, isEditable } from "./dom.js";

const HELP = [
  ["j, k or ↓, ↑", "next, previous list item"],
  ["Enter", "open the list item"],
  ["Esc", "leave the input field, then close the open item"],
  ["/", "filter the list"],
  ["n", "new session, skill or upload"],
  ["r", "write a message; rename with Shift+R"],
  ["e, m", "edit a skill; edit session metadata"],
  ["Ctrl+Enter or ⌘+Enter", "send or save"],
  ["z", "undo a deletion"],
  ["1, 2, 3, 4", "sessions, skills, files, status"],
  ["?", "show keyboard shortcuts"],
];

export function showHelp() {
  const rows = HELP.flatMap(([keys, action]) => [h("dt", {}, keys.split(/( or |, )/).map((part) =>
    (/^( or |, )$/.test(part) ? part : h("kbd", {}, part)))), h("dd", {}, action)]);
  openDialog("Keyboard shortcuts", [h("dl.keys", {}, rows)], { submit: "Close", cancel: null });
}

/** Clicks the visible element with this `data-key`. Returns false if none exists. */
function press(key) {
  const marked = [...document.querySelectorAll("[data-key]")];
  // The back link works by key even while it is hidden.
  const target = marked.find((it) =>
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
  const index = current < 0 ? rows.findIndex((row) => row.getAttribute("aria-current") === "page") : current + step;
  const next = rows[Math.min(rows.length - 1, Math.max(0, index))];
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

export function listenForKeys() {
  addEventListener("keydown", (event) => {
    if (isDialogOpen() || event.defaultPrevented) return;
    if (event.key === "Escape") {
      if (escape()) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isEditable(event.target)) return;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    const inList = event.target instanceof Element && event.target.closest("[data-row]") !== null;
    let isHandled;
    if (step && (event.key.length === 1 || inList)) isHandled = move(step);
    else if (event.key === "?") isHandled = showHelp() ?? true;
    else if (event.key === "z") isHandled = undoLast() ?? true;
    else isHandled = event.key.length === 1 && press(event.key);
    if (isHandled) event.preventDefault();
  });
}
