// A tab of the console in a real Chromium, as the flows beside this file use it: `node FLOWS.mjs {base} {viewport}`.
// What the page complains of, or breaks of its policy, fails the flow.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { withBrowser } from '../blob/chromium.mjs';

const VIEWPORTS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  // The narrowest that is promised.
  narrow: { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true },
};
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// How long anything may take to appear, on a slow and busy machine.
const LIMIT = 15_000;

export const [base, viewport, ...rest] = process.argv.slice(2);
export const isPhone = viewport !== 'desktop';

// What the API answers, without a page in between.
export const api = async (method, path, json, headers = {}) => {
  const answer = await fetch(base + path, {
    method,
    headers: { ...(json && { 'content-type': 'application/json' }), ...headers },
    body: json && JSON.stringify(json),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
};

export const statusOf = async (path) => (await fetch(base + path)).status;

// Waits until `look` gives something true, and gives that.
export const until = async (what, look, limit = LIMIT) => {
  for (const end = Date.now() + limit; Date.now() < end;) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error(`${what}: not within ${limit} ms`);
};

// No violations of accessibility rules, the best practices of axe included.
export const accessible = async (tab, where) => {
  await tab.evaluate(AXE);
  const { violations } = await tab.evaluate(() => window.axe.run(document));
  const said = violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((it) => `  ${it.html.slice(0, 200)}\n  ${it.failureSummary}`).join('\n')}`);
  assert.equal(said.length, 0, `${where}:\n${said.join('\n')}`);
};

// Nothing is cut off at the side.
export const fits = async (tab, where) => {
  const [content, window] = await tab.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${where} is ${content} pixels wide in a window of ${window}`);
};

// Waits until no dialog is left. By its role one is gone already when it is only hidden, and the next key then still
// meets the field that had the focus.
export const closed = (tab) => tab.locator('dialog').waitFor({ state: 'detached' });

// Runs flows, each with a name, one after another in one tab. `expected` is what the page may complain of.
export const run = (flows, { expected = /$^/, scheme = 'light' } = {}) => withBrowser(async (browser) => {
  const context = await browser.newContext({
    ...VIEWPORTS[viewport], colorScheme: scheme, timezoneId: 'Europe/Berlin', locale: 'en-GB', acceptDownloads: true,
  });
  context.setDefaultTimeout(LIMIT);
  const complaints = [];
  const watch = (tab) => {
    tab.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
    tab.on('pageerror', (error) => complaints.push(error.stack));
  };
  context.on('page', watch);
  await context.addInitScript(() => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((it) => it.duration))).observe({ type: 'longtask', buffered: true });
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  const tab = await context.newPage();
  // Else the first one asked for would be the system's own.
  tab.on('filechooser', () => {});
  for (const [name, flow] of Object.entries(flows)) {
    const started = Date.now();
    try {
      await flow(tab, context);
      const unexpected = complaints.filter((text) => !expected.test(text));
      assert.deepEqual(unexpected, []);
      console.log(`✓ ${name} (${Date.now() - started} ms)`);
    } catch (error) {
      const picture = join(process.env.PICTURES ?? tmpdir(), `${basename(process.argv[1], '.mjs')}-${viewport}-failed.png`);
      await tab.screenshot({ path: picture }).catch(() => {});
      console.error(`✗ ${name}, see ${picture}\n${complaints.join('\n')}`);
      throw error;
    }
  }
});

// Opens a place of the console, from scratch.
export const open = async (tab, hash) => {
  await tab.goto('about:blank');
  await tab.goto(`${base}/${hash}`);
};

// Opens a place, whose first view asks for each of `addresses` once: what is asked for before the modules are there is what
// they take.
export const openOnce = async (tab, hash, shown, addresses) => {
  const asked = [];
  const note = (request) => asked.push(request.url().slice(base.length));
  tab.on('request', note);
  await open(tab, hash);
  await tab.locator(shown).first().waitFor();
  tab.off('request', note);
  for (const address of addresses) assert.deepEqual(asked.filter((it) => it === address), [address], asked.join('\n'));
};

// Drops a markdown document on the page.
export const drop = async (tab, name, text) => {
  const data = await tab.evaluateHandle(([called, content]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], called, { type: 'text/markdown' }));
    return transfer;
  }, [name, text]);
  await tab.dispatchEvent('#main', 'drop', { dataTransfer: data });
};
