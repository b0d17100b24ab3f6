// The list of skills, with search and tags. Documents dropped on the page become new skills.
import { isDeleting } from "./deletion.js";
import { isDialogOpen } from "./dialog.js";
import { bdi, button, byId, fill, h, icon } from "./dom.js";
import { formatVolume } from "./format.js";
import { pagedList, searchField } from "./list.js";
import { commandBlock } from "./panel.js";
import { skillHref } from "./router.js";
import { createSkill } from "./skill_new.js";
import { currentScope, emit, llmos, on, writeScope } from "./state.js";

const PAGE = 100;
const DEBOUNCE_MS = 250;

export const skillKey = ({ volume, volume_id: owner, id }) => `skill ${volume}/${owner}/${id}`;

export const volumeBadge = (skill) => h(`span.origin.${skill.volume}`, {}, bdi(formatVolume(skill)));

function row(skill) {
  return h("a.row", { href: skillHref(skill), "data-row": "" },
    h("span.title", { dir: "auto" }, bdi(skill.name || skill.id)), volumeBadge(skill),
    skill.description && h("span.about", { dir: "auto" }, skill.description),
    h("span.facts", {}, skill.warnings.length > 0 && h("span.status.paused", {}, "warnings"),
      skill.tags.slice(0, 4).map((tag) => h("span.tag", {}, bdi(tag)))));
}

function empty(q) {
  if (q) return h("div.empty", {}, h("p", {}, "No skills match."));
  const { volume } = writeScope();
  const body = JSON.stringify({ name: "Hello World", description: "Greets a person", language: "python", code: 'print("Hello!")', tags: ["demo"] });
  return h("div.empty", {}, h("h2", {}, "No skills yet"),
    h("p", {}, "A skill is a Markdown document that an application adds to its prompts. Drop one here, press ", h("kbd", {}, "n"), " to create one, or use a shell:"),
    commandBlock(`curl '${location.origin}/api/skills?volume=${volume}' \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`));
}

/** Returns the query: the selected volume, or the merged volumes of the caller. */
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
    timer = setTimeout(() => { q = text.trim(); list.reload(); }, DEBOUNCE_MS);
  });
  const create = button("plus", "New", () => createSkill(), { classes: ".primary", key: "n" });
  fill(pane, h("div.head", {}, h("div.line", {}, h("h2", {}, "Skills"), create), search, tags), body);

  function showTags() {
    const focused = tags.contains(document.activeElement) ? document.activeElement.textContent : null;
    const counts = new Map();
    for (const name of list.items().flatMap((skill) => skill.tags)) counts.set(name, (counts.get(name) ?? 0) + 1);
    const common = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 8).map(([name]) => name);
    if (tag && !common.includes(tag)) common.unshift(tag);
    tags.hidden = common.length === 0;
    fill(tags, common.map((name) => h("button.tag", { type: "button", "aria-pressed": String(name === tag), onclick: () => {
      tag = tag === name ? "" : name;
      list.reload();
    } }, bdi(name))));
    [...tags.children].find((it) => it.textContent === focused)?.focus();
  }

  const list = pagedList(body, {
    label: "Skills",
    noun: "skill",
    signal,
    keyOf: skillKey,
    row,
    load: async (cursor) => {
      const page = await llmos.skills.list({ ...query(), q, tag, limit: PAGE, cursor }, { signal });
      emit("samples", { kind: "skills", fallback: page.fallback === true });
      setTimeout(showTags);
      return { items: page.skills, next: page.next_cursor };
    },
    isHidden: (skill) => isDeleting(skillKey(skill)),
    empty: () => empty(q || tag),
  });

  addEventListener("dragover", (event) => event.preventDefault(), { signal });
  addEventListener("drop", async (event) => {
    event.preventDefault();
    const file = [...(event.dataTransfer?.files ?? [])].find((it) => /\.(md|markdown)$/i.test(it.name) || it.type === "text/markdown");
    if (file && !isDialogOpen()) createSkill(await file.text());
  }, { signal });

  for (const name of ["scope", "token"]) on(name, () => list.reload(), signal);
  on("recovered", () => list.refresh(), signal);
  on("deletions", () => list.update(), signal);
  on("deleted", (key) => list.remove(key), signal);
  on("skill", (skill) => {
    if (list.find(skillKey(skill))) list.put(skill);
    else list.reload();
  }, signal);
  list.reload();
  return list;
}

export function skillPlaceholder(pane) {
  fill(pane, h("div.empty.center", {}, icon("book"), h("p", {}, "Select a skill, drop a ", h("code", {}, ".md"), " file, or press ", h("kbd", {}, "n"), " to create one.")));
  byId("main").dataset.open = "list";
}
