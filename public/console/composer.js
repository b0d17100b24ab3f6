// The form for new messages: saves a draft while the user types, and sends through the outbox.
import { parseJson, toJson } from "../llmos.js";
import { button, fill, h, submitOnCtrlEnter } from "./dom.js";
import { dequeue, draft, enqueue, retryNow, unsentMessages } from "./outbox.js";
import { on } from "./state.js";
import { announce } from "./toast.js";

const ROLES = ["user", "assistant", "system", "tool"];
const MAX_CONTENT_BYTES = 256 * 1024;
const encoder = new TextEncoder();

function json(input) {
  if (!input.value.trim()) return undefined;
  try {
    return parseJson(input.value);
  } catch (error) {
    input.focus();
    throw new Error(`${input.getAttribute("aria-label")}: invalid JSON. ${error.message}`);
  }
}

export function composer(session, signal) {
  const saved = draft.get(session) ?? {};
  const save = () => {
    const isEmpty = !content.value && !traces.value && !artifacts.value;
    const value = { content: content.value, role: role.value, traces: traces.value, artifacts: artifacts.value };
    if (!draft.set(session, isEmpty ? null : value)) problem.textContent = "This browser does not save drafts. Send the message before you leave the page.";
  };
  const role = h("select", { "aria-label": "Role", onchange: save }, ROLES.map((name) => h("option", { value: name, selected: name === (saved.role ?? "user") }, name)));
  const area = (label, rows, value) => h("textarea", { "aria-label": label, rows, value: value ?? "", oninput: () => { save(); problem.textContent = ""; } });
  const content = area("Message", 2, saved.content);
  content.placeholder = "Write a message";
  content.dataset.key = "r";
  const traces = area("Traces", 2, saved.traces);
  const artifacts = area("Artifacts", 2, saved.artifacts);
  const problem = h("p.problem", { role: "alert" });
  const unsent = h("ol.pending", { "aria-label": "Unsent messages" });
  const extra = h("details.extra", {}, h("summary", {}, "Traces and artifacts"),
    h("p.quiet", {}, "Any JSON. It is stored unchanged."), traces, artifacts);
  extra.open = Boolean(saved.traces || saved.artifacts);
  const form = h("form.composer", { "aria-label": "New message", onsubmit: submit, onkeydown: submitOnCtrlEnter }, unsent, h("div.box", {}, content, h("div.line", {}, role, extra, h("span.hint", {}, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter"), " to send"),
    h("button.primary", { type: "submit" }, "Send"))), problem);

  function submit(event) {
    event.preventDefault();
    problem.textContent = "";
    try {
      if (!content.value) throw new Error("The message is empty.");
      if (encoder.encode(content.value).length > MAX_CONTENT_BYTES) throw new Error("A message can have at most 256 KB. Split it into several messages.");
      const message = { role: role.value, content: content.value, traces: json(traces), artifacts: json(artifacts) };
      enqueue(session, message);
      for (const input of [content, traces, artifacts]) input.value = "";
      extra.open = false;
      save();
    } catch (error) {
      problem.textContent = error.message;
    }
    content.focus();
  }

  function edit(key) {
    const item = dequeue(key);
    if (!item) return;
    content.value = [item.message.content, content.value].filter(Boolean).join("\n\n");
    role.value = item.message.role;
    for (const [input, value] of [[traces, item.message.traces], [artifacts, item.message.artifacts]]) {
      if (value !== undefined) input.value = toJson(value);
    }
    save();
    content.focus();
  }

  let announced = "";
  function show() {
    const items = unsentMessages(session);
    fill(unsent, items.map(({ key, message, state }) => h("li", { class: state.error ? "waits failed" : "waits" },
      h("div.text", { dir: "auto" }, message.content.slice(0, 300)),
      state.error
        ? h("p", {}, h("strong", {}, state.isFinal ? "Not sent: " : "Not sent yet: "), state.error, " ",
          !state.isFinal && h("span", {}, "The message is saved on this device and retried automatically."))
        : h("p.late", {}, state.isSending ? "Sending …" : "Queued."),
      state.error && h("div.buttons", {}, button(null, "Retry now", () => retryNow(session)), button(null, "Edit", () => edit(key))))));
    const failed = items.find(({ state }) => state.error);
    const text = failed ? `Not sent yet: ${failed.state.error} The message is retried automatically.` : "";
    if (text && text !== announced) announce(text);
    announced = text;
    unsent.hidden = items.length === 0;
  }

  on("outbox", (id) => id === session && show(), signal);
  on("sent", ({ session: id }) => {
    if (id !== session) return;
    if (announced) announce("Sent.");
    show();
  }, signal);
  show();
  return form;
}
