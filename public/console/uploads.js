// Uploads, which continue while the user views other pages.
import { bdi, button, fill, h } from "./dom.js";
import { formatBytes } from "./format.js";
import { emit, errorMessage, llmos, on } from "./state.js";
import { announce } from "./toast.js";

/** Each `{file, path, scope, sent, state, error, controller}`; the state is `sending` or `failed`. */
const uploads = new Set();

export function uploadAll(files, folder, scope) {
  for (const file of files) {
    const upload = { file, path: folder + file.name, scope, sent: 0, state: "sending", error: "", controller: new AbortController() };
    uploads.add(upload);
    send(upload);
  }
}

async function send(upload) {
  upload.state = "sending";
  upload.controller = new AbortController();
  emit("uploads");
  try {
    await llmos.files.put(upload.path, upload.file, upload.scope, {
      signal: upload.controller.signal,
      onProgress: (sent) => { upload.sent = sent; emit("uploads"); },
    });
    uploads.delete(upload);
    announce(`${upload.file.name} uploaded.`);
    emit("uploaded");
  } catch (error) {
    if (upload.controller.signal.aborted) {
      uploads.delete(upload);
      announce("Upload cancelled.");
    } else {
      upload.state = "failed";
      upload.error = errorMessage(error);
      announce(`Upload of ${upload.file.name} failed: ${upload.error}`);
    }
  }
  emit("uploads");
}

const progressText = ({ sent, file }) => `${formatBytes(sent)} of ${formatBytes(file.size)}`;

function item(upload) {
  const { file, sent, state, error } = upload;
  const progress = h("progress", { max: Math.max(1, file.size), value: sent, "aria-label": `Upload of ${file.name}` });
  progress.value = sent;
  return h("li", { class: state }, h("span.title", {}, bdi(file.name)),
    state === "sending" ? [h("span.quiet", {}, progressText(upload)), progress, button("close", "Cancel", () => upload.controller.abort())]
      : [h("p.problem", {}, `Upload failed: ${error}`), button(null, "Try again", () => send(upload)), button(null, "Remove", () => { uploads.delete(upload); emit("uploads"); })]);
}

export function showUploads(list, signal) {
  let shown = "";
  const show = () => {
    const key = [...uploads].map((it) => it.path + it.state).join("\n");
    list.hidden = uploads.size === 0;
    if (key === shown) {
      // Progress changes in place, so that a focused button keeps the focus.
      [...uploads].forEach((upload, index) => {
        const progress = list.children[index]?.querySelector("progress");
        if (!progress) return;
        progress.value = upload.sent;
        list.children[index].querySelector(".quiet").textContent = progressText(upload);
      });
      return;
    }
    shown = key;
    fill(list, [...uploads].map(item));
  };
  on("uploads", show, signal);
  show();
}

// Asks before the page is left during an upload.
addEventListener("beforeunload", (event) => {
  if ([...uploads].some((upload) => upload.state === "sending")) event.preventDefault();
});
