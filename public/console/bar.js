// What stands in the bar: whose things are shown, and who one is. A token stays in memory unless this device is to
// remember it.
import { ask, field, isOpen } from "./dialog.js";
import { byId, fill, h, icon } from "./dom.js";
import { announce } from "./notice.js";
import { chooseScope, currentScope, currentToken, hear, isRemembered, isSignedIn, llmos, refused, signIn } from "./state.js";

const keyOf = ({ volume, volume_id: id }) => (volume ? `${volume}/${id}` : "");
const scopeNamed = (key) => {
  const [volume, ...id] = key.split("/");
  return volume ? { volume, volume_id: id.join("/") } : {};
};
const OWN = "user/default";
const SYSTEM = "system/system";
let me = null;

function showVolumes() {
  const select = byId("volume");
  const current = keyOf(currentScope());
  const others = new Set([...(me?.teams ?? []).map((id) => `team/${id}`), current]);
  for (const key of ["", OWN, SYSTEM]) others.delete(key);
  const option = (value, label) => h("option", { value, selected: value === current }, label);
  fill(select, option("", "Everything"), option(OWN, "My own"), option(SYSTEM, "System"),
    [...others].map((key) => option(key, key)),
    // Whoever may see only some volumes has seen all of their names.
    me?.all_volumes !== false && [option("team/", "A team …"), option("user/", "A user …")]);
  select.value = current;
}

async function chooseVolume() {
  const select = byId("volume");
  let wanted = select.value;
  if (wanted.endsWith("/")) {
    const kind = wanted.slice(0, -1);
    const input = h("input", { name: "id", required: true, maxlength: 128, pattern: "[A-Za-z0-9._\\-@\\|~+=]+", autocomplete: "off", spellcheck: false });
    const id = await ask(`Which ${kind}?`, [field("Its id", input, "Letters, digits and . _ - @ | ~ + =")], {
      submit: "Show", send: async (data) => String(data.get("id")),
    });
    if (!id) {
      showVolumes();
      return;
    }
    wanted += id;
  }
  chooseScope(scopeNamed(wanted));
}

export function watchVolume() {
  byId("volume").addEventListener("change", chooseVolume);
  hear("scope", showVolumes);
  const learn = async () => {
    showVolumes();
    me = isSignedIn() ? await llmos.me({ retries: 0 }).catch(() => null) : null;
    showVolumes();
  };
  hear("token", learn);
  learn();
}

export async function openSignIn(why) {
  if (isOpen()) return;
  const token = h("input", { name: "token", type: "password", required: true, pattern: "[!-~ ]+", autocomplete: "off", spellcheck: false });
  const remember = h("input", { name: "remember", type: "checkbox", checked: isRemembered() });
  await ask("Sign in", [
    h("p", {}, typeof why === "string" ? why : "Paste a token of your identity provider, or a key."),
    field("Token or key", token, "It is sent as Authorization: Bearer, to this deployment only."),
    h("label.check", {}, remember, h("span", {}, "Remember on this device")),
  ], {
    submit: "Sign in",
    send: async (data) => {
      const before = [currentToken(), isRemembered()];
      signIn(String(data.get("token")).trim(), data.has("remember"));
      try {
        await llmos.me({ retries: 0 });
        announce("Signed in.");
      } catch (error) {
        if (error.status !== 401) return;
        signIn(...before);
        throw new Error(error.detail);
      }
    },
  });
}

/** The button in the bar, and the question where a call is refused. */
export function watchSignIn() {
  const button = byId("sign-in");
  const show = () => {
    const words = isSignedIn() ? "Sign out" : "Sign in";
    fill(button, icon("key"), h("span", {}, words));
    button.title = words;
  };
  button.addEventListener("click", () => {
    if (isSignedIn()) signIn(null, false);
    else openSignIn();
  });
  // Who says no is asked again only after something changed.
  let wasAsked = false;
  const askOnce = () => {
    if (wasAsked || !refused()) return;
    wasAsked = true;
    openSignIn(refused().detail);
  };
  hear("unauthorized", askOnce);
  hear("token", () => { wasAsked = false; show(); });
  show();
  askOnce();
}
