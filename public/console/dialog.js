// Modal dialogs with a form.
import { h, submitOnCtrlEnter } from "./dom.js";
import { errorMessage } from "./state.js";
import { notify } from "./toast.js";

/** Opens a dialog with a form; Esc and Cancel close it. Returns the result of `send`, called with the form's FormData, or
 * of an action, or undefined if the dialog was closed. If `send` fails, the dialog stays open and shows the error. */
export function openDialog(title, content, { submit = "OK", send = async () => true, cancel = "Cancel", actions = [] } = {}) {
  return new Promise((resolve) => {
    const focused = document.activeElement;
    let result;
    const problem = h("p.problem", { role: "alert" });
    const submitButton = h("button.primary", { type: "submit" }, submit);
    const form = h("form", { method: "dialog" },
      h("h2", { id: "dialog-title" }, title), ...content, problem,
      h("div.buttons", {},
        cancel && h("button", { type: "button", onclick: () => dialog.close() }, cancel),
        actions.map(([label, act]) => h("button", { type: "button", onclick: () => { result = act(); dialog.close(); } }, label)),
        submitButton));
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
    let sending = null;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!submitButton.disabled) sending = finish();
    });
    // The request continues if the dialog is closed in the meantime.
    async function finish() {
      submitButton.disabled = true;
      problem.textContent = "";
      try {
        result = await send(new FormData(form));
        dialog.close();
      } catch (error) {
        problem.textContent = errorMessage(error);
        if (!dialog.open) notify(`${title}: ${problem.textContent}`, { kind: "bad" });
        const field = error.errors?.[0]?.field;
        const input = field && form.elements[field];
        if (input) input.focus();
      } finally {
        submitButton.disabled = false;
      }
    }
    form.addEventListener("keydown", submitOnCtrlEnter);
    dialog.addEventListener("close", async () => {
      dialog.remove();
      if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
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
  return h("div.columns", {}, field("Volume", volume), field("Volume id", owner, "default: your own volume"));
}

export const isDialogOpen = () => document.querySelector("dialog[open]") !== null;
