// A browser tab for the flows in this folder, in a real Chromium: `node FLOWS.mjs {base} {viewport}`. Console errors and
// violations of the content security policy fail a flow.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { withBrowser } from '../blob/chromium.mjs';

const VIEWPORTS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  // The narrowest supported screen.
  narrow: { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true },
};
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// The timeout for elements to appear, on a slow and busy machine.
const TIMEOUT_MS = 15_000;

export const [base, viewport, ...rest] = process.argv.slice(2);
export const isPhone = viewport !== 'desktop';

// Calls the API directly.
export const api = async (method, path, json, headers = {}) => {
  const response = await fetch(base + path, {
    method,
    headers: { ...(json && { 'content-type': 'application/json' }), ...headers },
    body: json && JSON.stringify(json),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
};

export const statusOf = async (path) => (await fetch(base + path)).status;

// Polls `check` until it returns a truthy value, and returns that.
export const until = async (condition, check, limit = TIMEOUT_MS) => {
  for (const end = Date.now() + limit; Date.now() < end;) {
    const value = await check();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error(`${condition}: not within ${limit} ms`);
};

// Asserts that axe finds no accessibility violations, including its best practices.
export const accessible = async (tab, where) => {
  await tab.evaluate(AXE);
  const { violations } = await tab.evaluate(() => window.axe.run(document));
  const texts = violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((it) => `  ${it.html.slice(0, 200)}\n  ${it.failureSummary}`).join('\n')}`);
  assert.equal(texts.length, 0, `${where}:\n${texts.join('\n')}`);
};

// Asserts that the page does not overflow horizontally.
export const fits = async (tab, where) => {
  const [content, window] = await tab.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${where} is ${content} pixels wide in a window of ${window}`);
};

// Waits until the dialog is removed. A wait by role ends when the dialog is hidden, while its field still has the focus.
export const closed = (tab) => tab.locator('dialog').waitFor({ state: 'detached' });

// Runs named flows in order in one tab. `expected` matches the console errors to ignore.
export const run = (flows, { expected = /$^/, scheme = 'light' } = {}) => withBrowser(async (browser) => {
  const context = await browser.newContext({
    ...VIEWPORTS[viewport], colorScheme: scheme, timezoneId: 'Europe/Berlin', locale: 'en-GB', acceptDownloads: true,
  });
  context.setDefaultTimeout(TIMEOUT_MS);
  const errors = [];
  const watch = (tab) => {
    tab.on('console', (message) => ['error', 'warning'].includes(message.type()) && errors.push(message.text()));
    tab.on('pageerror', (error) => errors.push(error.stack));
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
  // Without a listener, Chromium opens the system's own chooser.
  tab.on('filechooser', () => {});
  for (const [name, flow] of Object.entries(flows)) {
    const started = Date.now();
    try {
      await flow(tab, context);
      const unexpected = errors.filter((text) => !expected.test(text));
      assert.deepEqual(unexpected, []);
      console.log(`✓ ${name} (${Date.now() - started} ms)`);
    } catch (error) {
      const picture = join(process.env.PICTURES ?? tmpdir(), `${basename(process.argv[1], '.mjs')}-${viewport}-failed.png`);
      await tab.screenshot({ path: picture }).catch(() => {});
      console.error(`✗ ${name}, see ${picture}\n${errors.join('\n')}`);
      throw error;
    }
  }
});

// Opens a URL of the console in a fresh document.
export const open = async (tab, hash) => {
  await tab.goto('about:blank');
  await tab.goto(`${base}/${hash}`);
};

// Opens a URL and asserts that each of `addresses` is requested once: the view uses the prefetched response.
export const openOnce = async (tab, hash, selector, addresses) => {
  const requested = [];
  const note = (request) => requested.push(request.url().slice(base.length));
  tab.on('request', note);
  await open(tab, hash);
  await tab.locator(selector).first().waitFor();
  tab.off('request', note);
  for (const address of addresses) assert.deepEqual(requested.filter((it) => it === address), [address], requested.join('\n'));
};

// Drops a Markdown document on the page.
export const drop = async (tab, name, text) => {
  const data = await tab.evaluateHandle(([fileName, content]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], fileName, { type: 'text/markdown' }));
    return transfer;
  }, [name, text]);
  await tab.dispatchEvent('#main', 'drop', { dataTransfer: data });
};
