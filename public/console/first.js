// What the first view shows, asked for before the modules that show it are there: on a slow line all come at once.
import { kept, SCOPE, TOKEN } from "./device.js";
import { place } from "./router.js";

/** How many sessions, and how many messages, a view begins with. */
export const FIRST_PAGE = 50;
/** How long an answer that nobody took is new, in milliseconds. */
const FRESH = 5000;

/** Answers, by address. */
const asked = new Map();

function ask(path, query) {
  const token = kept.get(TOKEN);
  const url = `${path}?${new URLSearchParams(query)}`;
  const stop = new AbortController();
  const answer = fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {}, cache: "no-store", signal: stop.signal });
  // Whoever takes the answer hears of its failure.
  answer.catch(() => {});
  asked.set(url, { answer, stop });
}

/** As `fetch`; what was asked for already is taken, once. */
export function fetchFirst(url, options) {
  const first = asked.get(url);
  asked.delete(url);
  if (!first || options.signal.aborted) return fetch(url, options);
  options.signal.addEventListener("abort", () => first.stop.abort(options.signal.reason));
  return first.answer;
}

/** What shows a session: each module names the next only when it is there. */
export async function threadModules() {
  const [module] = await Promise.all([import("./thread.js"), import("./message.js"), import("./session_head.js"),
    import("./markdown.js").then(({ expectMarkdown }) => { expectMarkdown(); })]);
  return module;
}

/** Whether what is open covers the list. */
export const isNarrow = () => matchMedia("(max-width: 46rem)").matches;

const { section, rest: [id] } = place();
if (section === "sessions") {
  if (id) ask(`/api/sessions/${encodeURIComponent(id)}`, { messages: FIRST_PAGE });
  if (!id || !isNarrow()) ask("/api/sessions", { ...kept.get(SCOPE), limit: FIRST_PAGE });
  setTimeout(() => asked.clear(), FRESH);
  if (id) threadModules().catch(() => {});
}
