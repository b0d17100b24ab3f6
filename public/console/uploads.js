// Uploads, which go on while one looks at something else: how far each is, stopped, tried again.
import { button, fill, h, isolated } from "./dom.js";
import { size } from "./format.js";
import { announce } from "./notice.js";
import { hear, llmos, tell, wordsOf } from "./state.js";

/** Each `{file, path, scope, sent, state, why, stop}`; the state is `sending` or `failed`. */
const uploads = new Set();

export function uploadAll(files, folder, scope) {
  for (const file of files) {
    // Paths are in normal form C, as the store has them.
    const path = (folder + file.name).normalize("NFC");
    const upload = { file, path, scope, sent: 0, state: "sending", why: "", stop: new AbortController() };
    uploads.add(upload);
    send(upload);
  }
}

async function send(upload) {
  upload.state = "sending";
  upload.stop = new AbortController();
  tell("uploads");
  try {
    await llmos.files.put(upload.path, upload.file, upload.scope, {
      signal: upload.stop.signal,
      onProgress: (sent) => { upload.sent = sent; tell("uploads"); },
    });
    uploads.delete(upload);
    announce(`${upload.file.name} is stored.`);
    tell("uploaded", upload.path);
  } catch (error) {
    if (upload.stop.signal.aborted) {
      uploads.delete(upload);
      announce("Stopped.");
    } else {
      upload.state = "failed";
      upload.why = wordsOf(error);
      announce(`${upload.file.name} is not stored: ${upload.why}`);
    }
  }
  tell("uploads");
}

function item(upload) {
  const { file, sent, state, why } = upload;
  const progress = h("progress", { max: Math.max(1, file.size), value: sent, "aria-label": `Upload of ${file.name}` });
  progress.value = sent;
  return h("li", { class: state }, h("span.title", {}, isolated(file.name)),
    state === "sending" ? [h("span.quiet", {}, `${size(sent)} of ${size(file.size)}`), progress, button("close", "Stop", () => upload.stop.abort())]
      : [h("p.problem", {}, `Not stored: ${why}`), button(null, "Try again", () => send(upload)), button(null, "Forget", () => { uploads.delete(upload); tell("uploads"); })]);
}

export function showUploads(list, signal) {
  let shown = "";
  const show = () => {
    const key = [...uploads].map((it) => it.path + it.state).join("\n");
    list.hidden = uploads.size === 0;
    if (key === shown) {
      // Only the figures change: a button that has the focus keeps it.
      [...uploads].forEach((upload, index) => {
        const progress = list.children[index]?.querySelector("progress");
        if (!progress) return;
        progress.value = upload.sent;
        list.children[index].querySelector(".quiet").textContent = `${size(upload.sent)} of ${size(upload.file.size)}`;
      });
      return;
    }
    shown = key;
    fill(list, [...uploads].map(item));
  };
  hear("uploads", show, signal);
  show();
}

// Who leaves while something is being sent is asked.
addEventListener("beforeunload", (event) => {
  if ([...uploads].some((upload) => upload.state === "sending")) event.preventDefault();
});
