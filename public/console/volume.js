// The switch in the bar: whose things are shown.
import { ask, field } from "./dialog.js";
import { byId, fill, h } from "./dom.js";
import { chooseScope, currentScope, hear, kept } from "./state.js";

const RECENT = "llmos.volumes";
const MOST = 8;

const keyOf = ({ volume, volume_id: id }) => (volume ? `${volume}/${id}` : "");
const scopeOf = (key) => {
  const [volume, ...id] = key.split("/");
  return volume ? { volume, volume_id: id.join("/") } : {};
};
const OWN = "user/default";
const SYSTEM = "system/system";

function show() {
  const select = byId("volume");
  const current = keyOf(currentScope());
  const recent = (kept.get(RECENT) ?? []).filter((key) => ![OWN, SYSTEM].includes(key));
  if (current && ![OWN, SYSTEM, ...recent].includes(current)) recent.unshift(current);
  const option = (value, label) => h("option", { value, selected: value === current }, label);
  fill(select, option("", "Everything"), option(OWN, "My own"), option(SYSTEM, "System"),
    recent.map((key) => option(key, key)), option("team/", "A team …"), option("user/", "A user …"));
  select.value = current;
}

async function choose() {
  const select = byId("volume");
  let wanted = select.value;
  if (wanted.endsWith("/")) {
    const kind = wanted.slice(0, -1);
    const input = h("input", { name: "id", required: true, maxlength: 128, pattern: "[A-Za-z0-9._\\-@\\|~+=]+", autocomplete: "off", spellcheck: false });
    const id = await ask(`Which ${kind}?`, [field("Its id", input, "Letters, digits and . _ - @ | ~ + =")], {
      submit: "Show", send: async (data) => String(data.get("id")),
    });
    if (!id) {
      show();
      return;
    }
    wanted += id;
    kept.set(RECENT, [wanted, ...(kept.get(RECENT) ?? []).filter((key) => key !== wanted)].slice(0, MOST));
  }
  chooseScope(scopeOf(wanted));
}

/** Makes the switch work. */
export function watchVolume() {
  byId("volume").addEventListener("change", choose);
  hear("scope", show);
  show();
}
