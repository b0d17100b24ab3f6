// Where messages are written: kept as they are typed, and sent by the outbox.
import { button, fill, h, sendByKey } from "./dom.js";
import { announce } from "./notice.js";
import { again, draft, post, takeBack, waitingFor } from "./outbox.js";
import { hear } from "./state.js";

const ROLES = ["user", "assistant", "system", "tool"];
const MAX_CONTENT_BYTES = 256 * 1024;
const encoder = new TextEncoder();

function json(input) {
  if (!input.value.trim()) return undefined;
  try {
    return JSON.parse(input.value);
  } catch (error) {
    input.focus();
    throw new Error(`${input.getAttribute("aria-label")} is not JSON: ${error.message}`);
  }
}

export function composer(session, signal) {
  const saved = draft.get(session) ?? {};
  const keep = () => {
    const isEmpty = !content.value && !traces.value && !artifacts.value;
    const value = { content: content.value, role: role.value, traces: traces.value, artifacts: artifacts.value };
    if (!draft.set(session, isEmpty ? null : value)) problem.textContent = "This device cannot keep what you type: send it before you leave.";
  };
  const role = h("select", { "aria-label": "Role", onchange: keep }, ROLES.map((name) => h("option", { value: name, selected: name === (saved.role ?? "user") }, name)));
  const area = (label, rows, value) => h("textarea", { "aria-label": label, rows, value: value ?? "", oninput: () => { keep(); problem.textContent = ""; } });
  const content = area("Message", 2, saved.content);
  content.placeholder = "Write a message";
  content.dataset.key = "r";
  const traces = area("Traces", 2, saved.traces);
  const artifacts = area("Artifacts", 2, saved.artifacts);
  const problem = h("p.problem", { role: "alert" });
  const pending = h("ol.pending", { "aria-label": "Not stored yet" });
  const extra = h("details.extra", {}, h("summary", {}, "Traces and artifacts"),
    h("p.quiet", {}, "Any JSON; it comes back as it is sent."), traces, artifacts);
  extra.open = Boolean(saved.traces || saved.artifacts);
  const form = h("form.composer", { "aria-label": "New message", onsubmit: submit, onkeydown: sendByKey }, pending, h("div.box", {}, content, h("div.line", {}, role, extra, h("span.hint", {}, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter"), " sends"),
    h("button.primary", { type: "submit" }, "Send"))), problem);

  function submit(event) {
    event.preventDefault();
    problem.textContent = "";
    try {
      if (!content.value) throw new Error("There is no message yet.");
      if (encoder.encode(content.value).length > MAX_CONTENT_BYTES) throw new Error("A message has at most 256 KB. It is kept here; send it in parts.");
      const message = { role: role.value, content: content.value, traces: json(traces), artifacts: json(artifacts) };
      post(session, message);
      for (const input of [content, traces, artifacts]) input.value = "";
      extra.open = false;
      keep();
    } catch (error) {
      problem.textContent = error.message;
    }
    content.focus();
  }

  function edit(key) {
    const item = takeBack(key);
    if (!item) return;
    content.value = [item.message.content, content.value].filter(Boolean).join("\n\n");
    role.value = item.message.role;
    for (const [input, value] of [[traces, item.message.traces], [artifacts, item.message.artifacts]]) {
      if (value !== undefined) input.value = JSON.stringify(value);
    }
    keep();
    content.focus();
  }

  let said = "";
  function show() {
    const items = waitingFor(session);
    fill(pending, items.map(({ key, message, state }) => h("li", { class: state.error ? "waits failed" : "waits" },
      h("div.text", { dir: "auto" }, message.content.slice(0, 300)),
      state.error
        ? h("p", {}, h("strong", {}, state.isFinal ? "Not stored: " : "Not stored yet: "), state.error, " ",
          !state.isFinal && h("span", {}, "It is kept on this device and sent as soon as that works."))
        : h("p.late", {}, state.isSending ? "Sending …" : "Waits for those before it."),
      state.error && h("div.buttons", {}, button(null, "Try now", () => again(session)), button(null, "Edit", () => edit(key))))));
    const failure = items.find(({ state }) => state.error);
    const words = failure ? `Not stored yet: ${failure.state.error} It is kept and sent as soon as that works.` : "";
    if (words && words !== said) announce(words);
    said = words;
    pending.hidden = items.length === 0;
  }

  hear("outbox", (id) => id === session && show(), signal);
  hear("sent", ({ session: id }) => {
    if (id !== session) return;
    if (said) announce("Stored.");
    show();
  }, signal);
  show();
  return form;
}
