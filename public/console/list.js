// A list that is loaded page by page: more on scroll, filtered as one types, with one row in the order of Tab.
import { fill, h, icon } from "./dom.js";
import { count } from "./format.js";
import { announce, failed, waiting } from "./notice.js";
import { wasLeft, wordsOf } from "./state.js";

export function searchField(placeholder, label, oninput) {
  return h("div.search", {}, icon("search"), h("input", { type: "search", placeholder, "aria-label": label, "data-key": "/", oninput: (event) => oninput(event.currentTarget.value) }));
}

export const filterField = (filter) => searchField("Filter", "Filter what is loaded", filter);

/** A list in a pane: `load` gives `{items, next}` from a cursor on, `row` an element with `data-row` for an item. */
export function pagedList(pane, { label, one, load, row, keyOf, matches = () => true, isHidden = () => false, empty, signal }) {
  /** By key, each an item and its element. */
  let rows = new Map();
  let cursor;
  let isDone = false;
  let loading = null;
  let text = "";
  let selected = null;
  /** The one that was open last, to which one comes back. */
  let stop = null;
  let generation = 0;
  let removed = 0;

  const list = h("ul.rows", { "aria-label": label });
  const summary = h("p.summary");
  const foot = h("div.foot");
  const more = h("button.more", { type: "button", onclick: () => loadMore() }, "Load more");
  fill(pane, list, foot, summary);

  const watcher = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) loadMore();
  }, { root: pane.closest(".scroll"), rootMargin: "600px" });
  watcher.observe(foot);
  signal.addEventListener("abort", () => watcher.disconnect());

  const isShown = (item) => !isHidden(item) && matches(item, text);

  /** One row is in the order of Tab: the one that is or was open, or the first. */
  function settle() {
    const shown = [...rows.values()].filter(({ element }) => element.isConnected);
    const here = shown.find(({ item }) => keyOf(item) === stop) ?? shown[0];
    for (const { item, element } of rows.values()) {
      const link = element.querySelector("[data-row]");
      const tabindex = element === here?.element ? "0" : "-1";
      if (link.getAttribute("tabindex") !== tabindex) link.setAttribute("tabindex", tabindex);
      const isSelected = keyOf(item) === selected;
      if (isSelected !== link.hasAttribute("aria-current")) {
        if (isSelected) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
    }
    const isFiltered = text !== "";
    summary.textContent = isFiltered ? `${count(shown.length, one)} of ${rows.size} loaded` : "";
    list.hidden = shown.length === 0;
    if (shown.length === 0 && isDone && !loading) {
      fill(foot, isFiltered ? h("div.empty", {}, h("p", {}, "Nothing that is loaded matches.")) : empty());
    } else if (isDone && !loading) {
      fill(foot);
    }
  }

  function put(item, first = false) {
    const key = keyOf(item);
    const element = h("li", {}, row(item));
    const old = rows.get(key);
    const hadFocus = old?.element.contains(document.activeElement);
    if (first) {
      old?.element.remove();
      if (isShown(item)) list.prepend(element);
      rows = new Map([[key, { item, element }], ...[...rows].filter(([it]) => it !== key)]);
    } else {
      if (!isShown(item)) old?.element.remove();
      else if (old?.element.isConnected) old.element.replaceWith(element);
      else if (!old) list.append(element);
      rows.set(key, { item, element });
      if (old && isShown(item) && !element.isConnected) arrange();
    }
    if (hadFocus) element.querySelector("[data-row]")?.focus({ preventScroll: true });
  }

  /** Puts in what is to be shown. Rows that are only hidden cost a browser twenty times as much. */
  function arrange() {
    const focused = document.activeElement;
    list.replaceChildren(...[...rows.values()].filter(({ item }) => isShown(item)).map(({ element }) => element));
    if (focused instanceof HTMLElement && list.contains(focused)) focused.focus({ preventScroll: true });
  }

  async function loadMore() {
    if (isDone || loading || signal.aborted) return;
    const mine = generation;
    loading = load(cursor);
    fill(foot, waiting("Loading …"));
    try {
      const { items, next } = await loading;
      if (mine !== generation) return;
      for (const item of items) put(item);
      cursor = next ?? undefined;
      isDone = !next;
      loading = null;
      fill(foot, isDone ? null : more);
      settle();
      // The foot may still be in sight, which the observer does not tell again.
      watcher.unobserve(foot);
      if (!isDone) watcher.observe(foot);
    } catch (error) {
      if (mine !== generation || wasLeft(error)) return;
      loading = null;
      fill(foot, failed(`The ${label.toLowerCase()} cannot be read.`, wordsOf(error), () => loadMore()));
    }
  }

  return {
    reload() {
      generation += 1;
      rows = new Map();
      cursor = undefined;
      isDone = false;
      loading = null;
      list.replaceChildren();
      return loadMore();
    },
    /** What the first page holds now goes to the front, without the rest being lost. */
    async refresh() {
      const [mine, gone] = [generation, removed];
      if (loading || signal.aborted) return;
      if (rows.size === 0 && !isDone) {
        await this.reload();
        return;
      }
      const { items, next } = await load(undefined).catch(() => ({ items: null, next: null }));
      if (!items || mine !== generation || gone !== removed) return;
      const known = [...rows.keys()].slice(0, items.length).join("\n");
      if (known === items.map(keyOf).join("\n")) for (const item of items) put(item);
      else for (const item of [...items].reverse()) put(item, true);
      if (!next && !cursor) {
        const there = new Set(items.map(keyOf));
        for (const key of [...rows.keys()]) if (!there.has(key)) this.remove(key);
      }
      settle();
    },
    put(item, first = false) {
      put(item, first);
      settle();
    },
    remove(key) {
      removed += 1;
      rows.get(key)?.element.remove();
      rows.delete(key);
      settle();
    },
    update() {
      arrange();
      settle();
    },
    filter(wanted) {
      text = wanted.trim().toLowerCase();
      list.closest(".scroll")?.scrollTo(0, 0);
      this.update();
      if (text) announce(summary.textContent);
    },
    select(key) {
      selected = key;
      stop = key ?? stop;
      settle();
    },
    /** The row that is open, or the first. */
    focus() {
      const target = list.querySelector('[data-row][tabindex="0"]');
      if (target instanceof HTMLElement) target.focus();
      return target !== null;
    },
    find: (key) => rows.get(key)?.item,
    items: () => [...rows.values()].map(({ item }) => item),
  };
}
