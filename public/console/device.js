// What is kept on this device, where that is allowed: who one is, if so wished, whose things are shown, what is unsent.

export const TOKEN = "llmos.token";
export const SCOPE = "llmos.scope";

/** Values by name; nothing where this device keeps nothing. */
export const kept = {
  get(name) {
    try { return JSON.parse(localStorage.getItem(name) ?? "null"); } catch { return null; }
  },
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  },
  names(prefix) {
    try { return Object.keys(localStorage).filter((name) => name.startsWith(prefix)); } catch { return []; }
  },
};
