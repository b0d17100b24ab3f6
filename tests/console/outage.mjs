// An outage of Redis while the user types: the console shows it, loses nothing, and stores each message once afterwards.
// `node outage.mjs {base} {viewport} {control}`: `POST {control}/stop` and `/start` stop and start Redis.
import assert from 'node:assert/strict';
import { accessible, api, base, fits, open, rest, run, until } from './tab.mjs';

const [control] = rest;
const redis = async (action) => assert.equal((await fetch(`${control}/${action}`, { method: 'POST' })).status, 200);
const write = (tab) => tab.getByLabel('Message', { exact: true });
const contents = async (id) => (await api('GET', `/api/sessions/${id}/messages`)).messages.map((it) => it.content);
let id;

await run({
  'an outage while typing is shown, and the input is kept': async (tab) => {
    ({ id } = await api('POST', '/api/sessions', { name: 'Interrupted', volume: 'user', initial_message: 'Before' }));
    await open(tab, `#/sessions/${id}`);
    await tab.locator('.message', { hasText: 'Before' }).waitFor();
    await write(tab).pressSequentially('First of');
    await redis('stop');
    await write(tab).pressSequentially(' two');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.waits', { hasText: 'First of two' }).getByText('Not sent yet').waitFor();
    await until('the outage is announced', async () => (await tab.locator('#live').textContent()).startsWith('Not sent yet'));
    await write(tab).fill('Second of two');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.waits', { hasText: 'Second of two' }).waitFor();
    await write(tab).fill('A draft');
    await tab.locator('.note', { hasText: 'may be outdated' }).waitFor();
    await accessible(tab, 'an outage');
    await fits(tab, 'an outage');
  },

  'a failed change can be retried': async (tab) => {
    await tab.locator('.actions').getByRole('button', { name: 'Pause' }).click();
    await tab.locator('#retry', { hasText: 'Retrying in' }).waitFor();
    await tab.locator('.toast.bad', { hasText: 'The session was not updated' }).getByRole('button', { name: 'Try again' }).waitFor();
  },

  'the status page shows the failing part and the fix': async (tab) => {
    await tab.locator('#health', { hasText: 'Redis: failing' }).waitFor();
    await tab.locator('#nav a', { hasText: 'Status' }).click();
    await tab.getByText('the connection was refused').waitFor();
    await tab.getByText('Start the server').waitFor();
    await tab.getByRole('group', { name: 'Fix for Redis' }).waitFor();
    await accessible(tab, 'the status page during an outage');
  },

  'the list shows samples, marked as such': async (tab) => {
    await open(tab, '#/sessions');
    await tab.locator('#banner', { hasText: 'Sample sessions, not your data' }).waitFor();
    await accessible(tab, 'samples');
  },

  'a reload loses nothing, and messages are stored once and in order after the outage': async (tab) => {
    await open(tab, `#/sessions/${id}`);
    await tab.getByText('The session could not be loaded').waitFor();
    await redis('start');
    await tab.locator('.message', { hasText: 'First of two' }).waitFor();
    await tab.locator('.message', { hasText: 'Second of two' }).waitFor();
    await until('the queue is empty', async () => await tab.locator('.waits').count() === 0);
    assert.equal(await write(tab).inputValue(), 'A draft');
    assert.deepEqual(await contents(id), ['Before', 'First of two', 'Second of two']);
  },

  'a lost response does not store a message twice': async (tab) => {
    let lost = 0;
    await tab.route('**/messages', async (route) => {
      if (route.request().method() !== 'POST' || lost > 0) return route.continue();
      lost += 1;
      await route.fetch();
      return route.abort();
    });
    await write(tab).fill('Only once');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.message', { hasText: 'Only once' }).waitFor();
    await tab.unroute('**/messages');
    assert.equal(lost, 1);
    assert.equal((await contents(id)).filter((it) => it === 'Only once').length, 1);
  },

  'a rejected message can be edited': async (tab) => {
    await tab.route('**/messages', (route) => (route.request().method() === 'POST'
      ? route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{"detail":"You may only read.","code":"forbidden"}' }) : route.continue()));
    await write(tab).fill('Refused');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.waits', { hasText: 'You may only read.' }).getByRole('button', { name: 'Edit' }).click();
    assert.equal(await write(tab).inputValue(), 'Refused');
    assert.equal(await tab.locator('.waits').count(), 0);
    await tab.unroute('**/messages');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.message', { hasText: 'Refused' }).waitFor();
  },

  'a message written offline is sent once the network is back': async (tab, context) => {
    await context.setOffline(true);
    await write(tab).fill('From a tunnel');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.waits', { hasText: 'The server is unreachable' }).waitFor();
    await context.setOffline(false);
    await tab.locator('.message', { hasText: 'From a tunnel' }).waitFor();
    assert.equal((await contents(id)).filter((it) => it === 'From a tunnel').length, 1);
  },
}, { expected: /status of (403|503)|ERR_(FAILED|INTERNET_DISCONNECTED)/ });
assert.ok(base);
