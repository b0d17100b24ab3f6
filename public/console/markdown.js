// Markdown as elements that can do nothing: no script, no frame, no image, and links only to http and mail.
import { h } from "./dom.js";

/** What is longer is shown as it is: whoever wrote it must not keep the page busy. In characters. */
const LONGEST = 32_768;

const SANE = {
  ALLOWED_TAGS: ["a", "blockquote", "br", "code", "del", "em", "h3", "hr", "input", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul"],
  ALLOWED_ATTR: ["href", "start", "type", "checked", "disabled"],
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** Until when a view waits for what renders, in milliseconds from the page's begin: on a slow line texts are there first
 * as they are. */
const PATIENCE = 500;

let tools = null;
let loading = null;

const escaped = (text) => text.replace(/[&<>"]/g, (it) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[it]);

async function load() {
  const [{ Marked }] = await Promise.all([import("../vendor/marked.esm.js"), import("../vendor/purify.min.js")]);
  const marked = new Marked({
    gfm: true,
    breaks: true,
    renderer: {
      // HTML is shown as it was written.
      html: ({ text, block }) => (block ? `<p>${escaped(text)}</p>` : escaped(text)),
      // An image is a link to it: nothing is loaded unasked.
      image: ({ href, text }) => `<a href="${escaped(href)}">image: ${escaped(text || href)}</a>`,
      // All of one level: they stand below the heading of what they are in.
      heading({ tokens }) {
        return `<h3>${this.parser.parseInline(tokens)}</h3>`;
      },
    },
  });
  tools = { marked, purify: globalThis.DOMPurify };
}

const loaded = () => (loading ??= load().catch((error) => { loading = null; throw error; }));

/** Loads what renders, and gives it a moment to come. */
export const expectMarkdown = () => Promise.race([loaded().catch(() => {}), new Promise((resolve) => setTimeout(resolve, PATIENCE - performance.now()))]);

/** Calls `after` when texts that came too early are rendered. */
export function whenRendered(after) {
  if (!tools) loaded().then(() => requestAnimationFrame(after), () => {});
}

export function plain(text) {
  return h("div.prose.plain", { dir: "auto" }, text);
}

/** A text as markdown, where it is not too long; as it is until that can be made. */
export function markdown(text) {
  if (text.length > LONGEST) return plain(text);
  if (!tools) {
    const early = plain(text);
    loaded().then(() => early.replaceWith(markdown(text)), () => {});
    return early;
  }
  let fragment;
  try {
    fragment = tools.purify.sanitize(tools.marked.parse(text), SANE);
  } catch {
    return plain(text);
  }
  const element = h("div.prose", { dir: "auto" }, fragment);
  for (const link of element.querySelectorAll("a")) {
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
    // Where it leads, whatever it says.
    link.title = link.href;
  }
  for (const box of element.querySelectorAll("input")) {
    box.disabled = true;
    box.setAttribute("aria-label", box.checked ? "done" : "not done");
  }
  for (const wide of element.querySelectorAll("pre, table")) {
    const frame = h("div.wide", { tabindex: 0, role: "group", "aria-label": wide.tagName === "PRE" ? "Code" : "Table" });
    wide.replaceWith(frame);
    frame.append(wide);
  }
  return element;
}
