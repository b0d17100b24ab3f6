// Questions in a dialog, and forms in it.
import { h, sendByKey } from "./dom.js";
import { notify } from "./notice.js";
import { wordsOf } from "./state.js";

/** Opens a dialog with a form; Esc and Cancel leave it. Gives what `send`, or one of `others`, gives of its FormData, and
 * nothing where it was left. `send` may fail: then the dialog stays and says why. */
export function ask(title, content, { submit = "OK", look = ".primary", send = async () => true, cancel = "Cancel", others = [] } = {}) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    let result;
    const problem = h("p.problem", { role: "alert" });
    const done = h(`button${look}`, { type: "submit" }, submit);
    const form = h("form", { method: "dialog" },
      h("h2", { id: "dialog-title" }, title), ...content, problem,
      h("div.buttons", {},
        cancel && h("button", { type: "button", onclick: () => dialog.close() }, cancel),
        others.map(([label, act]) => h("button", { type: "button", onclick: () => { result = act(); dialog.close(); } }, label)),
        done));
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
    let sending = null;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!done.disabled) sending = finish();
    });
    // It goes on where the dialog is left meanwhile.
    async function finish() {
      done.disabled = true;
      problem.textContent = "";
      try {
        result = await send(new FormData(form));
        dialog.close();
      } catch (error) {
        problem.textContent = wordsOf(error);
        if (!dialog.open) notify(`${title}: ${problem.textContent}`, { kind: "bad" });
        const field = error.errors?.[0]?.field;
        const input = field && form.elements[field];
        if (input) input.focus();
      } finally {
        done.disabled = false;
      }
    }
    form.addEventListener("keydown", sendByKey);
    dialog.addEventListener("close", async () => {
      dialog.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      await sending;
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function field(label, input, hint) {
  return h("label.field", {}, h("span", {}, label), input, hint && h("small", {}, hint));
}

export function volumeFields(scope) {
  const volume = h("select", { name: "volume" }, ["user", "team", "system"].map((name) => h("option", { value: name, selected: name === scope.volume }, name)));
  const owner = h("input", { name: "volume_id", value: scope.volume_id ?? "default", autocomplete: "off", spellcheck: false });
  return h("div.columns", {}, field("Volume", volume), field("Whose", owner, "default is your own"));
}

export const isOpen = () => document.querySelector("dialog[open]") !== null;
