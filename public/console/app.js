// The entry point of the console: shows the view that the route names.
import { byId, fill, h, icon, isEditable } from "./dom.js";
import { refreshTimes } from "./format.js";
import { loadSessionView } from "./lazy.js";
import { errorPanel } from "./panel.js";
import { isNarrow } from "./prefetch.js";
import { currentRoute, parseSkill } from "./router.js";
import { sessionKey, sessionList, sessionPlaceholder } from "./sessions.js";
import { on } from "./state.js";

/** A section is a list with a detail pane, or one page; `key` returns the key of the open list row. Sections are loaded
 * on demand, so that the first view loads fast. */
const SECTIONS = {
  sessions: async () => ({
    title: "Sessions",
    list: sessionList,
    key: ([id]) => (id ? sessionKey({ id }) : null),
    open: async (pane, [id], signal) => {
      if (!id) return sessionPlaceholder(pane);
      const sessionView = await loadSessionView().catch(() => null);
      if (signal.aborted) return null;
      return sessionView ? sessionView(pane, id, signal) : showUnloaded(pane);
    },
  }),
  skills: async () => {
    const [skills, { skillPage }] = await Promise.all([import("./skills.js"), import("./skill.js")]);
    return {
      title: "Skills",
      list: skills.skillList,
      key: (rest) => (parseSkill(rest) ? skills.skillKey(parseSkill(rest)) : null),
      open: (pane, rest, signal) => (parseSkill(rest) ? skillPage(pane, parseSkill(rest), signal) : skills.skillPlaceholder(pane)),
    };
  },
  files: async () => ({ title: "Files", open: (await import("./files.js")).filesPage }),
  status: async () => {
    const { statusPage } = await import("./status.js");
    return { title: "Status", open: (pane, _, signal) => statusPage(pane, signal) };
  },
};

const main = byId("main");
let section = "";
let list = null;
let isFirst = true;
let sectionController = new AbortController();
let detailController = new AbortController();

const showUnloaded = (pane) => fill(pane, errorPanel("This page could not be loaded.", "The server is unreachable.", show));

async function show() {
  const route = currentRoute();
  const name = SECTIONS[route.section] ? route.section : "sessions";
  detailController.abort();
  detailController = new AbortController();
  const { signal } = detailController;
  let loaded;
  try {
    loaded = await SECTIONS[name]();
  } catch {
    if (signal.aborted) return;
    main.dataset.open = "detail";
    showUnloaded(byId("detail"));
    return;
  }
  if (signal.aborted) return;
  const { title, list: createList, key, open } = loaded;
  const [wasFirst, hadFocusInList, isSame] = [isFirst, byId("list").contains(document.activeElement), name === section];
  const selected = key?.(route.rest) ?? null;
  isFirst = false;
  document.title = `${title} · llmos`;
  byId("title").textContent = title;
  main.dataset.section = name;
  main.dataset.open = selected || !createList ? "detail" : "list";
  if (!wasFirst) byId("detail").scrollTop = 0;
  const opened = open(byId("detail"), route.rest, signal);
  if (!isSame) {
    sectionController.abort();
    sectionController = new AbortController();
    [section, list] = ["", null];
    byId("list").hidden = !createList;
    for (const link of document.querySelectorAll("#nav a")) {
      if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (selected && isNarrow()) await opened;
    if (signal.aborted) return;
    section = name;
    list = createList?.(byId("list"), sectionController.signal) ?? null;
  }
  list?.select(selected);
  await opened;
  if (signal.aborted || wasFirst) return;
  // Focus moves to the new content, or back to the row that was open.
  if (!selected) {
    if (!(isSame && list?.focus()) && !hadFocusInList) main.focus({ preventScroll: true });
  } else if (!isEditable(document.activeElement)) {
    byId("detail-title")?.focus({ preventScroll: true });
  }
}

/** Shows a banner while sample data is shown, and a line while a request is retried. */
function watchStorage() {
  const isSample = new Map();
  on("samples", ({ kind, fallback }) => {
    isSample.set(kind, fallback);
    const kinds = [...isSample].filter(([, value]) => value).map(([name]) => name);
    const banner = byId("banner");
    banner.hidden = kinds.length === 0;
    if (kinds.length > 0) {
      fill(banner, h("p", {}, h("strong", {}, `Sample ${kinds.join(" and ")}, not your data. `),
        "Storage is not configured or unavailable; nothing can be saved. ", h("a", { href: "#/status" }, "How to fix it")));
    }
  });
  let timer = 0;
  on("retry", ({ error, attempt, delay }) => {
    const line = byId("retry");
    line.textContent = `${error.detail} Retrying in ${Math.max(1, Math.round(delay / 1000))} s (attempt ${attempt}).`;
    line.hidden = false;
    clearTimeout(timer);
    timer = window.setTimeout(() => { line.hidden = true; }, delay + 1500);
  });
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Keys that are pressed before the keyboard module is loaded. */
const early = { keys: [], add: (event) => early.keys.push(event) };

/** Loads what the first view does not need: toolbar, keyboard, health and outbox. */
async function loadRest() {
  const [{ watchSignIn, watchVolume }, { listenForKeys, showHelp }, { watchHealth }, { startOutbox, warnBeforeLeaving }] = await Promise.all([
    import("./toolbar.js"), import("./keys.js"), import("./health.js"), import("./outbox.js"), import("./dialog.js")]);
  byId("help").addEventListener("click", showHelp);
  watchSignIn();
  watchVolume();
  listenForKeys();
  removeEventListener("keydown", early.add);
  for (const event of early.keys) event.target.dispatchEvent(new KeyboardEvent("keydown", event));
  warnBeforeLeaving();
  watchHealth();
  startOutbox();
}

function start() {
  const icons = { sessions: "chat", skills: "book", files: "folder", status: "pulse" };
  document.querySelectorAll("#nav a[data-icon]").forEach((link, index) => {
    link.prepend(icon(icons[link.dataset.icon]));
    link.dataset.key = String(index + 1);
  });
  byId("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
  watchStorage();
  refreshTimes();
  addEventListener("keydown", early.add);
  addEventListener("hashchange", show);
  on("token", show);
  on("recovered", () => { if (byId("detail").querySelector(":scope > .failed")) show(); });
  // The rest waits for the first view, for at most 1 s. Then the other sections are preloaded.
  Promise.race([show(), sleep(1000)]).catch(() => {}).then(loadRest).catch(() => sleep(3000).then(loadRest));
  sleep(1500).then(() => Promise.all([loadSessionView(), import("./composer.js"), import("./session_edit.js"), import("./session_new.js"), ...Object.values(SECTIONS).map((load) => load())]))
    .catch(() => {});
}

start();
