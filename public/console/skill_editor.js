// The editor of a skill document: validates while the user types, and saves a draft on this device.
import { fill, h, submitOnCtrlEnter } from "./dom.js";
import { storage } from "./local_storage.js";
import { errorMessage, llmos, toScope } from "./state.js";

const DEBOUNCE_MS = 400;

/** Returns a debounced function that validates the document in `input` and shows the result in `output`. */
export function validator(input, output) {
  let timer = 0;
  let controller = new AbortController();
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(async () => {
      controller.abort();
      controller = new AbortController();
      const { signal } = controller;
      try {
        const { valid, id, warnings } = await llmos.skills.validate(input.value, { signal, retries: 0 });
        if (valid && warnings.length === 0) fill(output, h("p.good", {}, `Valid. Id: ${id}`));
        else fill(output, !valid && h("p.problem", {}, "The document is invalid."), h("ul", {}, warnings.map((it) => h("li", { dir: "auto" }, it))));
      } catch (error) {
        if (signal.aborted) return;
        fill(output, error.status === 422 ? h("p.problem", {}, error.detail) : h("p.quiet", {}, "Validation unavailable; the skill is validated on save."));
      }
    }, DEBOUNCE_MS);
  };
}

const draftName = (skill) => `llmos.draft.skill ${skill.volume}/${skill.volume_id}/${skill.id}`;

export const editor = {
  hasDraft: (skill) => storage.get(draftName(skill)) !== null,
  discardDraft: (skill) => storage.set(draftName(skill), null),

  /** Calls `onSaved(skill, document)` after a save, and `resolveConflict`, which returns the entity tag to overwrite. */
  open(pane, skill, { signal, onSaved, resolveConflict }) {
    const draft = storage.get(draftName(skill));
    let etag = draft?.etag ?? skill.etag;
    const warnings = h("div.warnings", { role: "status" });
    const problem = h("p.problem", { role: "alert" });
    const input = h("textarea.code", { "aria-label": "Document", spellcheck: false, value: draft?.document ?? skill.content ?? "" });
    const validate = validator(input, warnings);
    const saveButton = h("button.primary", { type: "submit" }, "Save");
    const form = h("form.editor", { onsubmit: save, onkeydown: submitOnCtrlEnter }, input, h("div.line", {}, saveButton, h("button", { type: "button", onclick: revert }, "Revert"), h("span.hint", {}, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter"), " to save")), problem, warnings);
    input.addEventListener("input", () => {
      const isChanged = input.value !== skill.content;
      storage.set(draftName(skill), isChanged ? { document: input.value, etag } : null);
      problem.textContent = "";
      validate();
    });

    function revert() {
      input.value = skill.content ?? "";
      storage.set(draftName(skill), null);
      validate();
      input.focus();
    }

    async function save(event) {
      event?.preventDefault();
      if (event && saveButton.disabled) return;
      saveButton.disabled = true;
      input.readOnly = true;
      problem.textContent = "";
      const document = input.value;
      try {
        const saved = await llmos.skills.update(skill.id, document, toScope(skill), { ifMatch: etag, signal });
        storage.set(draftName(skill), null);
        onSaved(saved, document);
      } catch (error) {
        if (signal.aborted) return;
        if (error.code !== "precondition_failed") {
          problem.textContent = `Not saved: ${errorMessage(error)} The draft is kept on this device.`;
          return;
        }
        const newer = await resolveConflict().catch((failure) => { problem.textContent = errorMessage(failure); return null; });
        if (newer) {
          etag = newer;
          await save();
        }
      } finally {
        saveButton.disabled = false;
        input.readOnly = false;
      }
    }

    fill(pane, form);
    input.focus();
    validate();
  },
};
