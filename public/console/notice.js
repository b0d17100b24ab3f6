// What is told in passing: to everybody on the screen, to those who listen by a live region, and with a way back.
import { byId, fill, h, icon } from "./dom.js";

const DURATION = 6000;

/** Says it to those who do not see the screen. */
export function announce(text) {
  const region = byId("live");
  region.textContent = "";
  // A change is heard only if it comes after the region was empty.
  setTimeout(() => { region.textContent = text; }, 50);
}

/** A line at the edge of the screen, which goes by itself unless it is a failure. `ended` is called where the time is up
 * or it was put away, `act` where the action was chosen. */
export function notify(text, { kind = "info", action, act, duration = kind === "bad" ? 0 : DURATION, ended } = {}) {
  let isOver = false;
  const end = (how) => {
    if (isOver) return;
    isOver = true;
    const hadFocus = toast.contains(document.activeElement);
    toast.remove();
    if (hadFocus) byId("main").focus();
    how?.();
  };
  const toast = h(`div.toast.${kind}`, {}, h("p", { dir: "auto" }, text),
    action && h("button.link", { type: "button", onclick: () => end(act) }, action),
    h("button.quiet", { type: "button", "aria-label": "Dismiss", onclick: () => end(ended) }, icon("close")));
  byId("toasts").append(toast);
  announce(action ? `${text} ${action}: press Z.` : text);
  if (duration > 0) setTimeout(() => end(ended), duration);
  return { undo: () => action && end(act), end: () => end(ended) };
}

const pending = new Map();

/** Whether this is about to be deleted. */
export const isPending = (key) => pending.has(key);

/** Deletes after a while in which it can be taken back: `run` does, and `back` shows it again, because it was taken back
 * or failed. */
export function deleteLater(key, text, { run, back }) {
  const send = async (options = {}) => {
    try {
      await run(options);
      pending.delete(key);
    } catch (error) {
      pending.delete(key);
      back();
      notify(`It is not deleted: ${error?.message ?? error}`, { kind: "bad" });
    }
  };
  const notice = notify(text, {
    action: "Undo",
    act: () => { pending.delete(key); back(); announce("It is back."); },
    ended: send,
  });
  pending.set(key, { run: () => send({ keepalive: true }), notice });
}

/** Takes the last deletion back. */
export function undoLast() {
  [...pending.values()].at(-1)?.notice.undo();
}

// Who leaves has said that it is to be deleted.
addEventListener("pagehide", () => {
  for (const one of [...pending.values()]) one.run();
});

/** What a pane says in place of its content. */
export function say(pane, title, ...children) {
  return fill(pane, h("div.empty", {}, h("h2", {}, title), ...children));
}

/** A failure with a way to try again. */
export function failed(what, why, again) {
  return h("div.failed", { role: "alert" }, h("p", {}, h("strong", {}, what), " ", why),
    h("button", { type: "button", onclick: again }, "Try again"));
}

/** Shows after 300 ms that something takes its time. */
export function waiting(what) {
  return h("p.waiting", { role: "status" }, what);
}

/** A command to be pasted into a shell. */
export function command(text, label = "Command") {
  const copied = async () => {
    await navigator.clipboard.writeText(text).then(() => announce("Copied."), () => announce("It cannot be copied."));
  };
  return h("div.command", {}, h("pre", { tabindex: 0, role: "group", "aria-label": label }, h("code", {}, text)),
    h("button.quiet", { type: "button", onclick: copied, "aria-label": "Copy the command", title: "Copy" }, icon("copy")));
}
