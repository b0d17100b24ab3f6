// What is around the views, and not needed to see the first one: the bar, the keyboard, health, what waits to be sent.
import { watchSignIn, watchVolume } from "./bar.js";
import { byId } from "./dom.js";
import { watchHealth } from "./health.js";
import { listen, showHelp } from "./keys.js";
import { startSending, warnBeforeLeaving } from "./outbox.js";

/** Puts all of it to work. */
export function surround() {
  byId("help").addEventListener("click", showHelp);
  watchSignIn();
  watchVolume();
  listen();
  warnBeforeLeaving();
  watchHealth();
  startSending();
}
