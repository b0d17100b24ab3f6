// The editor of a skill's document: what is odd is told as one types, and a draft outlives the page.
import { kept } from "./device.js";
import { fill, h, sendByKey } from "./dom.js";
import { llmos, scopeOf, wordsOf } from "./state.js";

const DEBOUNCE = 400;

/** Tells in a live region what is odd about a document while it is written: what it gives looks again, a moment after
 * the last call. */
export function watchWarnings(input, output) {
  let timer = 0;
  let asked = new AbortController();
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(async () => {
      asked.abort();
      asked = new AbortController();
      const { signal } = asked;
      try {
        const { valid, id, warnings } = await llmos.skills.validate(input.value, { signal, retries: 0 });
        if (valid && warnings.length === 0) fill(output, h("p.good", {}, `Nothing is odd. Its id is ${id}.`));
        else fill(output, !valid && h("p.problem", {}, "This cannot be stored."), h("ul", {}, warnings.map((it) => h("li", { dir: "auto" }, it))));
      } catch (error) {
        if (signal.aborted) return;
        fill(output, error.status === 422 ? h("p.problem", {}, error.detail) : h("p.quiet", {}, "It cannot be checked just now; it is checked when it is stored."));
      }
    }, DEBOUNCE);
  };
}

const nameOf = (skill) => `llmos.draft.skill ${skill.volume}/${skill.volume_id}/${skill.id}`;

export const editor = {
  hasDraft: (skill) => kept.get(nameOf(skill)) !== null,
  forget: (skill) => kept.set(nameOf(skill), null),

  /** `stored` is told what was; `conflict` gives the entity tag of what is to be replaced. */
  open(pane, skill, { signal, stored, conflict }) {
    const draft = kept.get(nameOf(skill));
    let etag = draft?.etag ?? skill.etag;
    const warnings = h("div.warnings", { role: "status" });
    const problem = h("p.problem", { role: "alert" });
    const input = h("textarea.code", { "aria-label": "Document", spellcheck: false, value: draft?.document ?? skill.content ?? "" });
    const check = watchWarnings(input, warnings);
    const save = h("button.primary", { type: "submit" }, "Store");
    const form = h("form.editor", { onsubmit: store, onkeydown: sendByKey }, input, h("div.line", {}, save, h("button", { type: "button", onclick: revert }, "Revert"), h("span.hint", {}, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter"), " stores")), problem, warnings);
    input.addEventListener("input", () => {
      const isChanged = input.value !== skill.content;
      kept.set(nameOf(skill), isChanged ? { document: input.value, etag } : null);
      problem.textContent = "";
      check();
    });

    function revert() {
      input.value = skill.content ?? "";
      kept.set(nameOf(skill), null);
      check();
      input.focus();
    }

    async function store(event) {
      event?.preventDefault();
      if (event && save.disabled) return;
      save.disabled = true;
      input.readOnly = true;
      problem.textContent = "";
      const document = input.value;
      try {
        const changed = await llmos.skills.update(skill.id, document, scopeOf(skill), { ifMatch: etag, signal });
        kept.set(nameOf(skill), null);
        stored(changed, document);
      } catch (error) {
        if (signal.aborted) return;
        if (error.code !== "precondition_failed") {
          problem.textContent = `Not stored: ${wordsOf(error)} It is kept on this device.`;
          return;
        }
        const newer = await conflict().catch((failure) => { problem.textContent = wordsOf(failure); return null; });
        if (newer) {
          etag = newer;
          await store();
        }
      } finally {
        save.disabled = false;
        input.readOnly = false;
      }
    }

    fill(pane, form);
    input.focus();
    check();
  },
};
