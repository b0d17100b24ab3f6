// The console: puts the views together, and shows the one that the address names.
import { byId, fill, h, icon } from "./dom.js";
import { threadModules } from "./first.js";
import { keepTimesFresh } from "./format.js";
import { failed } from "./notice.js";
import { place, skillAt } from "./router.js";
import { noSession, sessionList } from "./sessions.js";
import { hear } from "./state.js";

/** A section is a list beside what is open, or one page; `key` says which row of the list is open. Each is loaded when it
 * is wanted: a slow line brings first what is looked at first. */
const SECTIONS = {
  sessions: async () => ({
    title: "Sessions",
    list: sessionList,
    key: ([id]) => id ?? null,
    open: async (pane, [id], signal) => {
      if (!id) return noSession(pane);
      const { thread } = await threadModules();
      return signal.aborted ? null : thread(pane, id, signal);
    },
  }),
  skills: async () => {
    const [{ keyOf, noSkill, skillList }, { skillPage }] = await Promise.all([import("./skills.js"), import("./skill.js")]);
    return {
      title: "Skills",
      list: skillList,
      key: (rest) => (skillAt(rest) ? keyOf(skillAt(rest)) : null),
      open: (pane, rest, signal) => (skillAt(rest) ? skillPage(pane, skillAt(rest), signal) : noSkill(pane)),
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
let inSection = new AbortController();
let inDetail = new AbortController();

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
    fill(byId("detail"), failed("This page cannot be loaded.", "The server cannot be reached.", show));
    return;
  }
  if (signal.aborted) return;
  const { title, list: listOf, key, open } = loaded;
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
    const anchor = link;
    anchor.prepend(icon(symbols[anchor.dataset.icon ?? ""]));
    anchor.dataset.key = String(index + 1);
  });
  byId("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
  watchSamples();
  keepTimesFresh();
  addEventListener("hashchange", show);
  for (const name of ["token", "recovered"]) hear(name, () => { if (byId("detail").querySelector(":scope > .failed")) show(); });
  show();
  import("./around.js").then(({ surround }) => surround());
  // What is wanted next is there before it is.
  setTimeout(() => Promise.all([threadModules(), ...Object.values(SECTIONS).map((load) => load())]).catch(() => {}), 1500);
}

start();
