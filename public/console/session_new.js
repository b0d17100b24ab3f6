// The form for a new session.
import { field, openDialog, volumeFields } from "./dialog.js";
import { h } from "./dom.js";
import { storage } from "./local_storage.js";
import { navigate, sessionHref } from "./router.js";
import { emit, llmos, toScope, writeScope } from "./state.js";
import { announce } from "./toast.js";

const DRAFT = "llmos.draft.new";

/** Creates a session in a dialog and opens it. The input is saved as a draft until then. */
export async function createSession() {
  const draft = storage.get(DRAFT) ?? {};
  const save = (event) => {
    const { name, initial_message } = Object.fromEntries(new FormData(event.currentTarget.form));
    storage.set(DRAFT, name || initial_message ? { name, initial_message } : null);
  };
  const created = await openDialog("New session", [
    field("Name", h("input", { name: "name", value: draft.name ?? "", required: true, maxlength: 200, autocomplete: "off", oninput: save })),
    volumeFields(toScope(writeScope())),
    field("First message (optional)", h("textarea", { name: "initial_message", rows: 4, value: draft.initial_message ?? "", oninput: save })),
  ], {
    submit: "Create",
    send: (data) => {
      const { volume, volume_id, ...fields } = Object.fromEntries([...data].filter(([, value]) => value !== ""));
      return llmos.sessions.create({ ...fields, ...toScope({ volume, volume_id }) });
    },
  });
  if (!created) return;
  storage.set(DRAFT, null);
  emit("session", created);
  announce(`Session ${created.name} created.`);
  navigate(sessionHref(created.id));
}
