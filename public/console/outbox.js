// Drafts and unsent messages, saved on this device so that neither an error nor a reload loses them. Each message has its
// own idempotency key, so that it is stored once.
import { LlmosError, parseJson, toJson } from "../llmos.js";
import { storage } from "./local_storage.js";
import { emit, errorMessage, llmos, on } from "./state.js";

const OUTBOX = "llmos.outbox";
const DRAFT = "llmos.draft.";
const MIN_DELAY_MS = 1000;
const MAX_DELAY_MS = 10_000;

/** Unsent messages `{key, session, message}`, in memory in case the browser stores nothing. */
let queue = load();
/** The state of each message by key. */
const states = new Map();
/** The running sender of each session. */
const senders = new Map();

function load() {
  const saved = storage.get(OUTBOX) ?? [];
  return typeof saved === "string" ? parseJson(saved) : saved;
}

function save(changed) {
  queue = changed;
  storage.set(OUTBOX, queue.length > 0 ? toJson(queue) : null);
}

export const draft = {
  get: (session) => storage.get(DRAFT + session),
  set: (session, value) => storage.set(DRAFT + session, value),
};

/** Returns the unsent messages of a session, in order, each with its state. */
export function unsentMessages(session) {
  return queue.filter((it) => it.session === session).map((it) => ({ ...it, state: states.get(it.key) ?? {} }));
}

export function countUnsent() {
  return queue.length + storage.names(DRAFT).length;
}

export function discardAll() {
  save([]);
  for (const name of storage.names(DRAFT)) storage.set(name, null);
}

export function enqueue(session, message) {
  save([...queue, { key: crypto.randomUUID(), session, message }]);
  emit("outbox", session);
  sendAll(session);
}

/** Removes an unsent message from the queue and returns it. */
export function dequeue(key) {
  const item = queue.find((it) => it.key === key);
  save(queue.filter((it) => it.key !== key));
  if (item) {
    emit("outbox", item.session);
    retryNow(item.session);
  }
  return item;
}

export function retryNow(session) {
  for (const item of queue.filter((it) => it.session === session)) states.delete(item.key);
  const sender = senders.get(session);
  if (sender) sender.wake();
  else sendAll(session);
}

/** Sends the messages of a session in order until the queue is empty or the server rejects one. */
async function sendAll(session) {
  if (senders.has(session)) return;
  const sender = { wake: () => {} };
  senders.set(session, sender);
  try {
    for (let retries = 0; ;) {
      const item = queue.find((it) => it.session === session);
      if (!item || states.get(item.key)?.isFinal) return;
      setState(item, { isSending: true });
      try {
        const sent = await llmos.messages.append(session, item.message, { idempotencyKey: item.key, retries: 0 });
        retries = 0;
        save(queue.filter((it) => it.key !== item.key));
        emit("sent", { session, messages: sent.messages, count: sent.message_count });
      } catch (error) {
        const isTemporary = error instanceof LlmosError && [0, 401, 408, 429, 500, 502, 503, 504].includes(error.status);
        setState(item, { error: errorMessage(error), isFinal: !isTemporary });
        if (!isTemporary) return;
        const delay = Math.max(error.retryAfter, Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** retries));
        retries += 1;
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, delay);
          sender.wake = () => { clearTimeout(timer); resolve(undefined); };
        });
      }
    }
  } finally {
    senders.delete(session);
  }
}

function setState(item, state) {
  states.set(item.key, state);
  emit("outbox", item.session);
}

/** Sends the queue now, and again when the network, the token or the storage may work again. */
export function startOutbox() {
  const retryAll = () => new Set(queue.map((it) => it.session)).forEach((session) => retryNow(session));
  addEventListener("online", retryAll);
  on("token", retryAll);
  on("recovered", retryAll);
  // Another tab changed the queue.
  addEventListener("storage", (event) => {
    if (event.key !== OUTBOX) return;
    const before = new Set(queue.map((it) => it.session));
    queue = load();
    for (const session of before) emit("outbox", session);
  });
  retryAll();
}

/** Asks before the page is left if unsent texts exist only in memory. */
export function warnBeforeLeaving() {
  addEventListener("beforeunload", (event) => {
    if (countUnsent() > 0 && !storage.set("llmos.test", null)) event.preventDefault();
  });
}
