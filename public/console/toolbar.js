// The toolbar: the volume switch and the sign-in button.
import { field, isDialogOpen, openDialog } from "./dialog.js";
import { byId, fill, h, icon } from "./dom.js";
import { authError, currentScope, currentToken, isSignedIn, isTokenStored, llmos, on, setScope, setToken } from "./state.js";
import { announce } from "./toast.js";

const toKey = ({ volume, volume_id: id }) => (volume ? `${volume}/${id}` : "");
const parseKey = (key) => {
  const [volume, ...id] = key.split("/");
  return volume ? { volume, volume_id: id.join("/") } : {};
};
const OWN = "user/default";
const SYSTEM = "system/system";
let me = null;

function showVolumes() {
  const select = byId("volume");
  const current = toKey(currentScope());
  const others = new Set([...(me?.teams ?? []).map((id) => `team/${id}`), current]);
  for (const key of ["", OWN, SYSTEM]) others.delete(key);
  const option = (value, label) => h("option", { value, selected: value === current }, label);
  fill(select, option("", "All volumes"), option(OWN, "My volume"), option(SYSTEM, "System"),
    [...others].map((key) => option(key, key)),
    // Callers with limited access only need the volumes listed above.
    me?.all_volumes !== false && [option("team/", "Team …"), option("user/", "User …")]);
  select.value = current;
}

async function selectVolume() {
  let { value } = byId("volume");
  if (value.endsWith("/")) {
    const kind = value.slice(0, -1);
    const input = h("input", { name: "id", required: true, maxlength: 768, pattern: "[A-Za-z0-9._\\-@\\|~+=!]+", autocomplete: "off", spellcheck: false });
    const id = await openDialog(`Select a ${kind}`, [field("Id", input, "Letters, digits and . _ - @ | ~ + = !")], {
      submit: "Show", send: async (data) => String(data.get("id")),
    });
    if (!id) {
      showVolumes();
      return;
    }
    value += id;
  }
  setScope(parseKey(value));
}

export function watchVolume() {
  byId("volume").addEventListener("change", selectVolume);
  on("scope", showVolumes);
  const load = async () => {
    showVolumes();
    me = isSignedIn() ? await llmos.me({ retries: 0 }).catch(() => null) : null;
    showVolumes();
  };
  on("token", load);
  load();
}

export async function openSignIn(reason) {
  if (isDialogOpen()) return;
  const token = h("input", { name: "token", type: "password", required: true, pattern: "[!-~ ]+", autocomplete: "off", spellcheck: false });
  const remember = h("input", { name: "remember", type: "checkbox", checked: isTokenStored() });
  await openDialog("Sign in", [
    h("p", {}, typeof reason === "string" ? reason : "Paste a token from your identity provider, or an API key."),
    field("Token or API key", token, "Sent as Authorization: Bearer, to this deployment only."),
    h("label.check", {}, remember, h("span", {}, "Remember on this device")),
  ], {
    submit: "Sign in",
    send: async (data) => {
      const before = [currentToken(), isTokenStored()];
      setToken(String(data.get("token")).trim(), data.has("remember"));
      try {
        await llmos.me({ retries: 0 });
        announce("Signed in.");
      } catch (error) {
        if (error.status !== 401) return;
        setToken(...before);
        throw new Error(error.detail);
      }
    },
  });
}

/** Starts the sign-in button, and opens the dialog when a request is unauthorized. */
export function watchSignIn() {
  const button = byId("sign-in");
  const show = () => {
    const label = isSignedIn() ? "Sign out" : "Sign in";
    fill(button, icon("key"), h("span", {}, label));
    button.title = label;
  };
  button.addEventListener("click", () => {
    if (isSignedIn()) setToken(null, false);
    else openSignIn();
  });
  // A dismissed dialog opens again only after the token changes.
  let wasOpened = false;
  const openOnce = () => {
    if (wasOpened || !authError()) return;
    wasOpened = true;
    openSignIn(authError().detail);
  };
  on("unauthorized", openOnce);
  on("token", () => { wasOpened = false; show(); });
  show();
  openOnce();
}
