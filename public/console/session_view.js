// One session: its head, its messages, and the form for new ones. Polls for changes, and loads older messages on scroll.
import { fill, h } from "./dom.js";
import { onRendered, preloadMarkdown } from "./markdown.js";
import { messageItem, updateGrouping } from "./message.js";
import { commandBlock, errorPanel, loading, showLoadError } from "./panel.js";
import { FIRST_PAGE } from "./prefetch.js";
import { sessionHead } from "./session_head.js";
import { emit, errorMessage, llmos, on, wasAborted } from "./state.js";
import { announce } from "./toast.js";

const PAGE = 100;
const POLL_INTERVAL_MS = 5000;
/** New messages scroll the view if its end is at most this far, in pixels. */
const FOLLOW_DISTANCE = 120;
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const twoFrames = () => Promise.race([frame().then(frame), new Promise((resolve) => setTimeout(resolve, 200))]);
/** Creates a page of messages. Browsers skip the layout of pages outside the viewport, except for a `fresh` one. */
const messagePage = (messages) => h("ol.thread.fresh", { "aria-label": "Messages" }, messages.map(messageItem));

export async function sessionView(pane, id, signal) {
  fill(pane, loading("Loading session …"));
  let session;
  try {
    [session] = await Promise.all([llmos.sessions.find(id, { messages: FIRST_PAGE }, { signal }), preloadMarkdown()]);
  } catch (error) {
    if (!wasAborted(error)) showLoadError(pane, "session", error, () => sessionView(pane, id, signal));
    return;
  }
  if (signal.aborted) return;
  document.title = `${session.name} · llmos`;
  emit("samples", { kind: "sessions", fallback: session.fallback === true });

  const head = sessionHead(session, signal);
  const older = h("button.older", { type: "button", onclick: () => loadOlder() }, "Older messages");
  let isFollowing = true;
  let top = 0;
  onRendered(() => isFollowing && scrollToEnd());
  const list = h("div", {}, messagePage(session.messages ?? []));
  const newer = h("button.newer", { type: "button", hidden: true, onclick: () => scrollToEnd() }, "New messages ↓");
  const scroller = h("div.scroll.messages", { tabindex: -1 }, older, list);
  const write = h("div.composer");
  fill(pane, head.element, scroller, newer, write);
  // Messages are shown without waiting for the form.
  const addComposer = () => import("./composer.js").then(({ composer }) => signal.aborted || write.replaceWith(composer(session.id, signal)),
    () => fill(write, errorPanel("The message form could not be loaded.", "The server is unreachable.", addComposer)));
  addComposer();

  const first = () => Number(list.querySelector("[data-seq]")?.dataset.seq ?? 0);
  const last = () => Number(list.lastElementChild.lastElementChild?.dataset.seq ?? 0);
  const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < FOLLOW_DISTANCE;
  function scrollToEnd() {
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
      updateGrouping(item);
    }
    if (fresh.length === 0) return;
    update();
    if (isFollowing) scrollToEnd();
    else newer.hidden = false;
  }

  let loadingOlder = null;
  /** Prepends a page of older messages and keeps the visible ones in place. */
  async function loadOlder() {
    if (loadingOlder || first() <= 1) return;
    older.classList.add("busy");
    older.setAttribute("aria-busy", "true");
    loadingOlder = llmos.messages.list(id, { before: first(), limit: PAGE }, { signal });
    try {
      const { messages } = await loadingOlder;
      const formerlyFirst = list.querySelector("[data-seq]");
      const edge = scroller.getBoundingClientRect().top;
      const firstBelowEdge = (elements) => [...elements].find((it) => it.getBoundingClientRect().bottom > edge);
      const anchor = firstBelowEdge(firstBelowEdge(list.children)?.children ?? []) ?? formerlyFirst;
      const before = anchor.getBoundingClientRect().bottom;
      scroller.classList.add("growing");
      // The page is laid out once: an estimated height would move the visible messages later.
      const page = messagePage(messages);
      list.prepend(page);
      for (const item of page.children) updateGrouping(item);
      updateGrouping(formerlyFirst);
      update();
      scroller.scrollTop += anchor.getBoundingClientRect().bottom - before;
      await twoFrames();
      page.classList.remove("fresh");
      scroller.classList.remove("growing");
      scroller.querySelector(":scope > .failed")?.remove();
    } catch (error) {
      if (wasAborted(error)) return;
      scroller.querySelector(":scope > .failed")?.remove();
      scroller.prepend(errorPanel("Older messages could not be loaded.", errorMessage(error), loadOlder));
    } finally {
      loadingOlder = null;
      older.classList.remove("busy");
      older.removeAttribute("aria-busy");
      watcher.unobserve(older);
      if (!older.hidden) watcher.observe(older);
    }
  }
  const watcher = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting) && scroller.querySelector(":scope > .failed") === null) loadOlder();
  }, { root: scroller, rootMargin: "800px 0px 0px" });

  async function poll() {
    if (document.hidden) return;
    try {
      const changed = await llmos.sessions.find(id, { messages: 0, etag: head.current().etag }, { signal, retries: 0 });
      head.showOutdated("");
      if (!changed) return;
      head.show(changed);
      emit("session", changed);
      while (changed.message_count > last()) {
        const { messages } = await llmos.messages.list(id, { after: last(), limit: PAGE }, { signal });
        if (messages.length === 0) break;
        add(messages);
        announce(messages.length === 1 ? `New message from ${messages[0].role}.` : `${messages.length} new messages.`);
      }
    } catch (error) {
      if (wasAborted(error)) return;
      if (error.status === 404) head.showDeleted();
      else head.showOutdated(errorMessage(error));
    }
  }

  for (const item of list.lastElementChild.children) updateGrouping(item);
  update();
  scrollToEnd();
  // Fonts and rendered code may still change the height.
  requestAnimationFrame(() => { scrollToEnd(); watcher.observe(older); });

  on("sent", ({ session: sessionId, messages, count }) => {
    if (sessionId !== id) return;
    scrollToEnd();
    // If others appended messages in between, polling loads all of them in order.
    if (messages[0].seq === last() + 1) add(messages);
    poll();
    emit("session", { ...head.current(), message_count: count, updated_at: new Date().toISOString() });
  }, signal);
  scroller.addEventListener("scroll", () => {
    // Only scrolling up stops following; content that grows below does not.
    if (isAtEnd()) isFollowing = newer.hidden = true;
    else if (scroller.scrollTop < top) isFollowing = false;
    top = scroller.scrollTop;
  }, { passive: true, signal });
  // The form grows while the user types.
  const sizes = new ResizeObserver(() => isFollowing && scrollToEnd());
  sizes.observe(scroller);
  document.addEventListener("visibilitychange", poll, { signal });
  const timer = setInterval(poll, POLL_INTERVAL_MS);
  signal.addEventListener("abort", () => { clearInterval(timer); watcher.disconnect(); sizes.disconnect(); });
}

function noMessages(session) {
  return h("div.empty", {}, h("h3", {}, "No messages yet"), h("p", {}, "Write the first message below, or use a shell:"),
    commandBlock(`curl ${location.origin}/api/sessions/${encodeURIComponent(session.id)}/messages \\\n  -H 'Content-Type: application/json' \\\n  -d '{"role":"user","content":"Hello!"}'`));
}
