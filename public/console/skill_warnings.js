// What is odd about a document, told while it is written.
import { fill, h } from "./dom.js";
import { llmos } from "./state.js";

const DEBOUNCE = 400;

/**
 * @param {HTMLTextAreaElement & Record<string, any>} input
 * @param {HTMLElement} output A live region.
 * @returns {() => void} Looks again, a moment after the last call.
 */
export function watchWarnings(input, output) {
  let timer = 0;
  let asked = new AbortController();
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(async () => {
      asked.abort();
      asked = new AbortController();
      const { signal } = asked;
      try {
        const { valid, id, warnings } = await llmos.skills.validate(input.value, { signal, retries: 0 });
        if (valid && warnings.length === 0) fill(output, h("p.good", {}, `Nothing is odd. Its id is ${id}.`));
        else fill(output, !valid && h("p.problem", {}, "This cannot be stored."), h("ul", {}, warnings.map((it) => h("li", { dir: "auto" }, it))));
      } catch (error) {
        if (signal.aborted) return;
        fill(output, error.status === 422 ? h("p.problem", {}, error.detail) : h("p.quiet", {}, "It cannot be checked just now; it is checked when it is stored."));
      }
    }, DEBOUNCE);
  };
}
