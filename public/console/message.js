// One message: role, time, content and attachments.
import { toJson } from "../llmos.js";
import { h } from "./dom.js";
import { formatDay, pluralize, timeElement } from "./format.js";
import { markdown, plainText } from "./markdown.js";

/** The length of the preview of a long text, in characters. */
const PREVIEW_LENGTH = 6000;
/** Consecutive messages of one role within this time are shown as one group. */
const GROUP_MS = 10 * 60_000;

/** Renders a text; a long one as a preview with a button that shows all. */
function text(content) {
  if (content.length <= PREVIEW_LENGTH * 1.5) return markdown(content);
  // Does not split a surrogate pair.
  const start = content.slice(0, PREVIEW_LENGTH).replace(/[\uD800-\uDBFF]$/, "");
  const part = h("div", {}, plainText(`${start} …`));
  const more = h("button.link", { type: "button", onclick: () => part.replaceWith(markdown(content)) },
    `Show all ${pluralize(content.length, "character")}`);
  part.append(more);
  return part;
}

function attachment(name, value) {
  if (value === null || value === undefined) return null;
  const items = Array.isArray(value) ? ` (${value.length})` : "";
  const details = h("details.attachment", {}, h("summary", {}, name + items));
  details.addEventListener("toggle", () => {
    if (!details.open || details.querySelector("pre")) return;
    details.append(h("pre", { tabindex: 0, role: "group", "aria-label": name }, toJson(value, 2)));
  });
  return details;
}

export function messageItem(message) {
  const item = h(`li.message.${message.role}`, { "data-seq": message.seq },
    h("div.by", {}, h("span.role", {}, message.role), timeElement(message.timestamp, "clock")),
    h("div.content", {},
      message.unreadable ? h("p.quiet", {}, "This message cannot be read: the stored data is malformed.") : text(message.content),
      attachment("Traces", message.traces), attachment("Artifacts", message.artifacts)));
  item.dataset.role = message.role;
  item.dataset.time = message.timestamp;
  return item;
}

/** Shows the day above the first message of a day, and groups a message with the previous one. */
export function updateGrouping(item) {
  const before = item.previousElementSibling ?? item.parentElement?.previousElementSibling?.lastElementChild;
  const [time, earlier] = [item.dataset.time ?? "", before?.dataset.time ?? ""];
  const day = formatDay(time);
  const isNewDay = day !== "" && (!before || day !== formatDay(earlier));
  item.querySelector(".day")?.remove();
  if (isNewDay) item.prepend(h("p.day", {}, day));
  const gap = Math.abs(new Date(time).getTime() - new Date(earlier).getTime());
  item.classList.toggle("follows", !isNewDay && before?.dataset.role === item.dataset.role && gap < GROUP_MS);
}
