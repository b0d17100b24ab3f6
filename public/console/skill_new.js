// A new skill: by a form, or as a whole document that was dropped or pasted.
import { kept } from "./device.js";
import { ask, field, volumeFields } from "./dialog.js";
import { h } from "./dom.js";
import { announce } from "./notice.js";
import { go, toSkill } from "./router.js";
import { watchWarnings } from "./skill_editor.js";
import { llmos, scopeOf, tell, writeScope } from "./state.js";

const DRAFT = "llmos.draft.new skill";

const listOf = (text) => text.split(",").map((it) => it.trim()).filter(Boolean);

/** Asks for a new skill, or how to store a document that was `dropped`, and opens it. What was typed stays until then. */
export async function createSkill(dropped = "") {
  const before = kept.get(DRAFT);
  const saved = before ?? {};
  const document_ = dropped || saved.document || "";
  const keep = (event) => kept.set(DRAFT, Object.fromEntries(new FormData(event.currentTarget.form)));
  const input = (name, given = {}) => h("input", { name, value: saved[name] ?? "", autocomplete: "off", oninput: keep, ...given });
  const area = (name, rows) => h("textarea", { name, rows, value: saved[name] ?? "", spellcheck: name === "description", oninput: keep });
  const warnings = h("div.warnings", { role: "status" });
  const document = h("textarea.code", { name: "document", rows: 14, value: document_, spellcheck: false, oninput: (event) => { keep(event); check(); }, placeholder: "---\nname: Hello World\ndescription: Greets a person\n---\n" });
  const check = watchWarnings(document, warnings);
  const byFields = h("div", {},
    field("Name", input("name", { maxlength: 200 })), field("Description", area("description", 2)),
    h("div.columns", {}, field("Language", input("language")), field("Tags", input("tags"), "with commas between them")),
    field("Code", area("code", 6), "A skill without code is a text."));
  const whole = h("div", {}, field("Document", document), warnings);
  const kind = (value, label) => h("label.check", {}, h("input", { type: "radio", name: "as", value, checked: (value === "document") === (document_ !== ""), onchange: show }), h("span", {}, label));
  const choice = h("div.choice", { role: "radiogroup", "aria-label": "How" }, kind("fields", "Form"), kind("document", "Markdown document"));
  function show() {
    const asDocument = choice.querySelector("input:checked").value === "document";
    byFields.hidden = asDocument;
    whole.hidden = !asDocument;
  }
  show();
  if (document_) check();

  const created = await ask("New skill", [choice, byFields, whole, volumeFields(scopeOf(writeScope()))], {
    submit: "Create",
    send: async (data) => {
      const chosen = Object.fromEntries(data);
      const into = scopeOf(chosen);
      if (chosen.as === "document") return llmos.skills.create(chosen.document, into);
      const { name, description, language, code } = chosen;
      const fields = { name, description, language, code, tags: listOf(chosen.tags) };
      return llmos.skills.create(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "")), into);
    },
  });
  if (!created) return;
  kept.set(DRAFT, dropped ? before : null);
  tell("skill", created);
  announce(`Skill ${created.id} created.`);
  go(toSkill(created));
}
