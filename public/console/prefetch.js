// Requests the data of the first view before its modules are loaded, so that a slow connection loads both at once.
import { SCOPE, storage, TOKEN } from "./local_storage.js";
import { currentRoute } from "./router.js";

/** The number of sessions, or of messages, that a view loads first. */
export const FIRST_PAGE = 50;
const MAX_AGE_MS = 5000;

/** Pending or completed requests by URL. */
const prefetched = new Map();

function prefetch(path, query) {
  const token = storage.get(TOKEN);
  const url = `${path}?${new URLSearchParams(query)}`;
  const controller = new AbortController();
  const response = fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {}, cache: "no-store", signal: controller.signal });
  // The caller of `fetchPrefetched` handles the error.
  response.catch(() => {});
  prefetched.set(url, { response, controller });
}

/** Calls `fetch`, but returns a prefetched response once. */
export function fetchPrefetched(url, options) {
  const first = prefetched.get(url);
  prefetched.delete(url);
  if (!first || options.signal.aborted) return fetch(url, options);
  options.signal.addEventListener("abort", () => first.controller.abort(options.signal.reason));
  return first.response;
}

/** Returns true if the open item covers the list. */
export const isNarrow = () => matchMedia("(max-width: 46rem)").matches;

const { section, rest: [id] } = currentRoute();
if (section === "sessions") {
  if (id) prefetch(`/api/sessions/${encodeURIComponent(id)}`, { messages: FIRST_PAGE });
  if (!id || !isNarrow()) prefetch("/api/sessions", { ...storage.get(SCOPE), limit: FIRST_PAGE });
  setTimeout(() => prefetched.clear(), MAX_AGE_MS);
}
