// Redis goes away while somebody types: it is told, nothing is lost, and all of it is stored once when it is back.
// `node outage.mjs {base} {viewport} {control}`: `POST {control}/stop` and `/start` do so to Redis.
import assert from 'node:assert/strict';
import { accessible, api, base, fits, open, rest, run, until } from './tab.mjs';

const [control] = rest;
const redis = async (what) => assert.equal((await fetch(`${control}/${what}`, { method: 'POST' })).status, 200);
const write = (tab) => tab.getByLabel('Message', { exact: true });
const contents = async (id) => (await api('GET', `/api/sessions/${id}/messages`)).messages.map((it) => it.content);
let id;

await run({
  'Redis stops while typing: it is told, and what was typed is there': async (tab) => {
    ({ id } = await api('POST', '/api/sessions', { name: 'Interrupted', volume: 'user', initial_message: 'Before' }));
    await open(tab, `#/sessions/${id}`);
    await tab.locator('.message', { hasText: 'Before' }).waitFor();
    await write(tab).pressSequentially('First of');
    await redis('stop');
    await write(tab).pressSequentially(' two');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.waits', { hasText: 'First of two' }).getByText('Not stored yet').waitFor();
    await until('it is announced', async () => (await tab.locator('#live').textContent()).startsWith('Not stored yet'));
    await write(tab).fill('Second of two');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.waits', { hasText: 'Second of two' }).waitFor();
    await write(tab).fill('A draft');
    await tab.locator('.note', { hasText: 'may be old' }).waitFor();
    await accessible(tab, 'an outage');
    await fits(tab, 'an outage');
  },

  'a change fails with a way to try again': async (tab) => {
    await tab.locator('.actions').getByRole('button', { name: 'Pause' }).click();
    await tab.locator('#retry', { hasText: 'Trying again' }).waitFor();
    await tab.locator('.toast.bad', { hasText: 'The session is not changed' }).getByRole('button', { name: 'Try again' }).waitFor();
  },

  'the state says what does not work, and what mends it': async (tab) => {
    await tab.locator('#health', { hasText: 'Redis does not work' }).waitFor();
    await tab.locator('#nav a', { hasText: 'Status' }).click();
    await tab.getByText('the connection was refused').waitFor();
    await tab.getByText('Start the server').waitFor();
    await tab.getByRole('group', { name: 'What mends Redis' }).waitFor();
    await accessible(tab, 'the state of an outage');
  },

  'a list is of samples, and says so': async (tab) => {
    await open(tab, '#/sessions');
    await tab.locator('#banner', { hasText: 'These sessions are samples, not yours' }).waitFor();
    await accessible(tab, 'samples');
  },

  'a reload loses nothing, and when Redis is back all is stored once, in order': async (tab) => {
    await open(tab, `#/sessions/${id}`);
    await tab.getByText('The session cannot be read').waitFor();
    await redis('start');
    await tab.locator('.message', { hasText: 'First of two' }).waitFor();
    await tab.locator('.message', { hasText: 'Second of two' }).waitFor();
    await until('nothing waits', async () => await tab.locator('.waits').count() === 0);
    assert.equal(await write(tab).inputValue(), 'A draft');
    assert.deepEqual(await contents(id), ['Before', 'First of two', 'Second of two']);
  },

  'an answer that is lost stores nothing twice': async (tab) => {
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

  'what is refused for good can be taken back and edited': async (tab) => {
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

  'without a network it is told, and sent when there is one': async (tab, context) => {
    await context.setOffline(true);
    await write(tab).fill('From a tunnel');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.waits', { hasText: 'The server cannot be reached' }).waitFor();
    await context.setOffline(false);
    await tab.locator('.message', { hasText: 'From a tunnel' }).waitFor();
    assert.equal((await contents(id)).filter((it) => it === 'From a tunnel').length, 1);
  },
}, { expected: /status of (403|503)|ERR_(FAILED|INTERNET_DISCONNECTED)/ });
assert.ok(base);
