// What was typed and is not stored yet: drafts, and messages that wait to be sent. Both are kept on this device, so
// that neither a failure nor a reload loses any; each message has a key of its own, so that it is stored once.
import { LlmosError } from "../llmos.js";
import { kept } from "./device.js";
import { hear, llmos, tell, wordsOf } from "./state.js";

const OUTBOX = "llmos.outbox";
const DRAFT = "llmos.draft.";
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 10_000;

/** What waits, each `{key, session, message}`. What this device cannot keep is kept in memory. */
let waiting = kept.get(OUTBOX) ?? [];
/** How each stands, by key. */
const states = new Map();
/** Who sends, by session. */
const senders = new Map();

function keep(changed) {
  waiting = changed;
  kept.set(OUTBOX, waiting.length > 0 ? waiting : null);
}

export const draft = {
  get: (session) => kept.get(DRAFT + session),
  set: (session, value) => kept.set(DRAFT + session, value),
};

/** The messages that wait for a session, in order, each with how it stands. */
export function waitingFor(session) {
  return waiting.filter((it) => it.session === session).map((it) => ({ ...it, state: states.get(it.key) ?? {} }));
}

export function countUnsent() {
  return waiting.length + kept.names(DRAFT).length;
}

export function forgetAll() {
  keep([]);
  for (const name of kept.names(DRAFT)) kept.set(name, null);
}

export function post(session, message) {
  keep([...waiting, { key: crypto.randomUUID(), session, message }]);
  tell("outbox", session);
  send(session);
}

/** Takes a message back that is not sent. */
export function takeBack(key) {
  const item = waiting.find((it) => it.key === key);
  keep(waiting.filter((it) => it.key !== key));
  if (item) {
    tell("outbox", item.session);
    again(item.session);
  }
  return item;
}

/** Does not wait any longer. */
export function again(session) {
  for (const item of waiting.filter((it) => it.session === session)) states.delete(item.key);
  const sender = senders.get(session);
  if (sender) sender.wake();
  else send(session);
}

/** Sends what waits for a session, one after another, until nothing does or one is refused. */
async function send(session) {
  if (senders.has(session)) return;
  const sender = { wake: () => {} };
  senders.set(session, sender);
  try {
    for (let tries = 0; ;) {
      const item = waiting.find((it) => it.session === session);
      if (!item || states.get(item.key)?.isFinal) return;
      tellState(item, { isSending: true });
      try {
        const sent = await llmos.messages.append(session, item.message, { idempotencyKey: item.key, retries: 0 });
        tries = 0;
        keep(waiting.filter((it) => it.key !== item.key));
        tell("sent", { session, key: item.key, messages: sent.messages, count: sent.message_count });
      } catch (error) {
        const isTemporary = error instanceof LlmosError && [0, 401, 408, 429, 500, 502, 503, 504].includes(error.status);
        if (!isTemporary) {
          tellState(item, { error: wordsOf(error), isFinal: true });
          return;
        }
        const pause = Math.max(error.retryAfter, Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** tries));
        tries += 1;
        tellState(item, { error: wordsOf(error), nextAt: Date.now() + pause });
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, pause);
          sender.wake = () => { clearTimeout(timer); resolve(undefined); };
        });
      }
    }
  } finally {
    senders.delete(session);
  }
}

function tellState(item, state) {
  states.set(item.key, state);
  tell("outbox", item.session);
}

/** Sends what was left over, and goes on when there is reason to hope. */
export function startSending() {
  const all = () => new Set(waiting.map((it) => it.session)).forEach((session) => again(session));
  addEventListener("online", all);
  hear("token", all);
  hear("recovered", all);
  addEventListener("storage", (event) => {
    if (event.key !== OUTBOX) return;
    const before = new Set(waiting.map((it) => it.session));
    waiting = kept.get(OUTBOX) ?? [];
    for (const session of before) tell("outbox", session);
  });
  all();
}

/** Whoever leaves with unsent texts has them still on this device, unless it keeps nothing. */
export function warnBeforeLeaving() {
  addEventListener("beforeunload", (event) => {
    if (countUnsent() > 0 && !kept.set("llmos.test", null)) event.preventDefault();
  });
}
