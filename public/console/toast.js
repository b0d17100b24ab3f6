// Toasts and screen reader announcements.
import { byId, h, icon } from "./dom.js";

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

export const notifyUnloaded = () => notify("Loading failed: the server is unreachable.", { kind: "bad" });
