// Toasts, screen reader announcements, deletions with undo, and the panels of missing or failed content.
import { byId, fill, h, icon } from "./dom.js";
import { emit, errorMessage } from "./state.js";

const DURATION_MS = 6000;

/** Announces a text to screen readers. */
export function announce(text) {
  const region = byId("live");
  region.textContent = "";
  // Screen readers announce a repeated text only if the region was empty before.
  setTimeout(() => { region.textContent = text; }, 50);
}

/** Shows a toast, which closes by itself unless it is an error. `onClose` is called on timeout and dismissal, `onAction`
 * on the action. */
export function notify(text, { kind = "info", action, onAction, duration = kind === "bad" ? 0 : DURATION_MS, onClose } = {}) {
  let isClosed = false;
  const close = (callback) => {
    if (isClosed) return;
    isClosed = true;
    const hadFocus = toast.contains(document.activeElement);
    toast.remove();
    if (hadFocus) byId("main").focus();
    callback?.();
  };
  const toast = h(`div.toast.${kind}`, {}, h("p", { dir: "auto" }, text),
    action && h("button.link", { type: "button", onclick: () => close(onAction) }, action),
    h("button.quiet", { type: "button", "aria-label": "Dismiss", onclick: () => close(onClose) }, icon("close")));
  byId("toasts").append(toast);
  announce(action ? `${text} ${action}: press Z.` : text);
  if (duration > 0) setTimeout(() => close(onClose), duration);
  return { undo: () => action && close(onAction), close: () => close() };
}

const deletions = new Map();

export const isDeleting = (key) => deletions.has(key);

/** Deletes a list item with `send` once its toast closes, unless the user undoes it. */
export function deleteWithUndo(key, name, send) {
  if (isDeleting(key)) return;
  const restore = () => { deletions.delete(key); emit("deletions"); };
  const run = async (options = {}) => {
    try {
      await send(options);
      deletions.delete(key);
      emit("deleted", key);
    } catch (error) {
      restore();
      notify(`“${name}” was not deleted: ${error?.message ?? error}`, { kind: "bad" });
    }
  };
  const toast = notify(`“${name}” deleted`, { action: "Undo", onAction: () => { restore(); announce("Deletion undone."); }, onClose: run });
  deletions.set(key, { run: () => run({ keepalive: true }), toast });
  emit("deletions");
}

export function undoLast() {
  [...deletions.values()].at(-1)?.toast.undo();
}

// Leaving the page confirms pending deletions.
addEventListener("pagehide", () => {
  for (const { run, toast } of [...deletions.values()]) {
    run();
    toast.close();
  }
});

export function errorPanel(title, detail, retry) {
  return h("div.failed", { role: "alert" }, h("p", {}, h("strong", {}, title), " ", detail),
    h("button", { type: "button", onclick: retry }, "Try again"));
}

/** Shows that a session or a skill is missing or could not be loaded. */
export function showLoadError(pane, kind, error, retry) {
  if (error.status !== 404) return fill(pane, errorPanel(`The ${kind} could not be loaded.`, errorMessage(error), retry));
  return fill(pane, h("div.empty.center", {}, h("h2", {}, `${kind[0].toUpperCase()}${kind.slice(1)} not found`),
    h("p", {}, "It was deleted, or you do not have access to it."), h("p", {}, h("a", { href: `#/${kind}s`, "data-key": "Escape" }, `All ${kind}s`))));
}

/** Creates a progress text, which CSS shows after 300 ms. */
export function loading(text) {
  return h("p.waiting", { role: "status" }, text);
}

export const notifyUnloaded = () => notify("Loading failed: the server is unreachable.", { kind: "bad" });

export function commandBlock(text, label = "Command") {
  const copy = () => navigator.clipboard.writeText(text).then(() => announce("Copied."), () => announce("Copying failed."));
  return h("div.command", {}, h("pre", { tabindex: 0, role: "group", "aria-label": label }, h("code", {}, text)),
    h("button.quiet", { type: "button", onclick: copy, "aria-label": "Copy command", title: "Copy" }, icon("copy")));
}
