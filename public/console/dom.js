// Elements: made, filled and found. All text goes in as text: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/** The strokes of each icon, on a square of 24. */
const ICONS = {
  plus: "M12 5v14M5 12h14",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM20 20l-4-4",
  back: "M15 5l-7 7 7 7",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  pause: "M9 5v14M15 5v14",
  play: "M7 5l12 7-12 7Z",
  check: "M5 12.5l5 5L19 7",
  upload: "M12 16V4M7 9l5-5 5 5M4 20h16",
  download: "M12 4v12M7 11l5 5 5-5M4 20h16",
  edit: "M4 20l1-4L16 5l3 3L8 19ZM14 7l3 3",
  folder: "M3 7h6l2 2h10v10H3Z",
  file: "M6 3h8l4 4v14H6ZM14 3v4h4",
  key: "M8 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 12h9v4M17 12v3",
  chat: "M4 5h16v11H10l-5 4v-4H4Z",
  book: "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3ZM5 17a3 3 0 0 1 3-3h11",
  pulse: "M3 12h4l3-7 4 14 3-7h4",
  copy: "M9 9h11v11H9ZM15 9V4H4v11h5",
  close: "M6 6l12 12M18 6L6 18",
};

/** An element: `h("button.primary", { onclick, "aria-label": "Send" }, "Send")`, given listeners, properties and
 * attributes, then nodes, texts, and arrays of them. What is `null` or `false` is left out. */
export function h(name, given = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && !key.includes("-") && typeof value !== "string") element[key] = value;
    else if (["value", "textContent", "htmlFor", "className"].includes(key)) element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
}

/** Puts these in place of all there is. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** An icon, which says nothing by itself. */
export function icon(name) {
  const attributes = { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" };
  return svg("svg", attributes, svg("path", { d: ICONS[name] }));
}

/** A button with an icon and words, and a key if it has one. */
export function button(name, label, onclick, { look = "", key = null } = {}) {
  return h(`button${look}`, { type: "button", onclick, title: key ? `${label} (${key})` : label, "data-key": key }, name && icon(name), h("span", {}, label));
}

/** Sends a form by Ctrl+Enter, or ⌘+Enter. */
export function sendByKey(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
}

/** A name that somebody chose: its direction stays its own. */
export function isolated(text) {
  return h("bdi", {}, text);
}

export function byId(id) {
  return document.getElementById(id);
}

/** Whether keys are for what is typed into this. */
export function isEditable(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}
