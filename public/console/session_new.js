// A new session: the form for it.
import { kept } from "./device.js";
import { ask, field, volumeFields } from "./dialog.js";
import { h } from "./dom.js";
import { announce } from "./notice.js";
import { go, toSession } from "./router.js";
import { llmos, scopeOf, tell, writeScope } from "./state.js";

const NEW = "llmos.draft.new";

/** Asks for a new session and opens it. What was typed stays until it is created. */
export async function createSession() {
  const draft = kept.get(NEW) ?? {};
  const keep = (event) => {
    const { name, initial_message } = Object.fromEntries(new FormData(event.currentTarget.form));
    kept.set(NEW, name || initial_message ? { name, initial_message } : null);
  };
  const created = await ask("New session", [
    field("Name", h("input", { name: "name", value: draft.name ?? "", required: true, maxlength: 200, autocomplete: "off", oninput: keep })),
    volumeFields(scopeOf(writeScope())),
    field("First message (may be left out)", h("textarea", { name: "initial_message", rows: 4, value: draft.initial_message ?? "", oninput: keep })),
  ], {
    submit: "Create",
    send: (data) => {
      const { volume, volume_id, ...given } = Object.fromEntries([...data].filter(([, value]) => value !== ""));
      return llmos.sessions.create({ ...given, ...scopeOf({ volume, volume_id }) });
    },
  });
  if (!created) return;
  kept.set(NEW, null);
  tell("session", created);
  announce(`Session ${created.name} created.`);
  go(toSession(created.id));
}
