// Changes of a session: its name, status and metadata, none of which replaces unasked what others changed meanwhile.
import { ask, field } from "./dialog.js";
import { h, isolated } from "./dom.js";
import { announce, notify } from "./notice.js";
import { llmos, tell, wordsOf } from "./state.js";

const TRIES = 5;
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const written = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** The merge patch that makes one object of another. */
const patchOf = (from, to) => Object.fromEntries(Object.keys({ ...from, ...to }).filter((name) => !same(from[name], to[name]))
  .map((name) => [name, isObject(from[name]) && isObject(to[name]) ? patchOf(from[name], to[name]) : to[name] ?? null]));

function objectIn(text) {
  const value = JSON.parse(text);
  if (!isObject(value)) throw new Error("Metadata is a JSON object, {…}.");
  return value;
}

/** Changes the session of a head. Messages that others wrote do not stand in the way of a new name; where they changed
 * the same, says so and offers what there is now. */
export async function change(head, fields, again = () => change(head, fields)) {
  const read = head.current();
  try {
    for (let base = read, tries = 1; ; tries += 1) {
      try {
        return done(head, await llmos.sessions.update(base.id, fields, { ifMatch: base.etag }));
      } catch (error) {
        if (error.code !== "precondition_failed" || tries === TRIES) throw error;
        base = error.current;
        const isTouched = Object.keys(fields).some((name) => !same(base[name], read[name]) && !same(base[name], fields[name]));
        if (isTouched && !(await mayReplace(fields, base))) return done(head, base);
      }
    }
  } catch (error) {
    notify(`The session is not changed: ${wordsOf(error)}`, { kind: "bad", action: "Try again", act: again });
  }
}

function done(head, now) {
  const said = ["name", "status"].filter((name) => now[name] !== head.current()[name]).map((name) => `${name}: ${now[name]}`).join(", ");
  if (!head.signal.aborted) head.show(now);
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

export async function rename(head) {
  const { name: read } = head.current();
  const input = h("input", { name: "name", value: read, required: true, maxlength: 200, autocomplete: "off" });
  // Typed names outlive a failure: the dialog closes when the name is stored or was taken over.
  const name = await ask("Rename the session", [field("Name", input)], {
    submit: "Rename",
    send: async (data) => String(data.get("name")).trim() || Promise.reject(new Error("A name has at least one character.")),
  });
  if (name && name !== read) await change(head, { name });
}

export async function editMetadata(head, typed) {
  const read = head.current().metadata;
  const problem = h("p.problem", { role: "status" });
  const check = () => {
    problem.textContent = "";
    try { objectIn(input.value); } catch (error) { problem.textContent = error.message; }
  };
  const input = h("textarea", { rows: 10, spellcheck: false, value: typed ?? JSON.stringify(read, null, 2), oninput: check });
  const wanted = await ask("Metadata", [field("A JSON object", input), problem], { submit: "Store", send: async () => objectIn(input.value) });
  if (wanted && !same(wanted, read)) await change(head, { metadata: patchOf(read, wanted) }, () => editMetadata(head, input.value));
}
