// Edits the name, status and metadata of a session without overwriting concurrent changes.
import { ExactNumber, parseJson, toJson } from "../llmos.js";
import { field, openDialog } from "./dialog.js";
import { bdi, h } from "./dom.js";
import { emit, errorMessage, llmos } from "./state.js";
import { announce, notify } from "./toast.js";

const MAX_ATTEMPTS = 5;
const isEqual = (a, b) => toJson(a) === toJson(b);
const toText = (value) => (typeof value === "string" ? value : toJson(value));
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);

/** Returns the JSON merge patch (RFC 7396) from one object to another. */
const mergePatch = (from, to) => Object.fromEntries(Object.keys({ ...from, ...to }).filter((name) => !isEqual(from[name], to[name]))
  .map((name) => [name, isObject(from[name]) && isObject(to[name]) ? mergePatch(from[name], to[name]) : to[name] ?? null]));

function parseObject(text) {
  const value = parseJson(text);
  if (!isObject(value)) throw new Error("Metadata must be a JSON object: {…}");
  return value;
}

/** Updates fields of a session. New messages do not conflict with the update; if one of the fields changed elsewhere, asks
 * before overwriting it. */
export async function updateSession(head, fields, retry = () => updateSession(head, fields)) {
  const read = head.current();
  try {
    for (let base = read, attempts = 1; ; attempts += 1) {
      try {
        return apply(head, await llmos.sessions.update(base.id, fields, { ifMatch: base.etag }));
      } catch (error) {
        if (error.code !== "precondition_failed" || attempts === MAX_ATTEMPTS) throw error;
        base = error.current;
        const isConflict = Object.keys(fields).some((name) => !isEqual(base[name], read[name]) && !isEqual(base[name], fields[name]));
        if (isConflict && !(await confirmOverwrite(fields, base))) return apply(head, base);
      }
    }
  } catch (error) {
    notify(`The session was not updated: ${errorMessage(error)}`, { kind: "bad", action: "Try again", onAction: retry });
  }
}

function apply(head, session) {
  const changes = ["name", "status"].filter((name) => session[name] !== head.current()[name]).map((name) => `${name}: ${session[name]}`).join(", ");
  if (!head.signal.aborted) head.show(session);
  emit("session", session);
  announce(`Saved. ${changes}`);
}

function confirmOverwrite(fields, current) {
  const rows = Object.keys(fields).map((name) => [
    h("dt", {}, name), h("dd", {}, h("span", {}, "current: ", bdi(toText(current[name]))), h("span", {}, "yours: ", bdi(toText(fields[name])))),
  ]);
  return openDialog("This session was changed elsewhere", [
    h("p", {}, "Another user or tab changed this session after you opened it."), h("dl.conflict", {}, rows),
  ], { submit: "Use the newer version", send: async () => false, actions: [["Overwrite with mine", () => true]] });
}

export async function rename(head) {
  const { name: read } = head.current();
  const input = h("input", { name: "name", value: read, required: true, maxlength: 200, autocomplete: "off" });
  const name = await openDialog("Rename session", [field("Name", input)], {
    submit: "Rename",
    send: async (data) => String(data.get("name")).trim() || Promise.reject(new Error("Enter a name.")),
  });
  if (name && name !== read) await updateSession(head, { name });
}

export async function editMetadata(head, text) {
  const read = head.current().metadata;
  const problem = h("p.problem", { role: "status" });
  const check = () => {
    problem.textContent = "";
    try { parseObject(input.value); } catch (error) { problem.textContent = error.message; }
  };
  const input = h("textarea", { rows: 10, spellcheck: false, value: text ?? toJson(read, 2), oninput: check });
  const edited = await openDialog("Metadata", [field("JSON object", input), problem], { submit: "Save", send: async () => parseObject(input.value) });
  if (edited && !isEqual(edited, read)) await updateSession(head, { metadata: mergePatch(read, edited) }, () => editMetadata(head, input.value));
}
