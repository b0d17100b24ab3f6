// A new session: the form for it.
import { ask, field } from "./dialog.js";
import { h } from "./dom.js";
import { announce } from "./notice.js";
import { go, toSession } from "./router.js";
import { kept, llmos, tell, writeScope } from "./state.js";

const NEW = "llmos.draft.new";

/** Asks for a new session and opens it. What was typed stays until it is created. */
export async function createSession() {
  const draft = kept.get(NEW) ?? {};
  const scope = { ...writeScope(), ...(draft.volume && { volume: draft.volume, volume_id: draft.volume_id }) };
  const keep = (event) => kept.set(NEW, Object.fromEntries(new FormData(event.currentTarget.form)));
  const volume = h("select", { name: "volume", oninput: keep }, ["user", "team", "system"].map((name) =>
    h("option", { value: name, selected: name === scope.volume }, name)));
  const owner = h("input", { name: "volume_id", value: scope.volume === "system" ? "default" : scope.volume_id ?? "default", autocomplete: "off", spellcheck: false, oninput: keep });
  const created = await ask("New session", [
    field("Name", h("input", { name: "name", value: draft.name ?? "", required: true, maxlength: 200, autocomplete: "off", oninput: keep })),
    h("div.columns", {}, field("Volume", volume), field("Whose", owner, "default is your own")),
    field("First message (may be left out)", h("textarea", { name: "initial_message", rows: 4, value: draft.initial_message ?? "", oninput: keep })),
  ], {
    submit: "Create",
    send: (data) => {
      const given = Object.fromEntries([...data].filter(([, value]) => value !== ""));
      if (given.volume === "system") delete given.volume_id;
      return llmos.sessions.create(given);
    },
  });
  if (!created) return;
  kept.set(NEW, null);
  tell("session", created);
  announce(`Session ${created.name} created.`);
  go(toSession(created.id));
}
