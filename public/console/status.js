// The page of the state: each part with its last minutes, where data lies, who one is, and what this device keeps.
import { button, fill, h, svg } from "./dom.js";
import { count, duration, sentence } from "./format.js";
import { ask, KEPT, samples, wordsFor } from "./health.js";
import { command, notify, waiting } from "./notice.js";
import { countUnsent, forgetAll } from "./outbox.js";
import { openSignIn } from "./bar.js";
import { hear, isRemembered, isSignedIn, signIn } from "./state.js";

const WIDTH = 320;
const HEIGHT = 56;

/** A small chart of how many milliseconds a part took each time, `null` where it did not answer. */
function chart(points, label) {
  const known = points.filter((it) => it !== null).sort((a, b) => a - b);
  const highest = known.at(-1) ?? 0;
  const step = WIDTH / (KEPT - 1);
  const x = (index) => (WIDTH - (points.length - 1 - index) * step).toFixed(1);
  const y = (milliseconds) => (HEIGHT - 4 - (milliseconds / Math.max(1, highest)) * (HEIGHT - 12)).toFixed(1);
  const shapes = [];
  points.forEach((point, index) => {
    if (point === null) {
      shapes.push(svg("rect", { class: "outage", x: x(index - 0.5), y: 0, width: step.toFixed(1), height: HEIGHT }));
      return;
    }
    // From the point before, if there is one.
    const from = points[index - 1] ?? null;
    const line = `M${x(from === null ? index - 0.1 : index - 1)} ${y(from ?? point)}L${x(index)} ${y(point)}`;
    shapes.push(svg("path", { class: "area", d: `${line}V${HEIGHT}H${x(from === null ? index : index - 1)}Z` }), svg("path", { class: "line", d: line }));
  });
  const missed = points.length - known.length;
  const words = known.length === 0 ? "no answer yet" : `median ${duration(known[known.length >> 1])}, at most ${duration(highest)}`;
  const summary = `${words}${missed > 0 ? `, ${missed} of ${points.length} without an answer` : ""}`;
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${label}: ${summary}`, preserveAspectRatio: "none" }, ...shapes);
  return h("figure.chart", {}, drawing, h("figcaption", {}, summary));
}

const KEEPS = {
  redis: { title: "Redis", holds: "Sessions, their messages, and what is remembered of skills.", variable: "REDIS_URL" },
  blob: { title: "Blob", holds: "Skills and files, each at volumes/{volume}/{volume_id}/.", variable: "BLOB_READ_WRITE_TOKEN" },
};

function mend(name, health) {
  const { variable } = KEEPS[name];
  const isNotSet = health[name].status === "not_configured";
  if (health.environment) {
    return isNotSet ? `vercel env add ${variable} ${health.environment}\nvercel --prod` : `vercel env pull .env\ncargo run --bin doctor`;
  }
  if (isNotSet) return name === "redis" ? "make redis\ncargo run" : "cargo run";
  return "cargo run --bin doctor";
}

function partCard(name, health) {
  const part = health[name];
  const points = samples.map(({ health: then }) => (then?.[name]?.status === "ok" ? then[name].milliseconds : null));
  return h("section.card", { "aria-labelledby": `part-${name}` },
    h("h3", { id: `part-${name}` }, h(`span.dot.${part.status}`, { "aria-hidden": "true" }), wordsFor(name, part.status)),
    h("p.quiet", {}, KEEPS[name].holds),
    part.status === "ok"
      ? h("p.figure", {}, h("strong", {}, duration(part.milliseconds)), " for its last answer")
      : [h("p", {}, sentence(part.reason ?? "It says nothing of itself"), " ", part.remedy && sentence(part.remedy)),
        command(mend(name, health), `What mends ${KEEPS[name].title}`)],
    part.status === "not_configured" ? h("p", {}, "Until then reads answer samples, which are marked, and nothing can be stored.") : chart(points, KEEPS[name].title));
}

function whereCard(health) {
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  const facts = [
    ["Version", [health.version, health.commit && `, commit ${health.commit.slice(0, 7)}`].filter(Boolean).join("")],
    ["Runs", health.environment ? `on Vercel, ${health.environment}${health.region ? `, in ${health.region}` : ""}` : here ? "on this machine" : "somewhere else than on Vercel"],
    ["Data", health.environment ? "in the Redis of REDIS_URL and the Blob store of BLOB_READ_WRITE_TOKEN"
      : "under .llmos/ beside the server, or where REDIS_URL and BLOB_READ_WRITE_TOKEN lead"],
  ];
  return h("section.card", { "aria-labelledby": "where" }, h("h3", { id: "where" }, "Where it is"),
    h("dl.facts-list", {}, facts.map(([term, text]) => [h("dt", {}, term), h("dd", {}, text)])),
    command(`curl ${location.origin}/api/health`));
}

function youCard(again) {
  const unsent = countUnsent();
  const forget = () => { forgetAll(); notify("Forgotten."); again(); };
  return h("section.card", { "aria-labelledby": "you" }, h("h3", { id: "you" }, "You"),
    h("p", {}, isSignedIn()
      ? `You sent a token along${isRemembered() ? ", which this device remembers." : ", which is forgotten with this tab."}`
      : "You send no token. On your own machine none is asked for; a deployment wants one."),
    h("div.buttons", {}, isSignedIn()
      ? button("key", "Sign out", () => signIn(null, false))
      : button("key", "Sign in", openSignIn)),
    unsent > 0 && [h("p", {}, `${count(unsent, "text")} of yours ${unsent === 1 ? "is" : "are"} only on this device: drafts, and messages that wait to be sent.`),
      h("div.buttons", {}, button("trash", "Forget them", forget))]);
}

export function statusPage(pane, signal) {
  const cards = h("div.cards");
  fill(pane, h("div.page", {}, h("div.line", {}, h("h2", {}, "Status"), button("pulse", "Ask again", () => ask())), cards));
  const show = (isAsked = false) => {
    const sample = samples.at(-1);
    if (!sample) {
      fill(cards, waiting("Asking /api/health …"));
    } else if (!sample.health) {
      fill(cards, h("section.card", {}, h("h3", {}, h("span.dot.failing"), "The API cannot be reached"),
        h("p", {}, sentence(sample.error), " Is it running?"), command("cargo run", "What mends it")), youCard(() => show(true)));
    } else if (isAsked || !cards.contains(document.activeElement)) {
      // What has the focus is not taken away; the next answer comes in ten seconds.
      fill(cards, partCard("redis", sample.health), partCard("blob", sample.health), whereCard(sample.health), youCard(() => show(true)));
    }
  };
  hear("health", () => show(), signal);
  show();
}
