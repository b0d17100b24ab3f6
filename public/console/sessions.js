// The list of sessions: filtered, the newest first.
import { button, byId, fill, h, icon, isolated } from "./dom.js";
import { FIRST_PAGE } from "./first.js";
import { count, timeOf, volumeName } from "./format.js";
import { filterField, pagedList } from "./list.js";
import { command, isPending, notify, notLoaded } from "./notice.js";
import { toSession } from "./router.js";
import { currentScope, hear, llmos, tell, writeScope } from "./state.js";

const STATUSES = [["", "All"], ["active", "Active"], ["paused", "Paused"], ["completed", "Completed"]];
const REFRESH = 20_000;

export const keyOf = ({ id }) => `session ${id}`;

function row(session) {
  const isOwn = session.volume === "user" && session.volume_id === "default";
  const facts = [
    session.status !== "active" && h(`span.status.${session.status}`, {}, session.status),
    h("span", {}, count(session.message_count, "message")),
    !currentScope().volume && !isOwn && h("span.volume", {}, isolated(volumeName(session))),
  ];
  return h("a.row", { href: toSession(session.id), "data-row": "" },
    h("span.title", { dir: "auto" }, isolated(session.name || session.id)), timeOf(session.updated_at),
    h("span.facts", {}, facts));
}

function empty(status) {
  if (status) return h("div.empty", {}, h("p", {}, `No session is ${status}.`));
  const { volume, volume_id: id } = writeScope();
  const body = JSON.stringify({ name: "My Research Session", volume, ...(id !== "default" && { volume_id: id }), initial_message: "Hello!" });
  return h("div.empty", {}, h("h2", {}, "No sessions yet"),
    h("p", {}, "A session is a conversation: a name, a status, and messages in order. Make one here with ", h("kbd", {}, "n"),
      ", or from a shell:"),
    command(`curl ${location.origin}/api/sessions \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`));
}

export function sessionList(pane, signal) {
  let status = "";
  const body = h("div.body");
  const chosen = h("div.segments", { role: "group", "aria-label": "Status" }, STATUSES.map(([value, label]) =>
    h("button", { type: "button", "aria-pressed": String(value === ""), value, onclick: (event) => choose(event.currentTarget) }, label)));
  const create = button("plus", "New", () => import("./session_new.js").then(({ createSession }) => createSession(), notLoaded), { look: ".primary", key: "n" });
  fill(pane, h("div.head", {}, h("div.line", {}, h("h2", {}, "Sessions"), create),
    filterField((text) => list.filter(text)), chosen), body);

  function choose(segment) {
    status = segment.value;
    for (const other of chosen.children) other.setAttribute("aria-pressed", String(other === segment));
    list.reload();
  }

  const list = pagedList(body, {
    label: "Sessions",
    one: "session",
    signal,
    keyOf,
    row,
    load: async (cursor) => {
      const page = await llmos.sessions.list({ ...currentScope(), status, limit: FIRST_PAGE, cursor }, { signal });
      tell("samples", { of: "sessions", fallback: page.fallback === true });
      const unreadable = page.unreadable ?? [];
      if (unreadable.length > 0) notify(`${count(unreadable.length, "session")} cannot be read: ${unreadable.join(", ")}`, { kind: "bad" });
      return { items: page.sessions, next: page.next_cursor };
    },
    matches: (session, text) => `${session.name} ${session.id} ${session.volume_id}`.toLowerCase().includes(text),
    isHidden: (session) => isPending(keyOf(session)),
    empty: () => empty(status),
  });

  let wereSamples = false;
  hear("samples", ({ of, fallback }) => {
    if (of === "sessions" && wereSamples && !fallback) setTimeout(() => list.reload());
    if (of === "sessions") wereSamples = fallback;
  }, signal);
  // What could not be read may be read again.
  hear("recovered", () => list.refresh(), signal);
  hear("scope", () => list.reload(), signal);
  hear("token", () => list.reload(), signal);
  hear("pending", () => list.update(), signal);
  hear("gone", (key) => list.remove(key), signal);
  hear("session", (session) => {
    const { volume, volume_id: id } = currentScope();
    const isElsewhere = volume && (volume !== session.volume || (volume !== "system" && id !== session.volume_id));
    const key = keyOf(session);
    const shown = list.find(key);
    if (isElsewhere && !shown) return;
    if (status && session.status !== status) list.remove(key);
    else list.put(session, shown?.updated_at !== session.updated_at);
  }, signal);
  const timer = setInterval(() => !document.hidden && list.refresh(), REFRESH);
  const look = () => !document.hidden && list.refresh();
  document.addEventListener("visibilitychange", look, { signal });
  signal.addEventListener("abort", () => clearInterval(timer));
  list.reload();
  return list;
}

/** What the other pane shows where no session is open. */
export function noSession(pane) {
  fill(pane, h("div.empty.center", {}, icon("chat"), h("p", {}, "Choose a session, or press ", h("kbd", {}, "n"), " for a new one."),
    h("p.quiet", {}, "All keys: ", h("kbd", {}, "?"))));
  byId("main").dataset.open = "list";
}
