// One message: who, when, what, and what came with it.
import { h } from "./dom.js";
import { count, dayOf, timeOf } from "./format.js";
import { markdown, plain } from "./markdown.js";

/** How much of a long text is shown at first, in characters. */
const SHOWN = 6000;
/** Messages of one role that follow each other within this time, in milliseconds, are shown as one group. */
const GROUP = 10 * 60_000;

/** A text, cut where it is very long until all of it is wanted. */
function text(content) {
  if (content.length <= SHOWN * 1.5) return markdown(content);
  // A pair of surrogates is not taken apart.
  const head = content.slice(0, SHOWN).replace(/[\uD800-\uDBFF]$/, "");
  const part = h("div", {}, plain(`${head} …`));
  const more = h("button.link", { type: "button", onclick: () => part.replaceWith(markdown(content)) },
    `Show all ${count(content.length, "character")}`);
  part.append(more);
  return part;
}

function attachment(name, value) {
  if (value === null || value === undefined) return null;
  const items = Array.isArray(value) ? ` (${value.length})` : "";
  const details = h("details.attachment", {}, h("summary", {}, name + items));
  details.addEventListener("toggle", () => {
    if (!details.open || details.querySelector("pre")) return;
    details.append(h("pre", { tabindex: 0, role: "group", "aria-label": name }, JSON.stringify(value, null, 2)));
  });
  return details;
}

export function messageItem(message) {
  const item = h(`li.message.${message.role}`, { "data-seq": message.seq },
    h("div.by", {}, h("span.role", {}, message.role), timeOf(message.timestamp, "clock")),
    h("div.content", {},
      message.unreadable ? h("p.quiet", {}, "What is stored here cannot be read.") : text(message.content),
      attachment("Traces", message.traces), attachment("Artifacts", message.artifacts)));
  item.dataset.role = message.role;
  item.dataset.time = message.timestamp;
  return item;
}

/** Shows how a message stands to the one before it: a new day, or the same group. */
export function relate(item) {
  const before = item.previousElementSibling ?? item.parentElement?.previousElementSibling?.lastElementChild;
  const [time, earlier] = [item.dataset.time ?? "", before?.dataset.time ?? ""];
  const day = dayOf(time);
  const isNewDay = day !== "" && (!before || day !== dayOf(earlier));
  item.querySelector(".day")?.remove();
  if (isNewDay) item.prepend(h("p.day", {}, day));
  const gap = Math.abs(new Date(time).getTime() - new Date(earlier).getTime());
  item.classList.toggle("follows", !isNewDay && before?.dataset.role === item.dataset.role && gap < GROUP);
}
