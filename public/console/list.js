// Lists that load further pages on scroll, with a filter and one tab stop.
import { fill, h, icon } from "./dom.js";
import { pluralize } from "./format.js";
import { errorPanel, loading as loadingText } from "./panel.js";
import { errorMessage, wasAborted } from "./state.js";
import { announce } from "./toast.js";

export function searchField(placeholder, label, oninput) {
  return h("div.search", {}, icon("search"), h("input", { type: "search", placeholder, "aria-label": label, "data-key": "/", oninput: (event) => oninput(event.currentTarget.value) }));
}

export const filterField = (filter) => searchField("Filter", "Filter loaded items", filter);

/** Shows a list in a pane. `load` returns `{items, next}` from a cursor on, `row` an element with `data-row`. */
export function pagedList(pane, { label, noun, load, row, keyOf, matches = () => true, isHidden = () => false, empty, signal }) {
  /** `{item, element}` by key, in order. */
  let rows = new Map();
  let cursor;
  let isDone = false;
  let loading = null;
  let text = "";
  let selected = null;
  /** The key of the row that was open last. */
  let tabStop = null;
  /** Count reloads and removals, so that responses from before them are dropped. */
  let generation = 0;
  let removals = 0;

  const list = h("ul.rows", { "aria-label": label });
  const summary = h("p.summary");
  const footer = h("div.foot");
  const more = h("button.more", { type: "button", onclick: () => loadMore() }, "Load more");
  fill(pane, list, footer, summary);

  const watcher = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) loadMore();
  }, { root: pane.closest(".scroll"), rootMargin: "600px" });
  watcher.observe(footer);
  signal.addEventListener("abort", () => watcher.disconnect());

  const isShown = (item) => !isHidden(item) && matches(item, text);

  /** Updates the selection, the tab stop (the row that is or was open, or the first), the summary and the footer. */
  function updateState() {
    const shown = [...rows.values()].filter(({ element }) => element.isConnected);
    const stop = shown.find(({ item }) => keyOf(item) === tabStop) ?? shown[0];
    for (const { item, element } of rows.values()) {
      const link = element.querySelector("[data-row]");
      const tabindex = element === stop?.element ? "0" : "-1";
      if (link.getAttribute("tabindex") !== tabindex) link.setAttribute("tabindex", tabindex);
      const isSelected = keyOf(item) === selected;
      if (isSelected !== link.hasAttribute("aria-current")) {
        if (isSelected) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
    }
    const isFiltered = text !== "";
    summary.textContent = isFiltered ? `${pluralize(shown.length, noun)} of ${rows.size} loaded` : "";
    list.hidden = shown.length === 0;
    if (shown.length === 0 && isDone && !loading) {
      fill(footer, isFiltered ? h("div.empty", {}, h("p", {}, "No loaded items match.")) : empty());
    } else if (isDone && !loading) {
      fill(footer);
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
      if (old && isShown(item) && !element.isConnected) renderRows();
    }
    if (hadFocus) element.querySelector("[data-row]")?.focus({ preventScroll: true });
  }

  /** Inserts the rows to show. Removing rows is twenty times faster than hiding them. */
  function renderRows() {
    const focused = document.activeElement;
    list.replaceChildren(...[...rows.values()].filter(({ item }) => isShown(item)).map(({ element }) => element));
    if (focused instanceof HTMLElement && list.contains(focused)) focused.focus({ preventScroll: true });
  }

  async function loadMore() {
    if (isDone || loading || signal.aborted) return;
    const started = generation;
    loading = load(cursor);
    fill(footer, loadingText("Loading …"));
    try {
      const { items, next } = await loading;
      if (started !== generation) return;
      for (const item of items) put(item);
      cursor = next ?? undefined;
      isDone = !next;
      loading = null;
      fill(footer, isDone ? null : more);
      updateState();
      // Observing again reports a footer that is still visible.
      watcher.unobserve(footer);
      if (!isDone) watcher.observe(footer);
    } catch (error) {
      if (started !== generation || wasAborted(error)) return;
      loading = null;
      fill(footer, errorPanel(`The ${label.toLowerCase()} could not be loaded.`, errorMessage(error), () => loadMore()));
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
    /** Loads the first page again and moves its rows to the front. */
    async refresh() {
      const [started, removedBefore] = [generation, removals];
      if (loading || signal.aborted) return;
      if (rows.size === 0 && !isDone) {
        await this.reload();
        return;
      }
      const { items, next } = await load(undefined).catch(() => ({ items: null, next: null }));
      if (!items || started !== generation || removedBefore !== removals) return;
      const known = [...rows.keys()].slice(0, items.length).join("\n");
      if (known === items.map(keyOf).join("\n")) for (const item of items) put(item);
      else for (const item of [...items].reverse()) put(item, true);
      if (!next && !cursor) {
        const current = new Set(items.map(keyOf));
        for (const key of [...rows.keys()]) if (!current.has(key)) this.remove(key);
      }
      updateState();
    },
    put(item, first = false) {
      put(item, first);
      updateState();
    },
    remove(key) {
      removals += 1;
      rows.get(key)?.element.remove();
      rows.delete(key);
      updateState();
    },
    update() {
      renderRows();
      updateState();
    },
    filter(value) {
      text = value.trim().toLowerCase();
      list.closest(".scroll")?.scrollTo(0, 0);
      this.update();
      if (text) announce(summary.textContent);
    },
    select(key) {
      selected = key;
      tabStop = key ?? tabStop;
      updateState();
    },
    /** Focuses the tab stop. Returns false if the list is empty. */
    focus() {
      const target = list.querySelector('[data-row][tabindex="0"]');
      if (target instanceof HTMLElement) target.focus();
      return target !== null;
    },
    find: (key) => rows.get(key)?.item,
    items: () => [...rows.values()].map(({ item }) => item),
  };
}
