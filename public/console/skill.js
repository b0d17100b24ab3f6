// One skill: rendered, as source, and in an editor that detects concurrent changes.
import { deleteWithUndo } from "./deletion.js";
import { openDialog } from "./dialog.js";
import { bdi, button, fill, h, icon } from "./dom.js";
import { formatBytes, pluralize, timeElement } from "./format.js";
import { markdown, preloadMarkdown } from "./markdown.js";
import { loading, showLoadError } from "./panel.js";
import { navigate } from "./router.js";
import { editor } from "./skill_editor.js";
import { skillKey, volumeBadge } from "./skills.js";
import { emit, llmos, toScope, wasAborted } from "./state.js";
import { announce, notify } from "./toast.js";

/** Removes the front matter, whose members are shown as facts. */
const stripFrontMatter = (content) => content.replace(/^\uFEFF?---\r?\n[\s\S]*?\r?\n---[ \t]*(\r?\n|$)/, "");

export async function skillPage(pane, ref, signal) {
  fill(pane, loading("Loading skill …"));
  let skill;
  try {
    [skill] = await Promise.all([llmos.skills.find(ref.id, toScope(ref), { signal }), preloadMarkdown()]);
  } catch (error) {
    if (!wasAborted(error)) showLoadError(pane, "skill", error, () => skillPage(pane, ref, signal));
    return;
  }
  if (signal.aborted) return;
  document.title = `${skill.name} · llmos`;
  emit("samples", { kind: "skills", fallback: skill.fallback === true });
  const content = h("div.scroll.skill", { tabindex: -1 });
  const head = h("header.detail-head");
  fill(pane, head, content);
  let view = editor.hasDraft(skill) ? "edit" : "read";

  function showHead() {
    const tabs = [["read", "Read"], ["source", "Source"], ["edit", "Edit"]].map(([name, label]) =>
      h("button", { type: "button", "aria-pressed": String(view === name), "data-key": name === "edit" ? "e" : null, onclick: () => { view = name; show(); if (name !== "edit") focusTab(name); } }, label));
    fill(head,
      h("div.line", {}, h("a.back", { href: "#/skills", "aria-label": "Back to the list", "data-key": "Escape" }, icon("back")),
        h("h2", { tabindex: -1, id: "detail-title" }, bdi(skill.name || skill.id)), volumeBadge(skill)),
      h("p.facts", {}, h("code", {}, skill.id), h("span", {}, formatBytes(skill.size_bytes)), h("span", {}, "updated ", timeElement(skill.updated_at)),
        skill.usage_count !== null && h("span", {}, pluralize(skill.usage_count, "use")),
        skill.success_rate !== null && h("span", {}, `${Math.round(100 * skill.success_rate)} % succeeded`)),
      h("div.line.wrap", {}, h("div.segments", { role: "group", "aria-label": "View", id: "skill-view" }, tabs),
        h("div.actions", {}, button("download", "Download", download), button("trash", "Delete", remove))));
  }
  const focusTab = (name) => head.querySelector(`#skill-view button:nth-child(${["read", "source", "edit"].indexOf(name) + 1})`)?.focus();

  function show() {
    showHead();
    if (view === "edit") {
      editor.open(content, skill, { signal, onSaved, resolveConflict });
      return;
    }
    const facts = [["Category", skill.category], ["Language", skill.language], ["Tags", skill.tags], ["Keywords", skill.keywords]]
      .filter(([, value]) => value?.length > 0)
      .map(([term, value]) => [h("dt", {}, term), h("dd", {}, [value].flat().map((it) => h("span.tag", {}, bdi(it))))]);
    fill(content,
      skill.warnings.length > 0 && h("div.warnings", {}, h("ul", {}, skill.warnings.map((it) => h("li", { dir: "auto" }, it)))),
      view === "source" ? h("pre.source", { tabindex: 0, role: "group", "aria-label": "Source" }, h("code", {}, skill.content))
        : [skill.description && h("p.lead", { dir: "auto" }, skill.description), facts.length > 0 && h("dl.facts-list", {}, facts), markdown(stripFrontMatter(skill.content ?? ""))]);
  }

  function onSaved(saved, document) {
    skill = { ...saved, content: document };
    view = "read";
    emit("skill", skill);
    announce("Saved.");
    show();
    focusTab("read");
  }

  /** Asks which version to keep. Returns the entity tag to overwrite, or null. */
  async function resolveConflict() {
    const newer = await llmos.skills.find(skill.id, toScope(skill), { signal });
    const answer = await openDialog("This skill was changed elsewhere", [
      h("p", {}, "Another user or tab changed this skill after you opened it. Your draft is kept. The newer version:"),
      h("pre.source.short", { tabindex: 0, role: "group", "aria-label": "Newer version" }, newer.content),
    ], { submit: "Use the newer version", send: async () => "theirs", cancel: "Keep editing", actions: [["Overwrite with mine", () => "mine"]] });
    if (answer === "theirs") {
      editor.discardDraft(skill);
      onSaved(newer, newer.content);
    }
    return answer === "mine" ? newer.etag : null;
  }

  function download() {
    const url = URL.createObjectURL(new Blob([skill.content ?? ""], { type: "text/markdown" }));
    h("a", { href: url, download: `${skill.id}.md` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  function remove() {
    const { id, name, etag } = skill;
    deleteWithUndo(skillKey(skill), name || id, (options) => llmos.skills.delete(id, toScope(skill), { ...options, ifMatch: etag }));
    navigate("#/skills");
  }

  show();
  if (view === "edit") notify("Your unsaved changes were restored.");
}
