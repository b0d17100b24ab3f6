// State that all views share: the API client, the token, the selected volume, and events.
import { Llmos, LlmosError } from "../llmos.js";
import { SCOPE, storage, TOKEN } from "./local_storage.js";
import { fetchPrefetched } from "./prefetch.js";

/** Events: `scope`, `token`, `unauthorized`, `retry`, `samples`, `session`, `skill`, `deleted`, `deletions`, `outbox`,
 * `sent`, `uploads`, `uploaded`, `health`, `recovered`. */
const bus = new EventTarget();

export function emit(name, detail) {
  bus.dispatchEvent(new CustomEvent(name, { detail }));
}

/** Calls `listener` with each event's detail until `signal` aborts. */
export function on(name, listener, signal) {
  bus.addEventListener(name, (event) => listener(event.detail), { signal });
}

let token = storage.get(TOKEN);
let scope = storage.get(SCOPE) ?? {};
let lastAuthError = null;

export const isSignedIn = () => token !== null;
export const currentToken = () => token;
export const isTokenStored = () => storage.get(TOKEN) !== null;
/** Returns the last 401 since the token changed. */
export const authError = () => lastAuthError;

/** Sets the token; `null` signs out. It stays in memory unless `remember` is true. */
export function setToken(value, remember) {
  token = value;
  lastAuthError = null;
  storage.set(TOKEN, remember ? value : null);
  emit("token");
}

/** Returns the selected volume, or `{}` for all volumes. */
export const currentScope = () => ({ ...scope });

export function setScope(value) {
  scope = value;
  storage.set(SCOPE, value);
  emit("scope");
}

/** Returns the volume of an item or a form. */
export const toScope = ({ volume, volume_id: id }) => (volume === "system" ? { volume } : { volume, volume_id: id || "default" });

/** Returns the volume of new items: the selected one, or the caller's own. */
export const writeScope = () => (scope.volume ? { ...scope } : { volume: "user", volume_id: "default" });

export const llmos = new Llmos({
  token: () => token,
  fetch: fetchPrefetched,
  retries: 3,
  onRetry: (retry) => emit("retry", retry),
});

/** Returns the text of an error. A 401 also emits `unauthorized`, which opens the sign-in dialog. */
export function errorMessage(error) {
  if (error instanceof LlmosError) {
    if (error.status === 401) {
      lastAuthError = error;
      emit("unauthorized");
    }
    return error.detail;
  }
  return error?.message ?? String(error);
}

/** Returns true if the request was aborted because its view was closed. */
export const wasAborted = (error) => error?.name === "AbortError";
