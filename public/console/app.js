// The console: puts the views together, and shows the one that the address names.
import { byId, fill, h, icon, isEditable } from "./dom.js";
import { isNarrow, threadModules } from "./first.js";
import { keepTimesFresh } from "./format.js";
import { failed } from "./notice.js";
import { place, skillAt } from "./router.js";
import { keyOf, noSession, sessionList } from "./sessions.js";
import { hear } from "./state.js";

/** A section is a list beside what is open, or one page; `key` says which row of the list is open. Each is loaded when it
 * is wanted: a slow line brings first what is looked at first. */
const SECTIONS = {
  sessions: async () => ({
    title: "Sessions",
    list: sessionList,
    key: ([id]) => (id ? keyOf({ id }) : null),
    open: async (pane, [id], signal) => {
      if (!id) return noSession(pane);
      const module = await threadModules().catch(() => null);
      if (signal.aborted) return null;
      return module ? module.thread(pane, id, signal) : unloaded(pane);
    },
  }),
  skills: async () => {
    const [skills, { skillPage }] = await Promise.all([import("./skills.js"), import("./skill.js")]);
    return {
      title: "Skills",
      list: skills.skillList,
      key: (rest) => (skillAt(rest) ? skills.keyOf(skillAt(rest)) : null),
      open: (pane, rest, signal) => (skillAt(rest) ? skillPage(pane, skillAt(rest), signal) : skills.noSkill(pane)),
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
let inSection = new AbortController();
let inDetail = new AbortController();

const unloaded = (pane) => fill(pane, failed("This page cannot be loaded.", "The server cannot be reached.", show));

async function show() {
  const here = place();
  const wanted = SECTIONS[here.section] ? here.section : "sessions";
  inDetail.abort();
  inDetail = new AbortController();
  const { signal } = inDetail;
  let loaded;
  try {
    loaded = await SECTIONS[wanted]();
  } catch {
    if (signal.aborted) return;
    main.dataset.open = "detail";
    unloaded(byId("detail"));
    return;
  }
  if (signal.aborted) return;
  const { title, list: listOf, key, open } = loaded;
  const [wasFirst, hadFocusInList, isSame] = [isFirst, byId("list").contains(document.activeElement), wanted === section];
  const chosen = key?.(here.rest) ?? null;
  isFirst = false;
  document.title = `${title} · llmos`;
  byId("title").textContent = title;
  main.dataset.section = wanted;
  main.dataset.open = chosen || !listOf ? "detail" : "list";
  if (!wasFirst) byId("detail").scrollTop = 0;
  const opened = open(byId("detail"), here.rest, signal);
  if (!isSame) {
    inSection.abort();
    inSection = new AbortController();
    [section, list] = ["", null];
    byId("list").hidden = !listOf;
    for (const link of document.querySelectorAll("#nav a")) {
      if (link.getAttribute("href") === `#/${wanted}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (chosen && isNarrow()) await opened;
    if (signal.aborted) return;
    section = wanted;
    list = listOf?.(byId("list"), inSection.signal) ?? null;
  }
  list?.select(chosen);
  await opened;
  if (signal.aborted || wasFirst) return;
  // The focus goes where something new is, and back to where one came from.
  if (!chosen) {
    if (!(isSame && list?.focus()) && !hadFocusInList) main.focus({ preventScroll: true });
  } else if (!isEditable(document.activeElement)) {
    byId("detail-title")?.focus({ preventScroll: true });
  }
}

/** Says that what is shown is made up, and what mends that. */
function watchSamples() {
  const shown = new Map();
  hear("samples", ({ of, fallback }) => {
    shown.set(of, fallback);
    const names = [...shown].filter(([, isSample]) => isSample).map(([name]) => name);
    const banner = byId("banner");
    banner.hidden = names.length === 0;
    if (names.length > 0) {
      fill(banner, h("p", {}, h("strong", {}, `These ${names.join(" and ")} are samples, not yours: `),
        "storage is missing or down, and nothing can be stored. ", h("a", { href: "#/status" }, "What mends it")));
    }
  });
  // A failure that is tried again is told, so that a wait is not taken for a standstill.
  let timer = 0;
  hear("retry", ({ error, attempt, delay }) => {
    const line = byId("retry");
    line.textContent = `${error.detail} Trying again in ${Math.max(1, Math.round(delay / 1000))} s (${attempt}).`;
    line.hidden = false;
    clearTimeout(timer);
    timer = window.setTimeout(() => { line.hidden = true; }, delay + 1500);
  });
}

const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Keys that are pressed before anybody hears them. */
const early = { keys: [], add: (event) => early.keys.push(event) };

/** What is around the views, and not needed to see the first one: the bar, the keyboard, health, what waits to be sent. */
async function surround() {
  const [{ watchSignIn, watchVolume }, { listen, showHelp }, { watchHealth }, { startSending, warnBeforeLeaving }] = await Promise.all([
    import("./bar.js"), import("./keys.js"), import("./health.js"), import("./outbox.js"), import("./dialog.js")]);
  byId("help").addEventListener("click", showHelp);
  watchSignIn();
  watchVolume();
  listen();
  removeEventListener("keydown", early.add);
  for (const event of early.keys) event.target.dispatchEvent(new KeyboardEvent("keydown", event));
  warnBeforeLeaving();
  watchHealth();
  startSending();
}

function start() {
  const symbols = { sessions: "chat", skills: "book", files: "folder", status: "pulse" };
  document.querySelectorAll("#nav a[data-icon]").forEach((link, index) => {
    link.prepend(icon(symbols[link.dataset.icon]));
    link.dataset.key = String(index + 1);
  });
  byId("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
  watchSamples();
  keepTimesFresh();
  addEventListener("keydown", early.add);
  addEventListener("hashchange", show);
  hear("token", show);
  hear("recovered", () => { if (byId("detail").querySelector(":scope > .failed")) show(); });
  // What surrounds the first view comes after it, unless that takes its time; then what is wanted next, before it is.
  Promise.race([show(), after(1000)]).catch(() => {}).then(surround).catch(() => after(3000).then(surround));
  after(1500).then(() => Promise.all([threadModules(), import("./composer.js"), import("./session_edit.js"), import("./session_new.js"), ...Object.values(SECTIONS).map((load) => load())]))
    .catch(() => {});
}

start();
