// The list of skills: where each comes from, searched by the server, narrowed by tags; and dropped documents.
import { isOpen } from "./dialog.js";
import { button, byId, fill, h, icon, isolated } from "./dom.js";
import { volumeName } from "./format.js";
import { pagedList, searchField } from "./list.js";
import { command, isPending } from "./notice.js";
import { toSkill } from "./router.js";
import { currentScope, hear, llmos, tell, writeScope } from "./state.js";
import { createSkill } from "./skill_new.js";

const PAGE = 100;
const DEBOUNCE = 250;

export const keyOf = ({ volume, volume_id: owner, id }) => `skill ${volume}/${owner}/${id}`;

export const origin = (skill) => h(`span.origin.${skill.volume}`, {}, isolated(volumeName(skill)));

function row(skill) {
  return h("a.row", { href: toSkill(skill), "data-row": "" },
    h("span.title", { dir: "auto" }, isolated(skill.name || skill.id)), origin(skill),
    skill.description && h("span.about", { dir: "auto" }, skill.description),
    h("span.facts", {}, skill.warnings.length > 0 && h("span.status.paused", {}, "warnings"),
      skill.tags.slice(0, 4).map((tag) => h("span.tag", {}, isolated(tag)))));
}

function empty(q) {
  if (q) return h("div.empty", {}, h("p", {}, "No skill matches."));
  const { volume } = writeScope();
  const body = JSON.stringify({ name: "Hello World", description: "Greets a person", language: "python", code: 'print("Hello!")', tags: ["demo"] });
  return h("div.empty", {}, h("h2", {}, "No skills yet"),
    h("p", {}, "A skill is a markdown document that an application puts into its prompts. Drop one here, make one with ", h("kbd", {}, "n"), ", or from a shell:"),
    command(`curl '${location.origin}/api/skills?volume=${volume}' \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`));
}

/** What the list asks for: one volume, or all that concern oneself, the nearer before the farther. */
function query() {
  const scope = currentScope();
  return scope.volume ? scope : { effective: true };
}

export function skillList(pane, signal) {
  let q = "";
  let tag = "";
  let timer = 0;
  const body = h("div.body");
  const tags = h("div.tags", { role: "group", "aria-label": "Tags", hidden: true });
  const search = searchField("Search", "Search skills", (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => { q = text.trim(); list.reload(); }, DEBOUNCE);
  });
  const create = button("plus", "New", () => createSkill(), { look: ".primary", key: "n" });
  fill(pane, h("div.head", {}, h("div.line", {}, h("h2", {}, "Skills"), create), search, tags), body);

  function showTags() {
    const focused = tags.contains(document.activeElement) ? document.activeElement.textContent : null;
    const all = new Map();
    for (const one of list.items().flatMap((skill) => skill.tags)) all.set(one, (all.get(one) ?? 0) + 1);
    const most = [...all].sort((a, b) => b[1] - a[1]).slice(0, 8).map(([name]) => name);
    if (tag && !most.includes(tag)) most.unshift(tag);
    tags.hidden = most.length === 0;
    fill(tags, most.map((name) => h("button.tag", { type: "button", "aria-pressed": String(name === tag), onclick: () => {
      tag = tag === name ? "" : name;
      list.reload();
    } }, isolated(name))));
    [...tags.children].find((it) => it.textContent === focused)?.focus();
  }

  const list = pagedList(body, {
    label: "Skills",
    one: "skill",
    signal,
    keyOf,
    row,
    load: async (cursor) => {
      const page = await llmos.skills.list({ ...query(), q, tag, limit: PAGE, cursor }, { signal });
      tell("samples", { of: "skills", fallback: page.fallback === true });
      setTimeout(showTags);
      return { items: page.skills, next: page.next_cursor };
    },
    isHidden: (skill) => isPending(keyOf(skill)),
    empty: () => empty(q || tag),
  });

  // A document may be dropped anywhere on the page.
  addEventListener("dragover", (event) => event.preventDefault(), { signal });
  addEventListener("drop", async (event) => {
    event.preventDefault();
    const file = [...(event.dataTransfer?.files ?? [])].find((it) => /\.(md|markdown)$/i.test(it.name) || it.type === "text/markdown");
    if (file && !isOpen()) createSkill(await file.text());
  }, { signal });

  for (const name of ["scope", "token"]) hear(name, () => list.reload(), signal);
  hear("recovered", () => list.refresh(), signal);
  hear("pending", () => list.update(), signal);
  hear("gone", (key) => list.remove(key), signal);
  hear("skill", (skill) => {
    if (list.find(keyOf(skill))) list.put(skill);
    else list.reload();
  }, signal);
  list.reload();
  return list;
}

export function noSkill(pane) {
  fill(pane, h("div.empty.center", {}, icon("book"), h("p", {}, "Choose a skill, drop a ", h("code", {}, ".md"), " file, or press ", h("kbd", {}, "n"), " for a new one.")));
  byId("main").dataset.open = "list";
}
