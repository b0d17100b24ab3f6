// Creates, fills and finds elements. Strings become text nodes; nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/** The path of each icon in a 24×24 view box. */
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

/** Creates an element: `h("button.primary", { onclick, "aria-label": "Send" }, "Send")`. Takes listeners, properties and
 * attributes, then nodes, strings, and arrays of them. `null` and `false` are skipped. */
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
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

/** Replaces the children of an element. */
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

/** Creates an icon, hidden from assistive technology. */
export function icon(name) {
  const attributes = { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" };
  return svg("svg", attributes, svg("path", { d: ICONS[name] }));
}

/** Creates a button with an icon, a label and an optional shortcut key. */
export function button(name, label, onclick, { classes = "", key = null } = {}) {
  return h(`button${classes}`, { type: "button", onclick, title: key ? `${label} (${key})` : label, "data-key": key }, name && icon(name), h("span", {}, label));
}

/** Submits a form on Ctrl+Enter or ⌘+Enter. */
export function submitOnCtrlEnter(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
}

/** Isolates the text direction of a user-supplied name. */
export function bdi(text) {
  return h("bdi", {}, text);
}

export function byId(id) {
  return document.getElementById(id);
}

/** Returns true if the element takes text input. */
export function isEditable(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}
