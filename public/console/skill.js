// One skill: rendered, as its source, and in an editor that overwrites nobody.
import { ask } from "./dialog.js";
import { button, fill, h, icon, isolated } from "./dom.js";
import { count, size, timeOf } from "./format.js";
import { expectMarkdown, markdown } from "./markdown.js";
import { announce, deleteLater, notify, unread, waiting } from "./notice.js";
import { go } from "./router.js";
import { editor } from "./skill_editor.js";
import { keyOf, origin } from "./skills.js";
import { llmos, scopeOf, tell, wasLeft } from "./state.js";

/** The text of a document without its front matter, whose members are shown as facts. */
const bodyOf = (content) => content.replace(/^\uFEFF?---\r?\n[\s\S]*?\r?\n---[ \t]*(\r?\n|$)/, "");

export async function skillPage(pane, where, signal) {
  fill(pane, waiting("Reading the skill …"));
  let skill;
  try {
    [skill] = await Promise.all([llmos.skills.find(where.id, scopeOf(where), { signal }), expectMarkdown()]);
  } catch (error) {
    if (!wasLeft(error)) unread(pane, "skill", error, () => skillPage(pane, where, signal));
    return;
  }
  if (signal.aborted) return;
  document.title = `${skill.name} · llmos`;
  tell("samples", { of: "skills", fallback: skill.fallback === true });
  const content = h("div.scroll.skill", { tabindex: -1 });
  const head = h("header.detail-head");
  fill(pane, head, content);
  let view = editor.hasDraft(skill) ? "edit" : "read";

  function showHead() {
    const tabs = [["read", "Read"], ["source", "Source"], ["edit", "Edit"]].map(([name, label]) =>
      h("button", { type: "button", "aria-pressed": String(view === name), "data-key": name === "edit" ? "e" : null, onclick: () => { view = name; show(); if (name !== "edit") focusTab(name); } }, label));
    fill(head,
      h("div.line", {}, h("a.back", { href: "#/skills", "aria-label": "Back to the list", "data-key": "Escape" }, icon("back")),
        h("h2", { tabindex: -1, id: "detail-title" }, isolated(skill.name || skill.id)), origin(skill)),
      h("p.facts", {}, h("code", {}, skill.id), h("span", {}, size(skill.size_bytes)), h("span", {}, "changed ", timeOf(skill.updated_at)),
        skill.usage_count !== null && h("span", {}, count(skill.usage_count, "use")),
        skill.success_rate !== null && h("span", {}, `${Math.round(100 * skill.success_rate)} % succeeded`)),
      h("div.line.wrap", {}, h("div.segments", { role: "group", "aria-label": "View", id: "skill-view" }, tabs),
        h("div.actions", {}, button("download", "Save", save), button("trash", "Delete", remove))));
  }
  const focusTab = (name) => head.querySelector(`#skill-view button:nth-child(${["read", "source", "edit"].indexOf(name) + 1})`)?.focus();

  function show() {
    showHead();
    if (view === "edit") {
      editor.open(content, skill, { signal, stored, conflict });
      return;
    }
    const facts = [["Category", skill.category], ["Language", skill.language], ["Tags", skill.tags], ["Keywords", skill.keywords]]
      .filter(([, value]) => value?.length > 0)
      .map(([term, value]) => [h("dt", {}, term), h("dd", {}, [value].flat().map((it) => h("span.tag", {}, isolated(it))))]);
    fill(content,
      skill.warnings.length > 0 && h("div.warnings", {}, h("ul", {}, skill.warnings.map((it) => h("li", { dir: "auto" }, it)))),
      view === "source" ? h("pre.source", { tabindex: 0, role: "group", "aria-label": "Source" }, h("code", {}, skill.content))
        : [skill.description && h("p.lead", { dir: "auto" }, skill.description), facts.length > 0 && h("dl.facts-list", {}, facts), markdown(bodyOf(skill.content ?? ""))]);
  }

  function stored(changed, document) {
    skill = { ...changed, content: document };
    view = "read";
    tell("skill", skill);
    announce("Stored.");
    show();
    focusTab("read");
  }

  /** Somebody else stored another document. Gives the entity tag to write over, if that is what is wanted. */
  async function conflict() {
    const now = await llmos.skills.find(skill.id, scopeOf(skill), { signal });
    const answer = await ask("This skill was changed elsewhere", [
      h("p", {}, "Somebody, or another tab of yours, stored another document since you read it. Yours is kept here. The newer one:"),
      h("pre.source.short", { tabindex: 0, role: "group", "aria-label": "The newer document" }, now.content),
    ], { submit: "Take the newer one", send: async () => "theirs", cancel: "Go on editing", others: [["Replace it by mine", () => "mine"]] });
    if (answer === "theirs") {
      editor.forget(skill);
      stored(now, now.content);
    }
    return answer === "mine" ? now.etag : null;
  }

  function save() {
    const url = URL.createObjectURL(new Blob([skill.content ?? ""], { type: "text/markdown" }));
    h("a", { href: url, download: `${skill.id}.md` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  function remove() {
    const { id, name, etag } = skill;
    deleteLater(keyOf(skill), name || id, (options) => llmos.skills.delete(id, scopeOf(skill), { ...options, ifMatch: etag }));
    go("#/skills");
  }

  show();
  if (view === "edit") notify("Your unsaved changes of this skill are back.");
}
