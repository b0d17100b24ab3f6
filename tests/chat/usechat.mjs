// `examples/usechat` in Chromium, built by Vite, against the service with a scripted model: `node usechat.mjs BASE`.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withBrowser } from '../blob/chromium.mjs';
import { get, until } from './http.mjs';

const base = process.argv[2];
const root = join(import.meta.dirname, '../../examples/usechat');
const NUMBERS = Array.from({ length: 40 }, (_, number) => `${number} `).join('');

const vite = createRequire(join(root, 'package.json')).resolve('vite');
const { build, preview } = await import(pathToFileURL(vite));
const outDir = mkdtempSync(join(tmpdir(), 'llmos-usechat-'));
process.on('exit', () => rmSync(outDir, { recursive: true }));
process.env.LLMOS_URL = base;
const config = { root, logLevel: 'error', build: { outDir, emptyOutDir: true } };
await build(config);
const server = await preview({ ...config, preview: { host: '127.0.0.1', port: 0 } });
const page = `http://127.0.0.1:${server.httpServer.address().port}/`;

const ask = async (tab, text) => {
  await tab.getByLabel('Message').fill(text);
  await tab.getByRole('button', { name: 'Send' }).click();
};
const messages = (tab) => tab.locator('li').evaluateAll((items) => items.map((it) => [it.className, it.textContent]));
const answerOf = async (tab) => (await messages(tab)).at(-1)?.[1] ?? '';
const answering = (tab) => until('the answer begins', async () => {
  const all = await messages(tab);
  return all.at(-1)?.[0] === 'assistant' && all.at(-1)[1].length > 6;
});
const ready = (tab) => tab.getByRole('button', { name: 'Send' }).waitFor();
const stored = async (tab) => {
  const id = new URL(tab.url()).hash.slice(1);
  return (await get(`${base}/api/sessions/${id}/messages`)).messages.map((it) => [it.role, it.content, it.status]);
};

const flows = {
  'a question is answered': async (tab) => {
    await tab.goto(page);
    await ask(tab, 'short');
    await until('the answer', async () => (await answerOf(tab)) === 'Short é 😀.');
    assert.deepEqual(await messages(tab), [['user', 'short'], ['assistant', 'Short é 😀.']]);
  },

  'a reload in the middle goes on': async (tab) => {
    await ask(tab, 'count in the page');
    for (let reloads = 0; reloads < 3; reloads += 1) {
      await answering(tab);
      await tab.reload();
    }
    await until('the whole answer', async () => (await answerOf(tab)) === NUMBERS);
    await ready(tab);
    assert.deepEqual((await messages(tab)).slice(2), [['user', 'count in the page'], ['assistant', NUMBERS]]);
    await tab.reload();
    await tab.locator('li').nth(3).waitFor();
    assert.deepEqual((await messages(tab)).slice(2), [['user', 'count in the page'], ['assistant', NUMBERS]]);
  },

  'two tabs show one answer': async (tab, context) => {
    await ask(tab, 'count in two tabs');
    await answering(tab);
    const other = await context.newPage();
    await other.goto(tab.url());
    for (const each of [other, tab]) {
      await until('the whole answer', async () => (await answerOf(each)) === NUMBERS);
      await ready(each);
      assert.equal((await messages(each)).length, 6);
    }
    assert.equal((await stored(tab)).length, 6);
    await other.close();
  },

  'the stop button ends the turn in all tabs': async (tab, context) => {
    await ask(tab, 'count until the button');
    await answering(tab);
    const other = await context.newPage();
    await other.goto(tab.url());
    await answering(other);
    await other.getByRole('button', { name: 'Stop' }).click();
    await Promise.all([tab, other].map(ready));
    const all = await stored(tab);
    assert.deepEqual([all.length, all[7][0], all[7][2]], [8, 'assistant', 'stopped']);
    assert.ok(NUMBERS.startsWith(all[7][1]) && all[7][1].length < NUMBERS.length, all[7][1]);
    assert.equal(await answerOf(tab), all[7][1]);
    await other.close();
    await ask(tab, 'after the stop');
    await until('the next answer', async () => (await answerOf(tab)) === 'Short é 😀.');
  },
};

await withBrowser(async (browser) => {
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  const errors = [];
  context.on('page', (tab) => {
    // A session that does not exist yet has no messages.
    tab.on('console', (message) => message.type() === 'error' && !message.text().includes('404') && errors.push(message.text()));
    tab.on('pageerror', (error) => errors.push(error.stack));
  });
  const tab = await context.newPage();
  for (const [name, flow] of Object.entries(flows)) {
    try {
      await flow(tab, context);
      assert.deepEqual(errors, []);
      console.log(`✓ ${name}`);
    } catch (error) {
      error.message = `${name}: ${error.message}\n${JSON.stringify(await messages(tab).catch(() => null))}\n${errors.join('\n')}`;
      throw error;
    }
  }
});
await server.close();
