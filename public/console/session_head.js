// The head of a session: name, status, facts and actions.
import { deleteWithUndo } from "./deletion.js";
import { bdi, button, fill, h, icon } from "./dom.js";
import { formatVolume, pluralize, timeElement } from "./format.js";
import { navigate } from "./router.js";
import { sessionKey } from "./sessions.js";
import { llmos } from "./state.js";
import { notify, notifyUnloaded } from "./toast.js";

export function sessionHead(session, signal) {
  let current = session;
  const title = h("h2", { tabindex: -1, id: "detail-title" });
  const status = h("span");
  const facts = h("p.facts");
  const note = h("p.note", { role: "status" });
  const actions = h("div.actions", { role: "group", "aria-label": "Session actions" });
  const back = h("a.back", { href: "#/sessions", "aria-label": "Back to the list", "data-key": "Escape" }, icon("back"));
  const element = h("header.detail-head", {}, h("div.line", {}, back, title, status), facts, actions, note);

  function show(changed) {
    current = { ...changed, messages: undefined };
    fill(title, bdi(current.name || current.id));
    fill(status, h(`span.status.${current.status}`, {}, current.status));
    fill(facts, bdi(formatVolume(current)), h("span", {}, pluralize(current.message_count, "message")),
      h("span", {}, "active ", timeElement(current.updated_at)), h("span.created", {}, "created ", timeElement(current.created_at)),
      h("button.link.id", { type: "button", title: "Copy id", onclick: copyId }, current.id));
    const focused = document.activeElement?.getAttribute("data-action");
    fill(actions, [
      action("edit", "Rename", edit("rename"), "R"),
      current.status === "active" ? action("pause", "Pause", edit("updateSession", { status: "paused" })) : action("play", "Resume", edit("updateSession", { status: "active" })),
      current.status !== "completed" && action("check", "Complete", edit("updateSession", { status: "completed" })),
      action("", "Metadata", edit("editMetadata"), "m"),
      action("trash", "Delete", remove),
    ]);
    if (focused) (actions.querySelector(`[data-action="${focused}"]`) ?? actions.firstElementChild).focus();
  }

  function action(name, label, act, key) {
    const element = button(name, label, act, { key });
    element.dataset.action = label;
    return element;
  }

  const edit = (name, ...rest) => () => import("./session_edit.js").then((edits) => edits[name](head, ...rest), notifyUnloaded);

  async function copyId() {
    await navigator.clipboard.writeText(current.id).then(() => notify("Id copied."), () => notify(current.id));
  }

  function remove() {
    const { id, name } = current;
    deleteWithUndo(sessionKey(current), name, (options) => llmos.sessions.delete(id, options));
    navigate("#/sessions");
  }

  const head = {
    element,
    signal,
    show,
    current: () => current,
    showDeleted() {
      note.textContent = "This session was deleted elsewhere. New messages cannot be sent.";
    },
    showOutdated(error) {
      note.textContent = error && `The data shown may be outdated: ${error}`;
    },
  };
  show(session);
  return head;
}
