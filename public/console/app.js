// The console: puts the views together, and shows the one that the address names.
import { byId, fill, h, icon } from "./dom.js";
import { filesPage } from "./files.js";
import { keepTimesFresh } from "./format.js";
import { watchHealth } from "./health.js";
import { listen, showHelp } from "./keys.js";
import { loadMarkdown } from "./markdown.js";
import { startSending } from "./outbox.js";
import { place, skillAt } from "./router.js";
import { noSession, sessionList } from "./sessions.js";
import { watchSignIn } from "./signin.js";
import { skillPage } from "./skill.js";
import { keyOf, noSkill, skillList } from "./skills.js";
import { hear } from "./state.js";
import { statusPage } from "./status.js";
import { thread, warnBeforeLeaving } from "./thread.js";
import { guardUploads } from "./uploads.js";
import { watchVolume } from "./volume.js";

/**
 * Each section: a list beside what is open, or one page. `key` says which row of the list is open.
 * @type {Object<string, {title: string, list?: (pane: any, signal: AbortSignal) => any, key?: (rest: string[]) => string | null,
 *   open: (pane: any, rest: string[], signal: AbortSignal) => any}>}
 */
const SECTIONS = {
  sessions: {
    title: "Sessions",
    list: sessionList,
    key: ([id]) => id ?? null,
    open: (pane, [id], signal) => (id ? thread(pane, id, signal) : noSession(pane)),
  },
  skills: {
    title: "Skills",
    list: skillList,
    key: (rest) => (skillAt(rest) ? keyOf(/** @type {any} */ (skillAt(rest))) : null),
    open: (pane, rest, signal) => (skillAt(rest) ? skillPage(pane, /** @type {any} */ (skillAt(rest)), signal) : noSkill(pane)),
  },
  files: { title: "Files", open: filesPage },
  status: { title: "Status", open: (pane, _, signal) => statusPage(pane, signal) },
};

const main = byId("main");
let section = "";
let list = null;
let inSection = new AbortController();
let inDetail = new AbortController();

async function show() {
  const here = place();
  const wanted = SECTIONS[here.section] ? here.section : "sessions";
  const { title, list: listOf, key, open } = SECTIONS[wanted];
  inDetail.abort();
  inDetail = new AbortController();
  const { signal } = inDetail;
  const hadFocusInList = byId("list").contains(document.activeElement);
  if (wanted !== section) {
    inSection.abort();
    inSection = new AbortController();
    main.dataset.section = wanted;
    byId("list").hidden = !listOf;
    list = listOf?.(byId("list"), inSection.signal) ?? null;
    for (const link of document.querySelectorAll("#nav a")) {
      if (link.getAttribute("href") === `#/${wanted}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
  const isFirst = section === "";
  const isSame = wanted === section;
  section = wanted;
  const isOpen = Boolean(key?.(here.rest));
  document.title = `${title} · llmos`;
  byId("title").textContent = title;
  main.dataset.open = isOpen || !listOf ? "detail" : "list";
  byId("detail").scrollTop = 0;
  list?.select(key?.(here.rest) ?? null);
  await open(byId("detail"), here.rest, signal);
  if (signal.aborted || isFirst) return;
  // The focus goes where something new is, and back to where one came from.
  if (isOpen) byId("detail-title")?.focus({ preventScroll: true });
  else if (!(isSame && list?.focus()) && !hadFocusInList) main.focus({ preventScroll: true });
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

function start() {
  const symbols = { sessions: "chat", skills: "book", files: "folder", status: "pulse" };
  document.querySelectorAll("#nav a[data-icon]").forEach((link, index) => {
    const anchor = /** @type {HTMLElement} */ (link);
    anchor.prepend(icon(symbols[anchor.dataset.icon ?? ""]));
    anchor.dataset.key = String(index + 1);
  });
  byId("help").addEventListener("click", showHelp);
  byId("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
  watchSamples();
  watchSignIn();
  watchVolume();
  listen();
  keepTimesFresh();
  warnBeforeLeaving();
  guardUploads();
  addEventListener("hashchange", show);
  for (const name of ["token", "recovered"]) hear(name, () => { if (byId("detail").querySelector(":scope > .failed")) show(); });
  show();
  watchHealth();
  startSending();
  // What renders is there before the first session is opened.
  setTimeout(() => loadMarkdown().catch(() => {}), 1500);
}

start();
