// Files by folder: list, upload, download and delete.
import { deleteWithUndo, isDeleting } from "./deletion.js";
import { bdi, button, fill, h, icon } from "./dom.js";
import { formatBytes, formatVolume, timeElement } from "./format.js";
import { filterField, pagedList } from "./list.js";
import { commandBlock } from "./panel.js";
import { href, navigate } from "./router.js";
import { currentScope, errorMessage, llmos, on, writeScope } from "./state.js";
import { notify } from "./toast.js";
import { showUploads, uploadAll } from "./uploads.js";

const PAGE = 200;

/** Returns the volume shown: the selected one, or the caller's own. */
const scope = () => (currentScope().volume ? currentScope() : writeScope());
const fileKey = (item) => `file ${formatVolume(scope())}/${item.path}`;

function breadcrumbs(parts) {
  const links = parts.map((part, index) => h("a", { href: href("files", ...parts.slice(0, index + 1)) }, bdi(part)));
  return h("nav.trail", { "aria-label": "Folders" }, h("a", { href: href("files") }, bdi(formatVolume(scope()))), links.map((link) => [h("span", { "aria-hidden": "true" }, "/"), link]));
}

function empty(parts) {
  if (parts.length > 0) return h("div.empty", {}, h("p", {}, "This folder is empty."));
  const { volume, volume_id: id } = scope();
  const query = volume === "user" && id === "default" ? "" : `?volume=${volume}&volume_id=${id}`;
  return h("div.empty", {}, h("h2", {}, "No files yet"), h("p", {}, "Drop files here, press ", h("kbd", {}, "n"), " to choose files, or use a shell:"),
    commandBlock(`curl -T plan.txt '${location.origin}/api/files/notes/plan.txt${query}'`));
}

/** Downloads a file by a signed link, because browser downloads cannot send a token. */
async function download(item) {
  try {
    const { url } = await llmos.files.link(item.path, { ...scope(), download: true });
    h("a", { href: url, download: "" }).click();
  } catch (error) {
    notify(`Download failed: ${errorMessage(error)}`, { kind: "bad", action: "Try again", onAction: () => download(item) });
  }
}

export function filesPage(pane, parts, signal) {
  const folder = parts.map((part) => `${part}/`).join("");
  const body = h("div.body");
  const picker = h("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files to upload", onchange: () => { uploadAll([...picker.files], folder, scope()); picker.value = ""; } });
  const choose = button("upload", "Upload", () => picker.click(), { classes: ".primary", key: "n" });
  const uploads = h("ul.uploads", { "aria-label": "Uploads" });
  const up = parts.length > 0 && h("a.visually-hidden", { href: href("files", ...parts.slice(0, -1)), "data-key": "Escape" }, "Parent folder");
  fill(pane, h("div.page.drop", {}, h("div.line", {}, h("h2", {}, "Files"), choose, picker), h("div.line.wrap", {}, breadcrumbs(parts), up, filterField((text) => list.filter(text))), uploads, body));

  const nameOf = (item) => item.path.slice(folder.length);
  function row(item) {
    if (item.isFolder) {
      const name = nameOf(item).replace(/\/$/, "");
      return h("a.row.file", { href: href("files", ...parts, name), "data-row": "" }, icon("folder"), h("span.title", {}, bdi(name)));
    }
    return h("div.row.file", {}, icon("file"),
      h("button.title.link", { type: "button", "data-row": "", title: "Download", onclick: () => download(item) }, bdi(nameOf(item))),
      h("span.quiet.size", {}, formatBytes(item.size_bytes)), timeElement(item.updated_at),
      h("span.actions", {},
        h("button.quiet", { type: "button", "aria-label": `Download ${nameOf(item)}`, title: "Download", onclick: () => download(item) }, icon("download")),
        h("button.quiet", { type: "button", "aria-label": `Delete ${nameOf(item)}`, title: "Delete", onclick: () => remove(item) }, icon("trash"))));
  }

  function remove(item) {
    const volume = scope();
    deleteWithUndo(fileKey(item), nameOf(item), (options) => llmos.files.delete(item.path, volume, { ...options, ifMatch: item.etag }));
    list.focus();
  }

  const list = pagedList(body, {
    label: "Files",
    noun: "file",
    signal,
    keyOf: fileKey,
    row,
    load: async (cursor) => {
      const page = await llmos.files.list({ ...scope(), prefix: folder, folded: true, limit: PAGE, cursor }, { signal });
      const folders = page.folders.map((path) => ({ path, isFolder: true }));
      return { items: [...folders, ...page.files], next: page.next_cursor };
    },
    matches: (item, text) => item.path.toLowerCase().includes(text),
    isHidden: (item) => isDeleting(fileKey(item)),
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
  on("uploaded", () => list.reload(), signal);
  on("scope", () => navigate(href("files")), signal);
  on("deletions", () => list.update(), signal);
  on("deleted", (key) => list.remove(key), signal);
  list.reload();
}
