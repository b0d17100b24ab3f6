// A deployment that requires authentication, and one without storage: `node access.mjs {base} {viewport} {key}`; without
// a key for the latter.
import assert from 'node:assert/strict';
import { accessible, closed, fits, open, openOnce, rest, run, until } from './tab.mjs';

const [key] = rest;
const dialog = (tab) => tab.getByRole('dialog', { name: 'Sign in' });

const signIn = {
  'an unauthenticated user is asked to sign in, and sees why a token is rejected': async (tab) => {
    await open(tab, '');
    await dialog(tab).getByText('Authentication required').waitFor();
    await accessible(tab, 'sign-in');
    await fits(tab, 'sign-in');
    assert.equal(await dialog(tab).getByLabel('Remember on this device').isChecked(), false);
    await dialog(tab).getByLabel('Token or API key').fill('wrong');
    await tab.keyboard.press('Enter');
    await dialog(tab).locator('.problem', { hasText: 'not valid' }).waitFor();
  },

  'an API key grants access, and is discarded with the tab': async (tab) => {
    await dialog(tab).getByLabel('Token or API key').fill(key);
    await tab.keyboard.press('Enter');
    await closed(tab);
    await tab.getByText('No sessions yet').waitFor();
    await tab.keyboard.press('n');
    await tab.getByRole('dialog').getByLabel('Name').fill('Mine');
    await tab.keyboard.press('Control+Enter');
    await tab.getByRole('heading', { name: 'Mine' }).waitFor();
    await tab.getByText('user/alice').first().waitFor();
    assert.equal(await tab.evaluate((secret) => JSON.stringify({ ...localStorage, ...sessionStorage }).includes(secret), key), false);
    await tab.reload();
    await dialog(tab).waitFor();
  },

  'a large file is uploaded to the Blob store, into the volume of the user': async (tab) => {
    await dialog(tab).getByLabel('Token or API key').fill(key);
    await dialog(tab).getByLabel('Remember on this device').check();
    await tab.keyboard.press('Enter');
    await closed(tab);
    await tab.locator('#nav a', { hasText: 'Files' }).click();
    await tab.locator('input[type=file]').setInputFiles([{ name: 'large.bin', mimeType: 'application/x-test', buffer: Buffer.alloc(5 * 1024 * 1024, 'large') }]);
    const row = tab.locator('.row.file', { hasText: 'large.bin' });
    await row.getByText('5 MB').waitFor();
    const saved = tab.waitForEvent('download');
    await row.locator('.title').click();
    assert.equal((await saved).suggestedFilename(), 'large.bin');
  },

  'a remembered token is kept until the user signs out': async (tab) => {
    await tab.reload();
    await tab.locator('.row.file', { hasText: 'large.bin' }).waitFor();
    await openOnce(tab, '#/sessions', '.row', ['/api/sessions?limit=50']);
    await tab.locator('#list .row').first().click();
    await tab.getByRole('heading', { name: 'Mine' }).waitFor();
    await tab.locator('#sign-in').click();
    await dialog(tab).waitFor();
    await tab.getByText('The session could not be loaded.').waitFor();
    assert.equal(await tab.getByText('Mine').count(), 0);
    assert.equal(await tab.evaluate((secret) => JSON.stringify({ ...localStorage }).includes(secret), key), false);
  },
};

const withoutStorage = {
  'sample sessions are marked as samples': async (tab) => {
    await open(tab, '');
    await tab.locator('#banner', { hasText: 'Sample sessions, not your data' }).waitFor();
    await tab.locator('#list .row').first().click();
    await tab.locator('.message').first().waitFor();
    await accessible(tab, 'a sample session');
  },

  'the status page names the missing variable and the command that fixes it': async (tab) => {
    await tab.locator('#banner a').click();
    await tab.getByRole('heading', { name: 'Redis: not configured' }).waitFor();
    await tab.getByText('REDIS_URL is not set').waitFor();
    assert.ok((await tab.getByRole('group', { name: 'Fix for Redis' }).textContent()).includes('make redis'));
    await accessible(tab, 'the status page without storage');
    await fits(tab, 'the status page without storage');
  },

  'input that cannot be stored is kept, and the error is shown': async (tab) => {
    await tab.locator('#nav a', { hasText: 'Sessions' }).click();
    await until('the list', async () => await tab.locator('#list .row').count() > 0);
    await tab.keyboard.press('n');
    const form = tab.getByRole('dialog', { name: 'New session' });
    await form.getByLabel('Name').fill('Not stored');
    await form.getByRole('button', { name: 'Create' }).click();
    await form.locator('.problem', { hasText: 'REDIS_URL' }).waitFor();
    await tab.keyboard.press('Escape');
    await closed(tab);
    await tab.keyboard.press('n');
    assert.equal(await form.getByLabel('Name').inputValue(), 'Not stored');
  },
};

await run(key ? signIn : withoutStorage, { expected: /status of (401|503)/ });
