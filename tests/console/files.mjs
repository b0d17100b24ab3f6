// Files: uploads with progress, multipart uploads to the store, folders, downloads and deletions.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { accessible, api, base, drop, fits, open, run, statusOf, until } from './tab.mjs';

const row = (tab, name) => tab.locator('.row.file', { hasText: name });
const choose = (tab, files) => tab.locator('input[type=file]').setInputFiles(files);
const file = (name, size, mimeType = 'application/octet-stream') => ({ name, mimeType, buffer: Buffer.alloc(size, name) });
const stored = async (path) => Buffer.from(await (await fetch(`${base}/api/files/${path}`)).arrayBuffer());

await run({
  'an empty volume shows the curl command of the first step': async (tab) => {
    await open(tab, '#/files');
    await tab.getByText('No files yet').waitFor();
    assert.ok((await tab.locator('.command pre').textContent()).includes(`curl -T plan.txt '${base}/api/files/notes/plan.txt'`));
    await accessible(tab, 'no files');
    await fits(tab, 'no files');
  },

  'key n opens the file chooser, and small files go through the function': async (tab) => {
    const chooser = tab.waitForEvent('filechooser');
    await tab.keyboard.press('n');
    await (await chooser).setFiles([file('plan é.txt', 1000, 'text/plain'), file('empty.bin', 0)]);
    await row(tab, 'plan é.txt').getByText('1,000 bytes').waitFor();
    await row(tab, 'empty.bin').waitFor();
    const answer = await fetch(`${base}/api/files/plan%20%C3%A9.txt`);
    assert.equal(answer.headers.get('content-type'), 'text/plain');
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), file('plan é.txt', 1000).buffer);
  },

  'a large file is uploaded in parts to the store, with progress': async (tab, context) => {
    const parts = [];
    tab.on('request', (request) => request.url().includes('/_blob/mpu') && parts.push(request.headers()['x-mpu-action']));
    const network = await context.newCDPSession(tab);
    const limit = (uploadThroughput) => network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
    await limit(6 * 1024 * 1024);
    // The upload completes only after the checks, also on a slow machine.
    let release;
    const checked = new Promise((resolve) => { release = resolve; });
    await tab.route('**/_blob/mpu*', async (route) => {
      if (route.request().headers()['x-mpu-action'] === 'complete') await checked;
      await route.continue();
    });
    const large = file('large.bin', 9 * 1024 * 1024);
    await choose(tab, [large]);
    const progress = tab.getByLabel('Upload of large.bin');
    await until('a part is sent', async () => await progress.evaluate((it) => it.value) >= 1024 * 1024);
    await accessible(tab, 'an upload');
    await tab.locator('#nav a', { hasText: 'Status' }).click();
    await tab.locator('#nav a', { hasText: 'Files' }).click();
    await progress.waitFor();
    await limit(-1);
    release();
    await row(tab, 'large.bin').getByText('9 MB').waitFor();
    assert.ok((await stored('large.bin')).equals(large.buffer), 'the stored bytes differ');
    assert.deepEqual(parts.sort(), ['complete', 'create', 'upload', 'upload']);
    await tab.unroute('**/_blob/mpu*');
  },

  'a cancelled upload stores nothing, and a failed one can be retried': async (tab) => {
    await tab.route('**/_blob/mpu*', () => {});
    await choose(tab, [file('stopped.bin', 4.1 * 1024 * 1024)]);
    await tab.locator('.uploads').getByRole('button', { name: 'Cancel' }).click();
    await tab.locator('.uploads li').waitFor({ state: 'detached' });
    await tab.unroute('**/_blob/mpu*');
    assert.equal(await statusOf('/api/files/stopped.bin'), 404);

    await tab.route('**/api/files/refused.txt*', (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{"detail":"You may not.","code":"forbidden"}' }));
    await choose(tab, [file('refused.txt', 10)]);
    await tab.getByText('Upload failed: You may not.').waitFor();
    await tab.unroute('**/api/files/refused.txt*');
    await tab.locator('.uploads').getByRole('button', { name: 'Try again' }).click();
    await row(tab, 'refused.txt').waitFor();
  },

  'files are listed by folder, and each folder has a URL': async (tab) => {
    for (const path of ['notes/a.txt', 'notes/deep/b.txt']) {
      assert.equal((await fetch(`${base}/api/files/${path}`, { method: 'PUT', body: path })).status, 200);
    }
    await open(tab, '#/files');
    await row(tab, 'notes').click();
    await row(tab, 'deep').click();
    await row(tab, 'b.txt').waitFor();
    assert.equal(new URL(tab.url()).hash, '#/files/notes/deep');
    await accessible(tab, 'a folder');
    await fits(tab, 'a folder');
    await tab.keyboard.press('Escape');
    await row(tab, 'a.txt').waitFor();
    await choose(tab, [file('c.txt', 5)]);
    await row(tab, 'c.txt').waitFor();
    assert.equal((await stored('notes/c.txt')).length, 5);
  },

  'Enter on a row downloads the file unchanged': async (tab) => {
    const saved = tab.waitForEvent('download');
    await row(tab, 'a.txt').locator('.title').focus();
    await tab.keyboard.press('Enter');
    const download = await saved;
    assert.equal(download.suggestedFilename(), 'a.txt');
    assert.equal(readFileSync(await download.path(), 'utf8'), 'notes/a.txt');
  },

  'a deletion can be undone, and is sent when its toast is dismissed': async (tab) => {
    const remove = async () => {
      await row(tab, 'a.txt').getByRole('button', { name: 'Delete a.txt' }).click();
      await row(tab, 'a.txt').waitFor({ state: 'hidden' });
    };
    await remove();
    await tab.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await row(tab, 'a.txt').waitFor();
    await remove();
    await tab.locator('.toast').last().getByRole('button', { name: 'Dismiss' }).click();
    await until('the file is deleted', async () => await statusOf('/api/files/notes/a.txt') === 404);
  },

  'a dropped file is uploaded once after several changes of the volume': async (tab) => {
    await open(tab, '#/files');
    await row(tab, 'notes').waitFor();
    for (const volume of ['System', 'My volume', 'System', 'All volumes']) {
      await until('the volume option exists', () => tab.getByLabel('Volume').evaluate((it, label) => [...it.options].some((option) => option.label === label), volume));
      await tab.getByLabel('Volume').selectOption(volume);
    }
    await row(tab, 'notes').waitFor();
    const sent = [];
    tab.on('request', (request) => request.method() === 'PUT' && sent.push(request.url()));
    await drop(tab, 'dropped.md', 'dropped');
    await row(tab, 'dropped.md').waitFor();
    assert.deepEqual(sent.map((url) => url.split('?')[0]), [`${base}/api/files/dropped.md`]);
  },

  'a file uploaded again after its deletion is not deleted': async (tab) => {
    await row(tab, 'dropped.md').getByRole('button', { name: 'Delete dropped.md' }).click();
    await row(tab, 'dropped.md').waitFor({ state: 'hidden' });
    await drop(tab, 'dropped.md', 'another');
    await until('the file is stored', async () => (await stored('dropped.md')).toString() === 'another');
    await tab.locator('.toast', { hasText: 'dropped.md' }).getByRole('button', { name: 'Dismiss' }).click();
    await tab.locator('.toast', { hasText: 'was not deleted' }).waitFor();
    await row(tab, 'dropped.md').waitFor();
    assert.equal((await stored('dropped.md')).toString(), 'another');
  },

  'the status page shows response times and unsent texts': async (tab) => {
    await tab.evaluate(() => { location.hash = '#/sessions'; });
    const { id } = await api('POST', '/api/sessions', { name: 'x', volume: 'user' });
    await open(tab, `#/sessions/${id}`);
    await tab.getByLabel('Message', { exact: true }).fill('a draft');
    await tab.keyboard.press('Escape');
    await tab.keyboard.press('4');
    await tab.getByRole('heading', { name: 'Redis: OK' }).waitFor();
    await tab.getByRole('img', { name: /^Blob: median [\d.]+ ms/ }).waitFor();
    await tab.getByText('1 unsent text on this device').waitFor();
    await accessible(tab, 'the status page');
    await fits(tab, 'the status page');
    await tab.getByRole('button', { name: 'Discard' }).click();
    await tab.getByText('on this device: drafts').waitFor({ state: 'detached' });
  },
}, { expected: /status of (403|404|412)|ERR_FAILED/ });
