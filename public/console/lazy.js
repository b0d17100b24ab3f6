// Loads the modules of the session view together, and at once if the URL names a session.
import { currentRoute } from "./router.js";

/** Imports all of them by name: each one would request the next only after its own arrival. */
export async function loadSessionView() {
  const [module] = await Promise.all([import("./session_view.js"), import("./message.js"), import("./session_head.js"),
    import("./markdown.js").then(({ preloadMarkdown }) => { preloadMarkdown(); })]);
  return module.sessionView;
}

const { section, rest } = currentRoute();
if (section === "sessions" && rest[0]) loadSessionView().catch(() => {});
