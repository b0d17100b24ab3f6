// What a session is: its name, status and facts, and what can be done to it.
import { ask, field } from "./dialog.js";
import { button, fill, h, icon, isolated } from "./dom.js";
import { count, timeOf, volumeName } from "./format.js";
import { announce, deleteLater, isPending, notify } from "./notice.js";
import { go } from "./router.js";
import { llmos, tell, wordsOf } from "./state.js";

const TRIES = 5;
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const written = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const isObject = (value) => value?.constructor === Object;

/** The merge patch that makes one object of another. */
const patchOf = (from, to) => Object.fromEntries(Object.keys({ ...from, ...to }).filter((name) => !same(from[name], to[name]))
  .map((name) => [name, isObject(from[name]) && isObject(to[name]) ? patchOf(from[name], to[name]) : to[name] ?? null]));

function objectIn(text) {
  const value = JSON.parse(text);
  if (!isObject(value)) throw new Error("Metadata is a JSON object, {…}.");
  return value;
}

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
      action("edit", "Rename", rename, "R"),
      current.status === "active" ? action("pause", "Pause", () => change({ status: "paused" })) : action("play", "Resume", () => change({ status: "active" })),
      current.status !== "completed" && action("check", "Complete", () => change({ status: "completed" })),
      action("", "Metadata", editMetadata, "m"),
      action("trash", "Delete", remove),
    ]);
    if (had) (actions.querySelector(`[data-action="${had}"]`) ?? actions.firstElementChild).focus();
  }

  function action(name, label, act, key) {
    const made = button(name, label, act);
    made.dataset.action = label;
    if (key) made.dataset.key = key;
    return made;
  }

  async function copyId() {
    await navigator.clipboard.writeText(current.id).then(() => notify("The id is copied."), () => notify(current.id));
  }

  /**
   * Changes what nobody else changed; else says so and offers what there is now. Messages that others wrote do not
   * stand in the way of a new name.
   */
  async function change(fields) {
    const read = current;
    try {
      for (let tries = 1; ; tries += 1) {
        try {
          const changed = await llmos.sessions.update(current.id, fields, { ifMatch: current.etag });
          done(changed);
          return;
        } catch (error) {
          if (error.code !== "precondition_failed" || tries === TRIES) throw error;
          const now = error.current;
          const isTouched = Object.keys(fields).some((name) => !same(now[name], read[name]) && !same(now[name], fields[name]));
          if (isTouched && !(await mayReplace(fields, now))) {
            done(now);
            return;
          }
          current = now;
        }
      }
    } catch (error) {
      if (!signal.aborted) notify(`The session is not changed: ${wordsOf(error)}`, { kind: "bad", action: "Try again", act: () => change(fields) });
    }
  }

  function done(now) {
    const said = Object.keys(now).filter((name) => ["name", "status"].includes(name) && now[name] !== current[name])
      .map((name) => `${name}: ${now[name]}`).join(", ");
    if (!signal.aborted) show(now);
    tell("session", now);
    announce(`Stored. ${said}`);
  }

  /** Whether what somebody else wrote meanwhile is to be replaced. */
  function mayReplace(fields, now) {
    const rows = Object.keys(fields).map((name) => [
      h("dt", {}, name), h("dd", {}, h("span", {}, "now: ", isolated(written(now[name]))), h("span", {}, "yours: ", isolated(written(fields[name])))),
    ]);
    return ask("This session was changed elsewhere", [
      h("p", {}, "Somebody, or another tab of yours, changed it since you read it. Nothing is lost yet."), h("dl.conflict", {}, rows),
    ], { submit: "Take the newer one", send: async () => false, cancel: "Decide later", others: [["Replace it by mine", () => true]] });
  }

  async function rename() {
    const input = h("input", { name: "name", value: current.name, required: true, maxlength: 200, autocomplete: "off" });
    // Typed names outlive a failure: the dialog closes when the name is stored or was taken over.
    const name = await ask("Rename the session", [field("Name", input)], {
      submit: "Rename",
      send: async (data) => String(data.get("name")).trim() || Promise.reject(new Error("A name has at least one character.")),
    });
    if (name && name !== current.name) await change({ name });
  }

  async function editMetadata() {
    const problem = h("p.problem", { role: "status" });
    const check = () => {
      problem.textContent = "";
      try { objectIn(input.value); } catch (error) { problem.textContent = error.message; }
    };
    const input = h("textarea", { rows: 10, spellcheck: false, value: JSON.stringify(current.metadata, null, 2), oninput: check });
    const read = current.metadata;
    const wanted = await ask("Metadata", [field("A JSON object", input), problem], { submit: "Store", send: async () => objectIn(input.value) });
    if (wanted && !same(wanted, read)) await change({ metadata: patchOf(read, wanted) });
  }

  function remove() {
    const { id, name } = current;
    const key = `session ${id}`;
    if (isPending(key)) return;
    deleteLater(key, `“${name}” deleted`, {
      run: async (options) => {
        await llmos.sessions.delete(id, options);
        tell("gone", id);
      },
      back: () => tell("pending"),
    });
    tell("pending");
    go("#/sessions");
  }

  show(session);
  return {
    element,
    show,
    current: () => current,
    isGone() {
      note.textContent = "This session was deleted elsewhere. What is written below cannot be stored here.";
    },
    isReached(isReached, why = "") {
      note.textContent = isReached ? "" : `What is shown may be old: ${why}`;
    },
  };
}
