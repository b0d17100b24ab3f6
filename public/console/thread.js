// One session: what it is, its messages, older ones on scroll up, newer ones as they come.
import { fill, h } from "./dom.js";
import { FIRST_PAGE } from "./first.js";
import { expectMarkdown, whenRendered } from "./markdown.js";
import { messageItem, relate } from "./message.js";
import { announce, command, failed, unread, waiting } from "./notice.js";
import { hear, llmos, tell, wasLeft, wordsOf } from "./state.js";
import { sessionHead } from "./session_head.js";

const PAGE = 100;
/** How often is looked for what others wrote, in milliseconds. */
const LOOK = 5000;
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const twoFrames = () => Promise.race([frame().then(frame), new Promise((resolve) => setTimeout(resolve, 200))]);
/** A page of messages: browsers leave those out that are not in sight. The `fresh` one is laid out in any case. */
const pageOf = (messages) => h("ol.thread.fresh", { "aria-label": "Messages" }, messages.map(messageItem));
/** How near to the end one is to be taken along by what comes, in pixels. */
const NEAR = 120;

export async function thread(pane, id, signal) {
  fill(pane, waiting("Reading the session …"));
  let session;
  try {
    [session] = await Promise.all([llmos.sessions.find(id, { messages: FIRST_PAGE }, { signal }), expectMarkdown()]);
  } catch (error) {
    if (!wasLeft(error)) unread(pane, "session", error, () => thread(pane, id, signal));
    return;
  }
  if (signal.aborted) return;
  document.title = `${session.name} · llmos`;
  tell("samples", { of: "sessions", fallback: session.fallback === true });

  const head = sessionHead(session, signal);
  const older = h("button.older", { type: "button", onclick: () => loadOlder() }, "Older messages");
  let isFollowing = true;
  let top = 0;
  whenRendered(() => isFollowing && toEnd());
  const list = h("div", {}, pageOf(session.messages ?? []));
  const newer = h("button.newer", { type: "button", hidden: true, onclick: () => toEnd() }, "New messages ↓");
  const scroller = h("div.scroll.messages", { tabindex: -1 }, older, list);
  const write = h("div.composer");
  fill(pane, head.element, scroller, newer, write);
  // What is there is read before something is written.
  const addComposer = () => import("./composer.js").then(({ composer }) => signal.aborted || write.replaceWith(composer(session.id, signal)),
    () => fill(write, failed("Messages cannot be written.", "The server cannot be reached.", addComposer)));
  addComposer();

  const first = () => Number(list.querySelector("[data-seq]")?.dataset.seq ?? 0);
  const last = () => Number(list.lastElementChild.lastElementChild?.dataset.seq ?? 0);
  const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
    newer.hidden = true;
  }

  function update() {
    older.hidden = first() <= 1;
    list.hidden = last() === 0;
    scroller.querySelector(".empty")?.remove();
    if (list.hidden) scroller.append(noMessages(session));
  }

  function add(messages) {
    const fresh = messages.filter((message) => message.seq > last());
    for (const message of fresh) {
      const item = messageItem(message);
      list.lastElementChild.append(item);
      relate(item);
    }
    if (fresh.length === 0) return;
    update();
    if (isFollowing) toEnd();
    else newer.hidden = false;
  }

  let loading = null;
  /** Puts older ones above, so that what is being read stays where it is. */
  async function loadOlder() {
    if (loading || first() <= 1) return;
    older.classList.add("busy");
    older.setAttribute("aria-busy", "true");
    loading = llmos.messages.list(id, { before: first(), limit: PAGE }, { signal });
    try {
      const { messages } = await loading;
      const formerlyFirst = list.querySelector("[data-seq]");
      const edge = scroller.getBoundingClientRect().top;
      const below = (elements) => [...elements].find((it) => it.getBoundingClientRect().bottom > edge);
      const inSight = below(below(list.children)?.children ?? []) ?? formerlyFirst;
      const before = inSight.getBoundingClientRect().bottom;
      scroller.classList.add("growing");
      // Laid out once: what is left out has a size that is guessed, and would move what is read when it comes near.
      const page = pageOf(messages);
      list.prepend(page);
      for (const item of page.children) relate(item);
      relate(formerlyFirst);
      update();
      scroller.scrollTop += inSight.getBoundingClientRect().bottom - before;
      await twoFrames();
      page.classList.remove("fresh");
      scroller.classList.remove("growing");
      scroller.querySelector(":scope > .failed")?.remove();
    } catch (error) {
      if (wasLeft(error)) return;
      scroller.querySelector(":scope > .failed")?.remove();
      scroller.prepend(failed("Older messages cannot be read.", wordsOf(error), loadOlder));
    } finally {
      loading = null;
      older.classList.remove("busy");
      older.removeAttribute("aria-busy");
      watcher.unobserve(older);
      if (!older.hidden) watcher.observe(older);
    }
  }
  const watcher = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting) && scroller.querySelector(":scope > .failed") === null) loadOlder();
  }, { root: scroller, rootMargin: "800px 0px 0px" });

  async function look() {
    if (document.hidden) return;
    try {
      const now = await llmos.sessions.find(id, { messages: 0, etag: head.current().etag }, { signal, retries: 0 });
      head.isReached(true);
      if (!now) return;
      head.show(now);
      tell("session", now);
      while (now.message_count > last()) {
        const { messages } = await llmos.messages.list(id, { after: last(), limit: PAGE }, { signal });
        if (messages.length === 0) break;
        add(messages);
        announce(messages.length === 1 ? `New message of ${messages[0].role}.` : `${messages.length} new messages.`);
      }
    } catch (error) {
      if (wasLeft(error)) return;
      if (error.status === 404) head.isGone();
      else head.isReached(false, wordsOf(error));
    }
  }

  for (const item of list.lastElementChild.children) relate(item);
  update();
  toEnd();
  // Fonts and code may still grow what is above.
  requestAnimationFrame(() => { toEnd(); watcher.observe(older); });

  hear("sent", ({ session: of, messages, count }) => {
    if (of !== id) return;
    toEnd();
    // Others may have written in between.
    if (messages[0].seq === last() + 1) add(messages);
    look();
    tell("session", { ...head.current(), message_count: count, updated_at: new Date().toISOString() });
  }, signal);
  scroller.addEventListener("scroll", () => {
    // What grows below is no reason not to follow; going up is.
    if (isAtEnd()) isFollowing = newer.hidden = true;
    else if (scroller.scrollTop < top) isFollowing = false;
    top = scroller.scrollTop;
  }, { passive: true, signal });
  // What is below grows as one writes.
  const sizes = new ResizeObserver(() => isFollowing && toEnd());
  sizes.observe(scroller);
  document.addEventListener("visibilitychange", look, { signal });
  const timer = setInterval(look, LOOK);
  signal.addEventListener("abort", () => { clearInterval(timer); watcher.disconnect(); sizes.disconnect(); });
}

function noMessages(session) {
  return h("div.empty", {}, h("h3", {}, "No messages yet"), h("p", {}, "Write the first one below, or from a shell:"),
    command(`curl ${location.origin}/api/sessions/${encodeURIComponent(session.id)}/messages \\\n  -H 'Content-Type: application/json' \\\n  -d '{"role":"user","content":"Hello!"}'`));
}
