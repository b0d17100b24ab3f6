// Routes in the URL fragment, such as `#/sessions/{id}` or `#/skills/{volume}/{id}`.

const decode = (part) => {
  try { return decodeURIComponent(part); } catch { return part; }
};

/** Returns the route in the URL; the default section is `sessions`. */
export function currentRoute() {
  const [section, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decode);
  return { section: section || "sessions", rest: rest.filter(Boolean) };
}

export function href(...parts) {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

export const sessionHref = (id) => href("sessions", id);

/** Returns the route of a skill without a default volume id. */
export function skillHref({ volume, volume_id: owner, id }) {
  return ["default", "system"].includes(owner) ? href("skills", volume, id) : href("skills", volume, owner, id);
}

/** Parses the parts of a skill's route. Returns null if they are invalid. */
export function parseSkill(rest) {
  const [volume, second, third] = rest;
  if (!["user", "team", "system"].includes(volume) || !second) return null;
  const owner = volume === "system" ? "system" : "default";
  return third ? { volume, volume_id: second, id: third } : { volume, volume_id: owner, id: second };
}

export function navigate(address) {
  if (location.hash === address) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = address;
}
