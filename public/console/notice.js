// What is told in passing: to everybody on the screen, to those who listen by a live region, and with a way back.
import { byId, fill, h, icon } from "./dom.js";
import { tell, wordsOf } from "./state.js";

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
  return { undo: () => action && end(act), close: () => end() };
}

const pending = new Map();

/** Whether this is about to be deleted. */
export const isPending = (key) => pending.has(key);

/** Deletes what a list has under `key`, by `send`, after a while in which it can be taken back. */
export function deleteLater(key, name, send) {
  if (isPending(key)) return;
  const back = () => { pending.delete(key); tell("pending"); };
  const run = async (options = {}) => {
    try {
      await send(options);
      pending.delete(key);
      tell("gone", key);
    } catch (error) {
      back();
      notify(`It is not deleted: ${error?.message ?? error}`, { kind: "bad" });
    }
  };
  const notice = notify(`“${name}” deleted`, { action: "Undo", act: () => { back(); announce("It is back."); }, ended: run });
  pending.set(key, { run: () => run({ keepalive: true }), notice });
  tell("pending");
}

export function undoLast() {
  [...pending.values()].at(-1)?.notice.undo();
}

// Who leaves has said that it is to be deleted.
addEventListener("pagehide", () => {
  for (const one of [...pending.values()]) {
    one.run();
    one.notice.close();
  }
});

export function failed(what, why, again) {
  return h("div.failed", { role: "alert" }, h("p", {}, h("strong", {}, what), " ", why),
    h("button", { type: "button", onclick: again }, "Try again"));
}

/** Says in a pane that a session or a skill cannot be read, or is not there. */
export function unread(pane, kind, error, again) {
  if (error.status !== 404) return fill(pane, failed(`The ${kind} cannot be read.`, wordsOf(error), again));
  return fill(pane, h("div.empty.center", {}, h("h2", {}, `There is no such ${kind}`),
    h("p", {}, "It was deleted, or it is not one that you may see."), h("p", {}, h("a", { href: `#/${kind}s`, "data-key": "Escape" }, `All ${kind}s`))));
}

/** Shows after 300 ms that something takes its time. */
export function waiting(what) {
  return h("p.waiting", { role: "status" }, what);
}

/** Says that what a button is for did not come. */
export const notLoaded = () => notify("This cannot be loaded: the server cannot be reached.", { kind: "bad" });

export function command(text, label = "Command") {
  const copied = async () => {
    await navigator.clipboard.writeText(text).then(() => announce("Copied."), () => announce("It cannot be copied."));
  };
  return h("div.command", {}, h("pre", { tabindex: 0, role: "group", "aria-label": label }, h("code", {}, text)),
    h("button.quiet", { type: "button", onclick: copied, "aria-label": "Copy the command", title: "Copy" }, icon("copy")));
}
