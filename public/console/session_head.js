// What a session is: its name, status and facts, and what can be done to it.
import { button, fill, h, icon, isolated } from "./dom.js";
import { count, timeOf, volumeName } from "./format.js";
import { deleteLater, notify, notLoaded } from "./notice.js";
import { go } from "./router.js";
import { keyOf } from "./sessions.js";
import { llmos } from "./state.js";

export function sessionHead(session, signal) {
  let current = session;
  const title = h("h2", { tabindex: -1, id: "detail-title" });
  const status = h("span");
  const facts = h("p.facts");
  const note = h("p.note", { role: "status" });
  const actions = h("div.actions", { role: "group", "aria-label": "Session" });
  const back = h("a.back", { href: "#/sessions", "aria-label": "Back to the list", "data-key": "Escape" }, icon("back"));
  const element = h("header.detail-head", {}, h("div.line", {}, back, title, status), facts, actions, note);

  function show(now) {
    current = { ...now, messages: undefined };
    fill(title, isolated(current.name || current.id));
    fill(status, h(`span.status.${current.status}`, {}, current.status));
    fill(facts, isolated(volumeName(current)), h("span", {}, count(current.message_count, "message")),
      h("span", {}, "active ", timeOf(current.updated_at)), h("span.created", {}, "created ", timeOf(current.created_at)),
      h("button.link.id", { type: "button", title: "Copy the id", onclick: copyId }, current.id));
    const had = document.activeElement?.getAttribute("data-action");
    fill(actions, [
      action("edit", "Rename", edit("rename"), "R"),
      current.status === "active" ? action("pause", "Pause", edit("change", { status: "paused" })) : action("play", "Resume", edit("change", { status: "active" })),
      current.status !== "completed" && action("check", "Complete", edit("change", { status: "completed" })),
      action("", "Metadata", edit("editMetadata"), "m"),
      action("trash", "Delete", remove),
    ]);
    if (had) (actions.querySelector(`[data-action="${had}"]`) ?? actions.firstElementChild).focus();
  }

  function action(name, label, act, key) {
    const made = button(name, label, act, { key });
    made.dataset.action = label;
    return made;
  }

  /** What changes something comes when it is wanted. */
  const edit = (name, ...given) => () => import("./session_edit.js").then((edits) => edits[name](head, ...given), notLoaded);

  async function copyId() {
    await navigator.clipboard.writeText(current.id).then(() => notify("The id is copied."), () => notify(current.id));
  }

  function remove() {
    const { id, name } = current;
    deleteLater(keyOf(current), name, (options) => llmos.sessions.delete(id, options));
    go("#/sessions");
  }

  const head = {
    element,
    signal,
    show,
    current: () => current,
    isGone() {
      note.textContent = "This session was deleted elsewhere. What is written below cannot be stored here.";
    },
    isReached(isReached, why = "") {
      note.textContent = isReached ? "" : `What is shown may be old: ${why}`;
    },
  };
  show(session);
  return head;
}
