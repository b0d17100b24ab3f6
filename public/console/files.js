// Files by folder: listed, uploaded with progress, saved, deleted.
import { button, fill, h, icon, isolated } from "./dom.js";
import { size, timeOf, volumeName } from "./format.js";
import { filterField, pagedList } from "./list.js";
import { command, deleteLater, isPending, notify } from "./notice.js";
import { go, to } from "./router.js";
import { currentScope, hear, llmos, wordsOf, writeScope } from "./state.js";
import { showUploads, uploadAll } from "./uploads.js";

const PAGE = 200;

/** Whose files: one's own where no volume is chosen. */
const scope = () => (currentScope().volume ? currentScope() : writeScope());
const keyOf = (item) => `file ${volumeName(scope())}/${item.path}`;

function trail(parts) {
  const steps = parts.map((part, index) => h("a", { href: to("files", ...parts.slice(0, index + 1)) }, isolated(part)));
  return h("nav.trail", { "aria-label": "Folders" }, h("a", { href: to("files") }, isolated(volumeName(scope()))), steps.map((step) => [h("span", { "aria-hidden": "true" }, "/"), step]));
}

function empty(parts) {
  if (parts.length > 0) return h("div.empty", {}, h("p", {}, "There is nothing in this folder."));
  const { volume, volume_id: id } = scope();
  const query = volume === "user" && id === "default" ? "" : `?volume=${volume}&volume_id=${id}`;
  return h("div.empty", {}, h("h2", {}, "No files yet"), h("p", {}, "Drop files here, choose them with ", h("kbd", {}, "n"), ", or from a shell:"),
    command(`curl -T plan.txt '${location.origin}/api/files/notes/plan.txt${query}'`));
}

/** Has the browser save a file, however large: a link needs no token. */
async function download(item) {
  try {
    const { url } = await llmos.files.link(item.path, { ...scope(), download: true });
    h("a", { href: url, download: "" }).click();
  } catch (error) {
    notify(`It is not saved: ${wordsOf(error)}`, { kind: "bad", action: "Try again", act: () => download(item) });
  }
}

export function filesPage(pane, parts, signal) {
  const folder = parts.map((part) => `${part}/`).join("");
  const body = h("div.body");
  const picker = h("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files to upload", onchange: () => { uploadAll([...picker.files], folder, scope()); picker.value = ""; } });
  const choose = button("upload", "Upload", () => picker.click(), { look: ".primary", key: "n" });
  const uploads = h("ul.uploads", { "aria-label": "Uploads" });
  const up = parts.length > 0 && h("a.visually-hidden", { href: to("files", ...parts.slice(0, -1)), "data-key": "Escape" }, "Up to the folder above");
  fill(pane, h("div.page.drop", {}, h("div.line", {}, h("h2", {}, "Files"), choose, picker), h("div.line.wrap", {}, trail(parts), up, filterField((text) => list.filter(text))), uploads, body));

  const nameOf = (item) => item.path.slice(folder.length);
  function row(item) {
    if (item.isFolder) {
      const name = nameOf(item).replace(/\/$/, "");
      return h("a.row.file", { href: to("files", ...parts, name), "data-row": "" }, icon("folder"), h("span.title", {}, isolated(name)));
    }
    return h("div.row.file", {}, icon("file"),
      h("button.title.link", { type: "button", "data-row": "", title: "Save", onclick: () => download(item) }, isolated(nameOf(item))),
      h("span.quiet.size", {}, size(item.size_bytes)), timeOf(item.updated_at),
      h("span.actions", {},
        h("button.quiet", { type: "button", "aria-label": `Save ${nameOf(item)}`, title: "Save", onclick: () => download(item) }, icon("download")),
        h("button.quiet", { type: "button", "aria-label": `Delete ${nameOf(item)}`, title: "Delete", onclick: () => remove(item) }, icon("trash"))));
  }

  function remove(item) {
    const where = scope();
    deleteLater(keyOf(item), nameOf(item), (options) => llmos.files.delete(item.path, where, { ...options, ifMatch: item.etag }));
    list.focus();
  }

  const list = pagedList(body, {
    label: "Files",
    one: "file",
    signal,
    keyOf,
    row,
    load: async (cursor) => {
      const page = await llmos.files.list({ ...scope(), prefix: folder, folded: true, limit: PAGE, cursor }, { signal });
      const folders = page.folders.map((path) => ({ path, isFolder: true }));
      return { items: [...folders, ...page.files], next: page.next_cursor };
    },
    matches: (item, text) => item.path.toLowerCase().includes(text),
    isHidden: (item) => isPending(keyOf(item)),
    empty: () => empty(parts),
  });

  const drop = pane.firstElementChild;
  addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); }, { signal });
  addEventListener("dragleave", () => drop.classList.remove("over"), { signal });
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    uploadAll([...(event.dataTransfer?.files ?? [])], folder, scope());
  }, { signal });

  showUploads(uploads, signal);
  hear("uploaded", () => list.reload(), signal);
  hear("scope", () => go(to("files")), signal);
  hear("pending", () => list.update(), signal);
  hear("gone", (key) => list.remove(key), signal);
  list.reload();
}
