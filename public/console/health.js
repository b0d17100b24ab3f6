// Polls the health of the service and shows it in the toolbar.
import { byId, fill, h } from "./dom.js";
import { emit, llmos, on } from "./state.js";

const POLL_INTERVAL_MS = 10_000;
export const MAX_SAMPLES = 60;

const PARTS = { redis: "Redis", blob: "Blob", jwks: "Signing keys", configuration: "Configuration" };
const STATUSES = { ok: "OK", not_configured: "not configured", failing: "failing", unknown: "unknown" };

/** Recent results, each `{health}` or `{error}`. */
export const samples = [];

export const statusText = (part, status) => `${PARTS[part]}: ${STATUSES[status ?? "unknown"] ?? status}`;

export async function checkHealth() {
  let sample;
  try {
    sample = { health: await llmos.health({ retries: 0 }) };
  } catch (error) {
    sample = { error: error.detail ?? String(error) };
  }
  const isHealthy = (it) => it?.health?.status === "ok";
  const hasRecovered = samples.length > 0 && !isHealthy(samples.at(-1)) && isHealthy(sample);
  samples.push(sample);
  if (samples.length > MAX_SAMPLES) samples.shift();
  emit("health", sample);
  if (hasRecovered) emit("recovered");
}

function show({ health }) {
  const parts = health?.configuration ? ["configuration"] : ["redis", "blob", ...(health?.jwks ? ["jwks"] : [])];
  const link = byId("health");
  const text = health ? parts.map((part) => statusText(part, health[part]?.status)).join(", ") : "The API is unreachable";
  // Screen readers would announce an unchanged text again.
  if (link.dataset.text === text) return;
  link.dataset.text = text;
  const item = (status, label) => h("span.part", {}, h(`span.dot.${status}`, { "aria-hidden": "true" }), h("span", {}, label));
  fill(link, health ? parts.map((part) => item(health[part]?.status ?? "failing", statusText(part, health[part]?.status ?? "failing"))) : item("failing", text));
}

export function watchHealth() {
  on("health", show);
  checkHealth();
  setInterval(() => !document.hidden && checkHealth(), POLL_INTERVAL_MS);
  document.addEventListener("visibilitychange", () => !document.hidden && checkHealth());
}
