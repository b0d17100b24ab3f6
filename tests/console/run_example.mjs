// Runs a `js` example of the documentation on a page of the local server: `node run_example.mjs BASE CODE`.
import { withTab } from '../blob/chromium.mjs';

const [base, code] = process.argv.slice(2);
// The debugger evaluates scripts, not modules.
const script = code.replace(/^import (\{[^}]*\}) from ("[^"]*");$/gm, 'const $1 = await import($2);');

await withTab(async (tab) => {
  await tab.goto(`${base}/robots.txt`);
  await tab.evaluate(`(async () => {
    // The values that an application brings.
    const auth = { getToken: async () => null };
    const file = new File(["content"], "film.mp4", { type: "video/mp4" });
    ${script}
  })()`);
});
console.log('✓');
