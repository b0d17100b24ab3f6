// Renders Markdown without scripts, frames or images; links may only use http and mailto.
import { h } from "./dom.js";

/** Longer texts are shown as plain text, because rendering them blocks the page. In characters. */
const MAX_LENGTH = 32_768;

const SANITIZE_OPTIONS = {
  ALLOWED_TAGS: ["a", "blockquote", "br", "code", "del", "em", "h3", "hr", "input", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul"],
  ALLOWED_ATTR: ["href", "start", "type", "checked", "disabled"],
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** How long views wait for the libraries after navigation start. On a slow connection plain text is shown first. */
const MAX_WAIT_MS = 500;

let libraries = null;
let loading = null;

const escaped = (text) => text.replace(/[&<>"]/g, (it) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[it]);

async function load() {
  const [{ Marked }] = await Promise.all([import("../vendor/marked.esm.js"), import("../vendor/purify.min.js")]);
  const marked = new Marked({
    gfm: true,
    breaks: true,
    renderer: {
      // HTML is shown as text.
      html: ({ text, block }) => (block ? `<p>${escaped(text)}</p>` : escaped(text)),
      // Images become links, so that the page requests nothing from other hosts.
      image: ({ href, text }) => `<a href="${escaped(href)}">image: ${escaped(text || href)}</a>`,
      // One level for all, below the heading of the page.
      heading({ tokens }) {
        return `<h3>${this.parser.parseInline(tokens)}</h3>`;
      },
    },
  });
  libraries = { marked, purify: globalThis.DOMPurify };
}

const loadOnce = () => (loading ??= load().catch((error) => { loading = null; throw error; }));

/** Loads the libraries. Resolves when they are loaded or the wait is over. */
export const preloadMarkdown = () => Promise.race([loadOnce().catch(() => {}), new Promise((resolve) => setTimeout(resolve, MAX_WAIT_MS - performance.now()))]);

/** Calls `callback` after texts that were shown as plain text are rendered. */
export function onRendered(callback) {
  if (!libraries) loadOnce().then(() => requestAnimationFrame(callback), () => {});
}

export function plainText(text) {
  return h("div.prose.plain", { dir: "auto" }, text);
}

/** Renders Markdown; shows plain text until the libraries are loaded. */
export function markdown(text) {
  if (text.length > MAX_LENGTH) return plainText(text);
  if (!libraries) {
    const early = plainText(text);
    loadOnce().then(() => early.replaceWith(markdown(text)), () => {});
    return early;
  }
  let fragment;
  try {
    fragment = libraries.purify.sanitize(libraries.marked.parse(text), SANITIZE_OPTIONS);
  } catch {
    return plainText(text);
  }
  const element = h("div.prose", { dir: "auto" }, fragment);
  for (const link of element.querySelectorAll("a")) {
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
    // Shows the target, which the link text may hide.
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
