// Sign-in by a token or key, which stays in memory unless this device is to remember it.
import { ask, field, isOpen } from "./dialog.js";
import { fill, byId, h, icon } from "./dom.js";
import { announce } from "./notice.js";
import { hear, isRemembered, isSignedIn, llmos, signIn } from "./state.js";

/** Asks for a token. @param {string} [why] */
export async function openSignIn(why) {
  if (isOpen()) return;
  const token = h("input", { name: "token", type: "password", required: true, autocomplete: "off", spellcheck: false });
  const remember = h("input", { name: "remember", type: "checkbox", checked: isRemembered() });
  await ask("Sign in", [
    h("p", {}, typeof why === "string" ? why : "Paste a token of your identity provider, or a key."),
    field("Token or key", token, "It is sent as Authorization: Bearer, to this deployment only."),
    h("label.check", {}, remember, h("span", {}, "Remember on this device")),
  ], {
    submit: "Sign in",
    send: async (data) => {
      const before = isSignedIn();
      signIn(String(data.get("token")).trim(), data.has("remember"));
      try {
        await llmos.sessions.list({ limit: 1 }, { retries: 0 });
        announce("Signed in.");
      } catch (error) {
        if (error.status !== 401) return;
        if (!before) signIn(null, false);
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
  hear("unauthorized", (error) => {
    if (wasAsked) return;
    wasAsked = true;
    openSignIn(error.detail);
  });
  hear("token", () => { wasAsked = false; show(); });
  show();
}
