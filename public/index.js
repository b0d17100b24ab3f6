// Shows in words what /api/health says of each part.

const WORDS = {
  ok: "works",
  not_configured: "is not set up",
  failing: "does not work",
};
const NAMES = { redis: "Redis", blob: "Blob" };

function element(name, text, className) {
  const it = document.createElement(name);
  it.textContent = text;
  if (className) it.className = className;
  return it;
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

function panel(heading, status, lines) {
  const it = element("div", "", `part ${status}`);
  it.append(element("h3", heading), ...lines.map((line) => element("p", line)));
  return it;
}

function partPanel(key, part) {
  const lines = [];
  if (part.status === "ok") lines.push(`Answered in ${part.milliseconds} ms.`);
  if (part.reason) lines.push(sentence(part.reason));
  if (part.remedy) lines.push(sentence(part.remedy));
  return panel(`${NAMES[key] ?? key} ${WORDS[part.status] ?? part.status}`, part.status, lines);
}

function deployment(health) {
  const facts = [`Version ${health.version}`];
  if (health.commit) facts.push(`commit ${health.commit.slice(0, 7)}`);
  if (health.environment) facts.push(health.environment);
  if (health.region) facts.push(`in ${health.region}`);
  return element("p", `${facts.join(", ")}.`);
}

async function health() {
  const response = await fetch("/api/health", { headers: { accept: "application/json" } });
  const answer = await response.json();
  const parts = Object.entries(answer).filter(([, part]) => part?.status);
  if (parts.length === 0) {
    return [panel("The API does not work", "failing", [answer.detail ?? `It answered ${response.status}.`])];
  }
  return [...parts.map(([key, part]) => partPanel(key, part)), deployment(answer)];
}

document.getElementById("origin").textContent = location.origin;
health()
  .catch(() => [panel("The API cannot be reached", "failing", ["/api/health gave no answer that can be read."])])
  .then((nodes) => document.getElementById("health").replaceChildren(...nodes));
