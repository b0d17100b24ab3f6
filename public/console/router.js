// Where one is: the part of the address behind `#`, such as `#/sessions/{id}` or `#/skills/{volume}/{id}`.

const decode = (part) => {
  try { return decodeURIComponent(part); } catch { return part; }
};

/** The place that the address names; sessions where it names none. */
export function place() {
  const [section, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decode);
  return { section: section || "sessions", rest: rest.filter(Boolean) };
}

export function to(...parts) {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

export const toSession = (id) => to("sessions", id);

/** The address of a skill: `default` and `system` need not be said. */
export function toSkill({ volume, volume_id: owner, id }) {
  return ["default", "system"].includes(owner) ? to("skills", volume, id) : to("skills", volume, owner, id);
}

/** The skill that a place names, if it does. */
export function skillAt(rest) {
  const [volume, second, third] = rest;
  if (!["user", "team", "system"].includes(volume) || !second) return null;
  const owner = volume === "system" ? "system" : "default";
  return third ? { volume, volume_id: second, id: third } : { volume, volume_id: owner, id: second };
}

/** Goes there; `replace` leaves no step in the history. */
export function go(address, { replace = false } = {}) {
  if (location.hash === address) dispatchEvent(new HashChangeEvent("hashchange"));
  else if (replace) location.replace(address);
  else location.hash = address;
}
