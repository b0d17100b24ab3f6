// What the first view shows, asked for before its modules are there: on a slow line both come at the same time.
import { place } from "./router.js";
import { currentScope, llmos } from "./state.js";

/** How many sessions, and how many messages, a view begins with. */
export const FIRST_PAGE = 50;

/** @type {Map<string, Promise<any>>} By `list`, or the id of a session. */
const asked = new Map();

/** What a thread consists of: each module names the next only when it is there. */
export async function threadModules() {
  const [module] = await Promise.all([import("./thread.js"), import("./composer.js"), import("./message.js"), import("./session_head.js"),
    import("./outbox.js"), import("./dialog.js"), import("./markdown.js").then(({ expectMarkdown }) => { expectMarkdown(); })]);
  return module;
}

const { section, rest: [id] } = place();
if (section === "sessions") {
  if (id) asked.set(id, llmos.sessions.find(id, { messages: FIRST_PAGE }));
  asked.set("list", llmos.sessions.list({ ...currentScope(), limit: FIRST_PAGE }));
  // Whoever takes the answer hears of its failure.
  for (const answer of asked.values()) answer.catch(() => {});
  if (id) threadModules();
}

/** What was asked for when the page began, once; else what `ask` asks for. */
export function firstAnswer(name, ask) {
  const answer = asked.get(name);
  asked.delete(name);
  return answer ?? ask();
}
