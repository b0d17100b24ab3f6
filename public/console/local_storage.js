// JSON values in `localStorage`, which the browser may disable.

export const TOKEN = "llmos.token";
export const SCOPE = "llmos.scope";

export const storage = {
  get(name) {
    try { return JSON.parse(localStorage.getItem(name) ?? "null"); } catch { return null; }
  },
  /** Removes the value if it is `null`. Returns false if the browser refuses to store it. */
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
