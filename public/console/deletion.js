// Deletions that can be undone for a few seconds.
import { emit } from "./state.js";
import { announce, notify } from "./toast.js";

const deletions = new Map();

export const isDeleting = (key) => deletions.has(key);

/** Deletes a list item with `send` once its toast closes, unless the user undoes it. */
export function deleteWithUndo(key, name, send) {
  if (isDeleting(key)) return;
  const restore = () => { deletions.delete(key); emit("deletions"); };
  const run = async (options = {}) => {
    try {
      await send(options);
      deletions.delete(key);
      emit("deleted", key);
    } catch (error) {
      restore();
      notify(`“${name}” was not deleted: ${error?.message ?? error}`, { kind: "bad" });
    }
  };
  const toast = notify(`“${name}” deleted`, { action: "Undo", onAction: () => { restore(); announce("Deletion undone."); }, onClose: run });
  deletions.set(key, { run: () => run({ keepalive: true }), toast });
  emit("deletions");
}

export function undoLast() {
  [...deletions.values()].at(-1)?.toast.undo();
}

// Leaving the page confirms pending deletions.
addEventListener("pagehide", () => {
  for (const { run, toast } of [...deletions.values()]) {
    run();
    toast.close();
  }
});
