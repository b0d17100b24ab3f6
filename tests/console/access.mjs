// A deployment that asks who one is, and one that has no storage: `node access.mjs {base} {viewport} {key}`, or
// without a key for the latter.
import assert from 'node:assert/strict';
import { accessible, closed, fits, open, openOnce, rest, run, until } from './tab.mjs';

const [key] = rest;
const dialog = (tab) => tab.getByRole('dialog', { name: 'Sign in' });

const signIn = {
  'who is nobody is asked who they are, and told why a token does not hold': async (tab) => {
    await open(tab, '');
    await dialog(tab).getByText('Say who you are').waitFor();
    await accessible(tab, 'sign-in');
    await fits(tab, 'sign-in');
    assert.equal(await dialog(tab).getByLabel('Remember on this device').isChecked(), false);
    await dialog(tab).getByLabel('Token or key').fill('wrong');
    await tab.keyboard.press('Enter');
    await dialog(tab).locator('.problem', { hasText: 'not accepted' }).waitFor();
  },

  'a key opens what it is for, and is forgotten with the tab': async (tab) => {
    await dialog(tab).getByLabel('Token or key').fill(key);
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

  'a large file goes straight to the store, into the volume of who signed in': async (tab) => {
    await dialog(tab).getByLabel('Token or key').fill(key);
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

  'a device that is to remember remembers until one signs out': async (tab) => {
    await tab.reload();
    await tab.locator('.row.file', { hasText: 'large.bin' }).waitFor();
    await openOnce(tab, '#/sessions', '.row', ['/api/sessions?limit=50']);
    await tab.locator('#list .row').first().click();
    await tab.getByRole('heading', { name: 'Mine' }).waitFor();
    await tab.locator('#sign-in').click();
    await dialog(tab).waitFor();
    await tab.getByText('The session cannot be read.').waitFor();
    assert.equal(await tab.getByText('Mine').count(), 0);
    assert.equal(await tab.evaluate((secret) => JSON.stringify({ ...localStorage }).includes(secret), key), false);
  },
};

const withoutStorage = {
  'samples say what they are': async (tab) => {
    await open(tab, '');
    await tab.locator('#banner', { hasText: 'These sessions are samples, not yours' }).waitFor();
    await tab.locator('#list .row').first().click();
    await tab.locator('.message').first().waitFor();
    await accessible(tab, 'a sample');
  },

  'the state names what is not set, with the command that mends it': async (tab) => {
    await tab.locator('#banner a').click();
    await tab.getByRole('heading', { name: 'Redis is not set up' }).waitFor();
    await tab.getByText('REDIS_URL is not set').waitFor();
    assert.ok((await tab.getByRole('group', { name: 'What mends Redis' }).textContent()).includes('make redis'));
    await accessible(tab, 'the state without storage');
    await fits(tab, 'the state without storage');
  },

  'what cannot be stored is said to be not stored, and kept': async (tab) => {
    await tab.locator('#nav a', { hasText: 'Sessions' }).click();
    await until('the list', async () => await tab.locator('#list .row').count() > 0);
    await tab.keyboard.press('n');
    const asked = tab.getByRole('dialog', { name: 'New session' });
    await asked.getByLabel('Name').fill('In vain');
    await asked.getByRole('button', { name: 'Create' }).click();
    await asked.locator('.problem', { hasText: 'REDIS_URL' }).waitFor();
    await tab.keyboard.press('Escape');
    await closed(tab);
    await tab.keyboard.press('n');
    assert.equal(await asked.getByLabel('Name').inputValue(), 'In vain');
  },
};

await run(key ? signIn : withoutStorage, { expected: /status of (401|503)/ });
