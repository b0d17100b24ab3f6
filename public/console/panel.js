// Panels and blocks in place of content: loading, errors, commands to copy.
import { fill, h, icon } from "./dom.js";
import { errorMessage } from "./state.js";
import { announce } from "./toast.js";

export function errorPanel(title, detail, retry) {
  return h("div.failed", { role: "alert" }, h("p", {}, h("strong", {}, title), " ", detail),
    h("button", { type: "button", onclick: retry }, "Try again"));
}

/** Shows that a session or a skill is missing or could not be loaded. */
export function showLoadError(pane, kind, error, retry) {
  if (error.status !== 404) return fill(pane, errorPanel(`The ${kind} could not be loaded.`, errorMessage(error), retry));
  return fill(pane, h("div.empty.center", {}, h("h2", {}, `${kind[0].toUpperCase()}${kind.slice(1)} not found`),
    h("p", {}, "It was deleted, or you do not have access to it."), h("p", {}, h("a", { href: `#/${kind}s`, "data-key": "Escape" }, `All ${kind}s`))));
}

/** Creates a progress text, which CSS shows after 300 ms. */
export function loading(text) {
  return h("p.waiting", { role: "status" }, text);
}

export function commandBlock(text, label = "Command") {
  const copy = () => navigator.clipboard.writeText(text).then(() => announce("Copied."), () => announce("Copying failed."));
  return h("div.command", {}, h("pre", { tabindex: 0, role: "group", "aria-label": label }, h("code", {}, text)),
    h("button.quiet", { type: "button", onclick: copy, "aria-label": "Copy command", title: "Copy" }, icon("copy")));
}
