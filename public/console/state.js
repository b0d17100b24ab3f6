// What all views share: the client, who is signed in, whose things are shown, and what they tell each other.
import { Llmos, LlmosError } from "../llmos.js";
import { kept, SCOPE, TOKEN } from "./device.js";
import { fetchFirst } from "./first.js";

/** Events: `scope`, `token`, `unauthorized`, `retry`, `samples`, `session`, `skill`, `gone`,
 * `pending`, `outbox`, `sent`, `uploads`, `uploaded`, `health`, `recovered`; each with `detail`. */
const bus = new EventTarget();

export function tell(name, detail) {
  bus.dispatchEvent(new CustomEvent(name, { detail }));
}

/** Hears until `signal` ends. */
export function hear(name, listener, signal) {
  bus.addEventListener(name, (event) => listener(event.detail), { signal });
}

/** In memory; on this device only where that was asked for. */
let token = kept.get(TOKEN);
let scope = kept.get(SCOPE) ?? {};

export const isSignedIn = () => token !== null;
export const currentToken = () => token;
export const isRemembered = () => kept.get(TOKEN) !== null;

export function signIn(given, remember) {
  token = given;
  refusal = null;
  kept.set(TOKEN, remember ? given : null);
  tell("token");
}

/** Whose things are shown; without a volume, all that one may see. */
export const currentScope = () => ({ ...scope });

export function chooseScope(wanted) {
  scope = wanted;
  kept.set(SCOPE, wanted);
  tell("scope", wanted);
}

/** The volume of what is there, or of what a form says. */
export const scopeOf = ({ volume, volume_id: id }) => (volume === "system" ? { volume } : { volume, volume_id: id || "default" });

/** Where something new goes: one's own, unless another volume is chosen. */
export const writeScope = () => (scope.volume ? { ...scope } : { volume: "user", volume_id: "default" });

export const llmos = new Llmos({
  token: () => token,
  fetch: fetchFirst,
  retries: 3,
  onRetry: (retry) => tell("retry", retry),
});

/** That one may not call, since one last signed in or out: who asks to sign in may come after it. */
let refusal = null;
export const refused = () => refusal;

/** What went wrong, in words; who may not call is asked to sign in. */
export function wordsOf(error) {
  if (error instanceof LlmosError) {
    if (error.status === 401) {
      refusal = error;
      tell("unauthorized", error);
    }
    return error.detail;
  }
  return error?.message ?? String(error);
}

/** Whether an error is only that a view was left. */
export const wasLeft = (error) => error?.name === "AbortError";
