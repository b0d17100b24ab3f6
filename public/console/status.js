// The status page: the health of each part, the deployment, the sign-in, and unsent data on this device.
import { button, fill, h, svg } from "./dom.js";
import { formatDuration, pluralize, toSentence } from "./format.js";
import { checkHealth, MAX_SAMPLES, samples, statusText } from "./health.js";
import { countUnsent, discardAll } from "./outbox.js";
import { commandBlock, loading } from "./panel.js";
import { isSignedIn, isTokenStored, on, setToken } from "./state.js";
import { notify } from "./toast.js";
import { openSignIn } from "./toolbar.js";

const WIDTH = 320;
const HEIGHT = 56;

/** Draws the response times of a part in milliseconds; `null` is a failed check. */
function chart(points, label) {
  const times = points.filter((it) => it !== null).sort((a, b) => a - b);
  const maximum = times.at(-1) ?? 0;
  const step = WIDTH / (MAX_SAMPLES - 1);
  const x = (index) => (WIDTH - (points.length - 1 - index) * step).toFixed(1);
  const y = (milliseconds) => (HEIGHT - 4 - (milliseconds / Math.max(1, maximum)) * (HEIGHT - 12)).toFixed(1);
  const shapes = [];
  points.forEach((point, index) => {
    if (point === null) {
      shapes.push(svg("rect", { class: "outage", x: x(index - 0.5), y: 0, width: step.toFixed(1), height: HEIGHT }));
      return;
    }
    const previous = points[index - 1] ?? null;
    const line = `M${x(previous === null ? index - 0.1 : index - 1)} ${y(previous ?? point)}L${x(index)} ${y(point)}`;
    shapes.push(svg("path", { class: "area", d: `${line}V${HEIGHT}H${x(previous === null ? index : index - 1)}Z` }), svg("path", { class: "line", d: line }));
  });
  const failed = points.length - times.length;
  const text = times.length === 0 ? "no response yet" : `median ${formatDuration(times[times.length >> 1])}, maximum ${formatDuration(maximum)}`;
  const summary = `${text}${failed > 0 ? `, ${failed} of ${points.length} checks failed` : ""}`;
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${label}: ${summary}`, preserveAspectRatio: "none" }, ...shapes);
  return h("figure.chart", {}, drawing, h("figcaption", {}, summary));
}

const PARTS = {
  redis: { title: "Redis", content: "Stores sessions, messages and the skill cache.", variable: "REDIS_URL" },
  blob: { title: "Blob", content: "Stores skills and files under volumes/{volume}/{volume_id}/.", variable: "BLOB_READ_WRITE_TOKEN" },
  jwks: { title: "Signing keys", content: "Verify the tokens of the identity provider.", variable: "AUTH_JWKS_URL" },
};

function fixCommand(name, health) {
  const { variable } = PARTS[name];
  const isMissing = health[name].status === "not_configured";
  if (health.environment) {
    return isMissing ? `vercel env add ${variable} ${health.environment}\nvercel --prod` : `vercel env pull .env\ncargo run -- doctor`;
  }
  if (isMissing) return name === "redis" ? "make redis\ncargo run" : "cargo run";
  return "cargo run -- doctor";
}

function partCard(name, health) {
  const part = health[name];
  const points = samples.map(({ health: sample }) => (sample?.[name]?.status === "ok" ? sample[name].milliseconds : null));
  return h("section.card", { "aria-labelledby": `part-${name}` },
    h("h3", { id: `part-${name}` }, h(`span.dot.${part.status}`, { "aria-hidden": "true" }), statusText(name, part.status)),
    h("p.quiet", {}, PARTS[name].content),
    part.status === "ok"
      ? h("p.figure", {}, h("strong", {}, formatDuration(part.milliseconds)), " last response time")
      : [h("p", {}, toSentence(part.reason ?? "No reason given"), " ", part.remedy && toSentence(part.remedy)),
        commandBlock(fixCommand(name, health), `Fix for ${PARTS[name].title}`)],
    part.status === "not_configured" ? h("p", {}, "Until it is configured, reads return sample data and nothing can be saved.") : chart(points, PARTS[name].title));
}

function deploymentCard(health) {
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  const facts = [
    ["Version", [health.version, health.commit && `, commit ${health.commit.slice(0, 7)}`].filter(Boolean).join("")],
    ["Environment", health.environment ? `Vercel, ${health.environment}${health.region ? `, region ${health.region}` : ""}` : isLocal ? "this machine" : "self-hosted"],
    ["Data", health.environment ? "the Redis at REDIS_URL and the Blob store of BLOB_READ_WRITE_TOKEN"
      : ".llmos/ in the server's directory, unless REDIS_URL or BLOB_READ_WRITE_TOKEN is set"],
  ];
  return h("section.card", { "aria-labelledby": "deployment" }, h("h3", { id: "deployment" }, "Deployment"),
    h("dl.facts-list", {}, facts.map(([term, text]) => [h("dt", {}, term), h("dd", {}, text)])),
    commandBlock(`curl ${location.origin}/api/health`));
}

function accessCard(refresh) {
  const unsent = countUnsent();
  const discard = () => { discardAll(); notify("Discarded."); refresh(); };
  return h("section.card", { "aria-labelledby": "access" }, h("h3", { id: "access" }, "Access"),
    h("p", {}, isSignedIn()
      ? `Signed in. The token is ${isTokenStored() ? "saved on this device." : "kept in memory until this tab is closed."}`
      : "No token set. Local servers do not require one; deployments do."),
    h("div.buttons", {}, isSignedIn()
      ? button("key", "Sign out", () => setToken(null, false))
      : button("key", "Sign in", openSignIn)),
    unsent > 0 && [h("p", {}, `${pluralize(unsent, "unsent text")} on this device: drafts and queued messages.`),
      h("div.buttons", {}, button("trash", "Discard", discard))]);
}

export function statusPage(pane, signal) {
  const cards = h("div.cards");
  fill(pane, h("div.page", {}, h("div.line", {}, h("h2", {}, "Status"), button("pulse", "Check again", checkHealth)), cards));
  const show = (force = false) => {
    const sample = samples.at(-1);
    if (!sample) {
      fill(cards, loading("Checking /api/health …"));
    } else if (!sample.health) {
      fill(cards, h("section.card", {}, h("h3", {}, h("span.dot.failing"), "The API is unreachable"),
        h("p", {}, toSentence(sample.error), " Is the server running?"), commandBlock("cargo run", "Fix")), accessCard(() => show(true)));
    } else if (force || !cards.contains(document.activeElement)) {
      // A focused element is not replaced; the next check follows in ten seconds.
      const { health } = sample;
      const { configuration } = health;
      fill(cards, configuration ? h("section.card", {}, h("h3", {}, h("span.dot.failing"), "Configuration: failing"),
        h("p", {}, toSentence(configuration.reason), " ", configuration.remedy))
        : [partCard("redis", health), partCard("blob", health), health.jwks && partCard("jwks", health), deploymentCard(health)], accessCard(() => show(true)));
    }
  };
  on("health", () => show(), signal);
  show();
}
