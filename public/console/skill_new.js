// The dialog for a new skill: a form, or a whole Markdown document.
import { field, openDialog, volumeFields } from "./dialog.js";
import { h } from "./dom.js";
import { storage } from "./local_storage.js";
import { navigate, skillHref } from "./router.js";
import { validator } from "./skill_editor.js";
import { emit, llmos, toScope, writeScope } from "./state.js";
import { announce } from "./toast.js";

const DRAFT = "llmos.draft.new skill";

const splitList = (text) => text.split(",").map((it) => it.trim()).filter(Boolean);

/** Creates a skill in a dialog and opens it; `dropped` is an initial document. The input is saved as a draft until then. */
export async function createSkill(dropped = "") {
  const oldDraft = storage.get(DRAFT);
  const saved = oldDraft ?? {};
  const initialDocument = dropped || saved.document || "";
  const save = (event) => storage.set(DRAFT, Object.fromEntries(new FormData(event.currentTarget.form)));
  const input = (name, attributes = {}) => h("input", { name, value: saved[name] ?? "", autocomplete: "off", oninput: save, ...attributes });
  const area = (name, rows) => h("textarea", { name, rows, value: saved[name] ?? "", spellcheck: name === "description", oninput: save });
  const warnings = h("div.warnings", { role: "status" });
  const document = h("textarea.code", { name: "document", rows: 14, value: initialDocument, spellcheck: false, oninput: (event) => { save(event); validate(); }, placeholder: "---\nname: Hello World\ndescription: Greets a person\n---\n" });
  const validate = validator(document, warnings);
  const form = h("div", {},
    field("Name", input("name", { maxlength: 200 })), field("Description", area("description", 2)),
    h("div.columns", {}, field("Language", input("language")), field("Tags", input("tags"), "comma-separated")),
    field("Code", area("code", 6), "Optional"));
  const whole = h("div", {}, field("Document", document), warnings);
  const kind = (value, label) => h("label.check", {}, h("input", { type: "radio", name: "as", value, checked: (value === "document") === (initialDocument !== ""), onchange: show }), h("span", {}, label));
  const choice = h("div.choice", { role: "radiogroup", "aria-label": "Input" }, kind("fields", "Form"), kind("document", "Markdown document"));
  function show() {
    const asDocument = choice.querySelector("input:checked").value === "document";
    form.hidden = asDocument;
    whole.hidden = !asDocument;
  }
  show();
  if (initialDocument) validate();

  const created = await openDialog("New skill", [choice, form, whole, volumeFields(toScope(writeScope()))], {
    submit: "Create",
    send: async (data) => {
      const values = Object.fromEntries(data);
      const scope = toScope(values);
      if (values.as === "document") return llmos.skills.create(values.document, scope);
      const { name, description, language, code } = values;
      const fields = { name, description, language, code, tags: splitList(values.tags) };
      return llmos.skills.create(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "")), scope);
    },
  });
  if (!created) return;
  storage.set(DRAFT, dropped ? oldDraft : null);
  emit("skill", created);
  announce(`Skill ${created.id} created.`);
  navigate(skillHref(created));
}
