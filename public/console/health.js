// Whether each part works: asked now and then, kept for some minutes, and told in the bar.
import { byId, fill, h } from "./dom.js";
import { hear, llmos, tell } from "./state.js";

/** How often is asked, in milliseconds, and how many answers are kept. */
const EVERY = 10_000;
export const KEPT = 60;

const NAMES = { redis: "Redis", blob: "Blob" };
const WORDS = { ok: "works", not_configured: "is not set up", failing: "does not work", unknown: "is not known" };

/** Each `{health, error}`, one of which is. */
export const samples = [];

export const wordsFor = (part, status) => `${NAMES[part]} ${WORDS[status ?? "unknown"] ?? status}`;

export async function ask() {
  let sample;
  try {
    sample = { health: await llmos.health({ retries: 0 }) };
  } catch (error) {
    sample = { error: error.detail ?? String(error) };
  }
  const isWell = (it) => it?.health?.status === "ok";
  const hasRecovered = samples.length > 0 && !isWell(samples.at(-1)) && isWell(sample);
  samples.push(sample);
  if (samples.length > KEPT) samples.shift();
  tell("health", sample);
  if (hasRecovered) tell("recovered");
}

function show({ health }) {
  const parts = ["redis", "blob"].map((part) => {
    const status = health?.[part]?.status ?? "failing";
    return h("span.part", {}, h(`span.dot.${status}`, { "aria-hidden": "true" }), h("span", {}, health ? wordsFor(part, status) : ""));
  });
  const link = byId("health");
  const words = health ? ["redis", "blob"].map((part) => wordsFor(part, health[part]?.status)).join(", ") : "The API cannot be reached";
  // What does not change is not read out again.
  if (link.dataset.words === words) return;
  link.dataset.words = words;
  fill(link, health ? parts : h("span.part", {}, h("span.dot.failing", { "aria-hidden": "true" }), h("span", {}, words)));
}

export function watchHealth() {
  hear("health", show);
  ask();
  setInterval(() => !document.hidden && ask(), EVERY);
  document.addEventListener("visibilitychange", () => !document.hidden && ask());
}
