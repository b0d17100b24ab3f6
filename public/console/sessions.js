// The list of sessions, most recently active first, with a status filter.
import { isDeleting } from "./deletion.js";
import { bdi, button, byId, fill, h, icon } from "./dom.js";
import { formatVolume, pluralize, timeElement } from "./format.js";
import { filterField, pagedList } from "./list.js";
import { commandBlock } from "./panel.js";
import { FIRST_PAGE } from "./prefetch.js";
import { sessionHref } from "./router.js";
import { currentScope, emit, llmos, on, writeScope } from "./state.js";
import { notify, notifyUnloaded } from "./toast.js";

const STATUSES = [["", "All"], ["active", "Active"], ["paused", "Paused"], ["completed", "Completed"]];
const REFRESH_INTERVAL_MS = 20_000;

export const sessionKey = ({ id }) => `session ${id}`;

function row(session) {
  const isOwn = session.volume === "user" && session.volume_id === "default";
  const facts = [
    session.status !== "active" && h(`span.status.${session.status}`, {}, session.status),
    h("span", {}, pluralize(session.message_count, "message")),
    !currentScope().volume && !isOwn && h("span.volume", {}, bdi(formatVolume(session))),
  ];
  return h("a.row", { href: sessionHref(session.id), "data-row": "" },
    h("span.title", { dir: "auto" }, bdi(session.name || session.id)), timeElement(session.updated_at),
    h("span.facts", {}, facts));
}

function empty(status) {
  if (status) return h("div.empty", {}, h("p", {}, `No ${status} sessions.`));
  const { volume, volume_id: id } = writeScope();
  const body = JSON.stringify({ name: "My Research Session", volume, ...(id !== "default" && { volume_id: id }), initial_message: "Hello!" });
  return h("div.empty", {}, h("h2", {}, "No sessions yet"),
    h("p", {}, "A session is a conversation: a name, a status and ordered messages. Press ", h("kbd", {}, "n"),
      " to create one, or use a shell:"),
    commandBlock(`curl ${location.origin}/api/sessions \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`));
}

export function sessionList(pane, signal) {
  let status = "";
  const body = h("div.body");
  const segments = h("div.segments", { role: "group", "aria-label": "Status" }, STATUSES.map(([value, label]) =>
    h("button", { type: "button", "aria-pressed": String(value === ""), value, onclick: (event) => select(event.currentTarget) }, label)));
  const create = button("plus", "New", () => import("./session_new.js").then(({ createSession }) => createSession(), notifyUnloaded), { classes: ".primary", key: "n" });
  fill(pane, h("div.head", {}, h("div.line", {}, h("h2", {}, "Sessions"), create),
    filterField((text) => list.filter(text)), segments), body);

  function select(segment) {
    status = segment.value;
    for (const other of segments.children) other.setAttribute("aria-pressed", String(other === segment));
    list.reload();
  }

  const list = pagedList(body, {
    label: "Sessions",
    noun: "session",
    signal,
    keyOf: sessionKey,
    row,
    load: async (cursor) => {
      const page = await llmos.sessions.list({ ...currentScope(), status, limit: FIRST_PAGE, cursor }, { signal });
      emit("samples", { kind: "sessions", fallback: page.fallback === true });
      const unreadable = page.unreadable ?? [];
      if (unreadable.length > 0) notify(`${pluralize(unreadable.length, "session")} could not be read: ${unreadable.join(", ")}`, { kind: "bad" });
      return { items: page.sessions, next: page.next_cursor };
    },
    matches: (session, text) => `${session.name} ${session.id} ${session.volume_id}`.toLowerCase().includes(text),
    isHidden: (session) => isDeleting(sessionKey(session)),
    empty: () => empty(status),
  });

  let wereSamples = false;
  on("samples", ({ kind, fallback }) => {
    if (kind === "sessions" && wereSamples && !fallback) setTimeout(() => list.reload());
    if (kind === "sessions") wereSamples = fallback;
  }, signal);
  on("recovered", () => list.refresh(), signal);
  on("scope", () => list.reload(), signal);
  on("token", () => list.reload(), signal);
  on("deletions", () => list.update(), signal);
  on("deleted", (key) => list.remove(key), signal);
  on("session", (session) => {
    const { volume, volume_id: id } = currentScope();
    const isElsewhere = volume && (volume !== session.volume || (volume !== "system" && id !== session.volume_id));
    const key = sessionKey(session);
    const shown = list.find(key);
    if (isElsewhere && !shown) return;
    if (status && session.status !== status) list.remove(key);
    else list.put(session, shown?.updated_at !== session.updated_at);
  }, signal);
  const refresh = () => !document.hidden && list.refresh();
  const timer = setInterval(refresh, REFRESH_INTERVAL_MS);
  document.addEventListener("visibilitychange", refresh, { signal });
  signal.addEventListener("abort", () => clearInterval(timer));
  list.reload();
  return list;
}

export function sessionPlaceholder(pane) {
  fill(pane, h("div.empty.center", {}, icon("chat"), h("p", {}, "Select a session, or press ", h("kbd", {}, "n"), " to create one."),
    h("p.quiet", {}, "Keyboard shortcuts: ", h("kbd", {}, "?"))));
  byId("main").dataset.open = "list";
}
