// Sessions and messages: create, read, write, update, filter and delete, mostly with the keyboard.
import assert from 'node:assert/strict';
import { accessible, api, base, closed, fits, isPhone, open, openOnce, run, statusOf, until } from './tab.mjs';

const idOf = (tab) => decodeURIComponent(new URL(tab.url()).hash.split('/').pop());
const message = (tab, text) => tab.locator('.message', { hasText: text });
const row = (tab, name) => tab.locator('#list .row', { hasText: name });
const toast = (tab, text) => tab.locator('.toast', { hasText: text });
const back = async (tab) => {
  await tab.keyboard.press('Escape');
  if (await tab.evaluate(() => location.hash.split('/').length > 2)) await tab.keyboard.press('Escape');
  await row(tab, /./).first().waitFor();
};
let notes;

await run({
  'an empty volume shows the curl command of the first step': async (tab) => {
    await open(tab, '');
    await tab.getByText('No sessions yet').waitFor();
    const command = await tab.locator('#list .command pre').textContent();
    assert.ok(command.includes(`curl ${base}/api/sessions`), command);
    await tab.locator('#health', { hasText: 'Redis: OK' }).waitFor();
    await accessible(tab, 'no sessions');
    await fits(tab, 'no sessions');
  },

  'key n opens the form, Ctrl+Enter creates the session, and it opens at its own URL': async (tab) => {
    await tab.keyboard.press('n');
    const dialog = tab.getByRole('dialog', { name: 'New session' });
    await dialog.getByLabel('Name').fill('Notes on qubits');
    await dialog.getByLabel('First message').fill('Hello **world**');
    await accessible(tab, 'the dialog of a new session');
    await tab.keyboard.press('Control+Enter');
    await message(tab, 'Hello').waitFor();
    assert.equal(await message(tab, 'Hello').locator('strong').textContent(), 'world');
    notes = await api('GET', `/api/sessions/${idOf(tab)}`);
    assert.equal(notes.name, 'Notes on qubits');
    assert.equal(await tab.title(), 'Notes on qubits · llmos');
    await accessible(tab, 'a session');
    await fits(tab, 'a session');
  },

  'key r focuses the form, Ctrl+Enter sends with traces, and messages of one role are grouped': async (tab) => {
    await tab.keyboard.press('r');
    await tab.keyboard.type('How many qubits?\n\n- one\n- two');
    await tab.getByText('Traces and artifacts').click();
    await tab.getByLabel('Traces').fill('{"step": 1');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.composer .problem', { hasText: 'invalid JSON' }).waitFor();
    await tab.getByLabel('Traces').fill('[1, 2.0]');
    await tab.getByLabel('Traces').press('Control+Enter');
    const sent = message(tab, 'How many qubits?');
    await sent.waitFor();
    assert.equal(await sent.locator('li').count(), 2);
    assert.equal(await sent.evaluate((it) => it.classList.contains('follows')), true);
    await sent.getByText('Traces (2)').click();
    await sent.locator('pre', { hasText: '1' }).waitFor();
    assert.equal(await tab.getByLabel('Message', { exact: true }).inputValue(), '');
    const stored = await api('GET', `/api/sessions/${notes.id}/messages`);
    assert.deepEqual(stored.messages.map((it) => [it.seq, it.role, it.traces]), [[1, 'user', null], [2, 'user', [1, 2]]]);
    await sent.locator('.by time').dispatchEvent('pointerenter');
    const time = await sent.locator('.by time').getAttribute('title');
    assert.match(time, /CET|GMT\+1/);
  },

  'the first view requests its data once, before its modules are loaded': async (tab) => {
    const id = encodeURIComponent(notes.id);
    await openOnce(tab, `#/sessions/${id}`, '.composer textarea', [`/api/sessions/${id}?messages=50`, ...(isPhone ? [] : ['/api/sessions?limit=50'])]);
  },

  'a draft survives a reload': async (tab) => {
    await tab.getByLabel('Message', { exact: true }).fill('Half a thought');
    await tab.reload();
    await message(tab, 'How many qubits?').waitFor();
    assert.equal(await tab.getByLabel('Message', { exact: true }).inputValue(), 'Half a thought');
    await tab.getByLabel('Message', { exact: true }).fill('');
  },

  'messages of others appear as soon as the tab is visible again': async (tab) => {
    await api('POST', `/api/sessions/${notes.id}/messages`, { messages: [{ role: 'assistant', content: 'From elsewhere' }, { role: 'tool', content: '{"ok":true}' }] });
    await tab.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await message(tab, 'From elsewhere').waitFor();
    await tab.locator('.message.tool').waitFor();
  },

  'a session is renamed, paused, completed and resumed despite new messages': async (tab) => {
    await api('POST', `/api/sessions/${notes.id}/messages`, { role: 'assistant', content: 'In between' });
    // The focused field would receive the shortcut.
    await tab.keyboard.press('Escape');
    await tab.keyboard.press('Shift+R');
    await tab.getByRole('dialog').getByLabel('Name').fill('Circuits');
    await tab.keyboard.press('Enter');
    await tab.getByRole('heading', { name: 'Circuits' }).waitFor();
    for (const [button, status] of [['Pause', 'paused'], ['Complete', 'completed'], ['Resume', 'active']]) {
      await tab.locator('.actions').getByRole('button', { name: button }).click();
      await tab.locator(`.detail-head .status.${status}`).waitFor();
      const session = await api('GET', `/api/sessions/${notes.id}`);
      assert.equal(session.status, status);
    }
    assert.equal((await api('GET', `/api/sessions/${notes.id}`)).name, 'Circuits');
  },

  'a stale edit in a second tab shows the conflict, and either version can be kept': async (tab, context) => {
    const other = await context.newPage();
    await open(other, `#/sessions/${notes.id}`);
    await other.getByRole('heading', { name: 'Circuits' }).waitFor();
    // The first tab must not see the change by polling.
    await tab.route('**/api/sessions/*?messages=0', (route) => (route.request().headers()['if-none-match'] ? route.abort() : route.continue()));
    const rename = async (page, name) => {
      await page.bringToFront();
      await page.locator('.actions').getByRole('button', { name: 'Rename' }).click();
      await page.getByRole('dialog').getByLabel('Name').fill(name);
      await page.keyboard.press('Enter');
    };
    await rename(other, 'Theirs');
    await other.getByRole('heading', { name: 'Theirs' }).waitFor();
    await rename(tab, 'Mine');
    const conflict = tab.getByRole('dialog', { name: 'changed elsewhere' });
    await conflict.getByText('current: Theirs').waitFor();
    await conflict.getByText('yours: Mine').waitFor();
    await accessible(tab, 'a conflict');
    await conflict.getByRole('button', { name: 'Use the newer version' }).click();
    await tab.getByRole('heading', { name: 'Theirs' }).waitFor();
    assert.equal((await api('GET', `/api/sessions/${notes.id}`)).name, 'Theirs');

    await rename(other, 'Theirs again');
    await other.getByRole('heading', { name: 'Theirs again' }).waitFor();
    await rename(tab, 'Mine');
    await conflict.getByRole('button', { name: 'Overwrite with mine' }).click();
    await tab.getByRole('heading', { name: 'Mine' }).waitFor();
    assert.equal((await api('GET', `/api/sessions/${notes.id}`)).name, 'Mine');
    await other.close();
    await tab.unroute('**/api/sessions/*?messages=0');
  },

  'metadata is edited as JSON and validated while the user types': async (tab) => {
    const form = tab.getByRole('dialog', { name: 'Metadata' });
    const save = async (text) => {
      await tab.locator('.actions').getByRole('button', { name: 'Metadata' }).click();
      await form.getByLabel('JSON object').fill(text);
      await form.getByRole('button', { name: 'Save' }).click();
      await form.waitFor({ state: 'detached' });
    };
    await save('{"project":"a","draft":true,"plan":{"by":"me","pages":2}}');
    const metadata = async () => JSON.stringify((await api('GET', `/api/sessions/${notes.id}`)).metadata);
    await until('the metadata is stored', async () => (await metadata()) === '{"project":"a","draft":true,"plan":{"by":"me","pages":2}}');

    await tab.keyboard.press('m');
    const input = form.getByLabel('JSON object');
    assert.deepEqual(JSON.parse(await input.inputValue()), { project: 'a', draft: true, plan: { by: 'me', pages: 2 } });
    await input.fill('["project"]');
    await form.getByRole('status').filter({ hasText: 'Metadata must be a JSON object' }).waitFor();
    await input.fill('{"project": "b",');
    await form.getByRole('status').filter({ hasText: 'JSON' }).waitFor();
    await accessible(tab, 'metadata');
    await tab.keyboard.press('Control+Enter');
    await form.getByRole('alert').filter({ hasText: 'JSON' }).waitFor();
    assert.equal(await input.inputValue(), '{"project": "b",');
    await input.fill('{"project":"b","plan":{"by":"me"}}');
    await tab.keyboard.press('Control+Enter');
    await form.waitFor({ state: 'detached' });
    await until('removed members are deleted', async () => (await metadata()) === '{"project":"b","plan":{"by":"me"}}');
  },

  'the list is filtered by status and text, and navigated with j, k, Enter and Esc': async (tab) => {
    for (const [name, status] of [['Alpha', 'paused'], ['Beta', 'active'], ['Gamma', 'paused']]) {
      const { id } = await api('POST', '/api/sessions', { name, volume: 'user' });
      await api('PATCH', `/api/sessions/${id}`, { status });
    }
    await open(tab, '#/sessions');
    await row(tab, 'Gamma').waitFor();
    assert.deepEqual(await tab.locator('#list .row .title').allTextContents(), ['Gamma', 'Beta', 'Alpha', 'Mine']);
    await tab.getByRole('button', { name: 'Paused' }).click();
    await until('only paused sessions', async () => (await tab.locator('#list .row .title').allTextContents()).join() === 'Gamma,Alpha');
    await tab.getByRole('button', { name: 'All', exact: true }).click();
    await row(tab, 'Beta').waitFor();
    await tab.keyboard.press('/');
    await tab.keyboard.type('alp');
    await until('only matching sessions', async () => await tab.locator('#list .row:visible').count() === 1);
    await tab.locator('#list .summary', { hasText: '1 session of 4 loaded' }).waitFor();
    await tab.keyboard.press('Escape');
    await tab.locator('#list input').fill('');
    await tab.evaluate(() => document.activeElement.blur());
    const focused = () => tab.evaluate(() => document.activeElement.querySelector('.title')?.textContent);
    await tab.keyboard.press('j');
    assert.equal(await focused(), 'Gamma');
    await tab.keyboard.press('j');
    await tab.keyboard.press('ArrowDown');
    await tab.keyboard.press('k');
    assert.equal(await focused(), 'Beta');
    await tab.keyboard.press('Enter');
    await tab.getByRole('heading', { name: 'Beta' }).waitFor();
    await until('the heading has the focus', () => tab.evaluate(() => document.activeElement.id === 'detail-title'));
    await tab.getByText('No messages yet').waitFor();
    await back(tab);
    await until('the row has the focus again', async () => await focused() === 'Beta');
    await tab.keyboard.press('?');
    await tab.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await accessible(tab, 'the keyboard shortcuts');
    await tab.keyboard.press('Escape');
    await accessible(tab, 'a list');
  },

  'a deletion can be undone with z, and is sent when its toast is dismissed': async (tab) => {
    const remove = async () => {
      await row(tab, 'Beta').click();
      await tab.getByRole('heading', { name: 'Beta' }).waitFor();
      await tab.locator('.actions').getByRole('button', { name: 'Delete' }).click();
      await toast(tab, '“Beta” deleted').waitFor();
      await row(tab, 'Beta').waitFor({ state: 'hidden' });
    };
    const { sessions } = await api('GET', '/api/sessions');
    const { id } = sessions.find((it) => it.name === 'Beta');
    await row(tab, 'Beta').waitFor();
    await remove();
    await accessible(tab, 'a deletion');
    await tab.keyboard.press('z');
    await row(tab, 'Beta').waitFor();
    assert.equal(await statusOf(`/api/sessions/${id}`), 200);
    await remove();
    await toast(tab, 'Beta').getByRole('button', { name: 'Dismiss' }).click();
    await until('the session is deleted', async () => await statusOf(`/api/sessions/${id}`) === 404);
    assert.equal(await row(tab, 'Beta').count(), 0);
  },

  'leaving the page confirms a pending deletion': async (tab) => {
    await row(tab, 'Gamma').click();
    await tab.getByRole('heading', { name: 'Gamma' }).waitFor();
    const id = idOf(tab);
    await tab.locator('.actions').getByRole('button', { name: 'Delete' }).click();
    await toast(tab, '“Gamma” deleted').waitFor();
    await tab.goto('about:blank');
    await until('the session is deleted', async () => await statusOf(`/api/sessions/${id}`) === 404);
  },

  'the volume switch selects a team for the list and for new sessions': async (tab) => {
    await api('POST', '/api/sessions', { name: 'Session of the red team', volume: 'team', volume_id: 'red' });
    await open(tab, '#/sessions');
    await row(tab, 'Session of the red team').getByText('team/red').waitFor();
    await tab.getByLabel('Volume').selectOption('Team …');
    await tab.getByRole('dialog').getByLabel('Id').fill('red');
    await tab.keyboard.press('Enter');
    await until('only sessions of the team', async () => (await tab.locator('#list .row .title').allTextContents()).join() === 'Session of the red team');
    await tab.keyboard.press('n');
    const dialog = tab.getByRole('dialog', { name: 'New session' });
    await dialog.getByLabel('Name').fill('x'.repeat(3));
    await dialog.getByLabel('Name').press('Enter');
    await tab.getByRole('heading', { name: 'xxx' }).waitFor();
    const created = await api('GET', `/api/sessions/${idOf(tab)}`);
    assert.equal(`${created.volume}/${created.volume_id}`, 'team/red');
    await tab.reload();
    await until('the team is still selected', async () => await tab.getByLabel('Volume').inputValue() === 'team/red');
    await tab.getByLabel('Volume').selectOption('All volumes');
    // A focused select would receive the shortcuts.
    await tab.keyboard.press('Escape');
  },

  'a validation error of the server is shown in the form, and the input is kept': async (tab) => {
    if (isPhone) await back(tab);
    await tab.keyboard.press('n');
    const dialog = tab.getByRole('dialog', { name: 'New session' });
    await dialog.getByLabel('Name').fill('   ');
    await dialog.getByLabel('First message').fill('kept');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('must be 1 to 200 characters').waitFor();
    await tab.keyboard.press('Escape');
    await closed(tab);
    await tab.keyboard.press('n');
    assert.equal(await dialog.getByLabel('First message').inputValue(), 'kept');
    await tab.keyboard.press('Escape');
  },

  'a form that is closed while sending is sent once': async (tab) => {
    await open(tab, '#/sessions');
    await row(tab, /./).first().waitFor();
    await tab.keyboard.press('n');
    await tab.route('**/api/sessions', async (route) => {
      await tab.waitForTimeout(300);
      await route.continue();
    });
    await tab.getByRole('dialog').getByLabel('Name').fill('Sent once');
    await tab.keyboard.press('Control+Enter');
    await tab.keyboard.press('Control+Enter');
    await tab.keyboard.press('Escape');
    await tab.getByRole('heading', { name: 'Sent once' }).waitFor();
    await tab.unroute('**/api/sessions');
    const { sessions } = await api('GET', '/api/sessions');
    assert.equal(sessions.filter((it) => it.name === 'Sent once').length, 1);
  },

  'a message form that failed to load can be retried, and hides no message': async (tab) => {
    const { id } = await api('POST', '/api/sessions', { name: 'Long', volume: 'user' });
    await api('POST', `/api/sessions/${id}/messages`, { messages: Array.from({ length: 40 }, (_, index) => ({ role: index % 2 ? 'assistant' : 'user', content: `Message ${index}` })) });
    await tab.route('**/console/composer.js', (route) => route.abort());
    await open(tab, `#/sessions/${encodeURIComponent(id)}`);
    await tab.getByText('The message form could not be loaded.').waitFor();
    await tab.unroute('**/console/composer.js');
    await tab.locator('.composer').getByRole('button', { name: 'Try again' }).click();
    await tab.getByText('Traces and artifacts').click();
    await tab.getByLabel('Traces').waitFor();
    await until('the end is visible', () => tab.locator('.messages').evaluate((it) => it.scrollHeight - it.scrollTop - it.clientHeight < 2));
  },

  'numbers with more digits than a double keep them in metadata, traces and unsent messages': async (tab) => {
    const send = (method, path, body) => fetch(base + path, { method, body, headers: { 'content-type': 'application/json' } });
    const created = await send('POST', '/api/sessions', '{"name": "Digits", "volume": "user", "metadata": {"order": 12345678901234567890, "plan": {"id": 9007199254740993}}}');
    const path = created.headers.get('location');
    const text = async (suffix = '') => (await fetch(base + path + suffix)).text();
    await open(tab, `#/sessions/${path.split('/').pop()}`);
    await tab.locator('.actions').getByRole('button', { name: 'Metadata' }).click();
    const form = tab.getByRole('dialog', { name: 'Metadata' });
    const input = form.getByLabel('JSON object');
    const shown = await input.inputValue();
    assert.ok(shown.includes('"order": 12345678901234567890') && shown.includes('"id": 9007199254740993'), shown);
    // The two numbers are equal as doubles.
    await input.fill(shown.replace('9007199254740993', '9007199254740992').replace('"order"', '"added": 0.12345678901234567891, "order"'));
    await form.getByRole('button', { name: 'Save' }).click();
    await form.waitFor({ state: 'detached' });
    const expected = '"metadata":{"order":12345678901234567890,"plan":{"id":9007199254740992},"added":0.12345678901234567891}';
    await until('the numbers are stored', async () => (await text()).replaceAll(' ', '').includes(expected));

    // The message waits in the storage of the browser while the network is down.
    await tab.route('**/messages', (route) => route.abort());
    await tab.getByText('Traces and artifacts').click();
    await tab.getByLabel('Message', { exact: true }).fill('Counted');
    await tab.getByLabel('Traces').fill('[9007199254740993]');
    await tab.getByLabel('Artifacts').fill('-12345678901234567890');
    await tab.getByLabel('Artifacts').press('Control+Enter');
    await tab.locator('.pending li').waitFor();
    await tab.unroute('**/messages');
    await tab.reload();
    await message(tab, 'Counted').waitFor();
    const stored = await text('/messages');
    assert.ok(stored.includes('"traces":[9007199254740993],"artifacts":-12345678901234567890'), stored);
    await message(tab, 'Counted').getByText('Traces (1)').click();
    await message(tab, 'Counted').locator('pre', { hasText: '9007199254740993' }).waitFor();
  },

  'the URL of a missing session shows not found': async (tab) => {
    await open(tab, '#/sessions/sess_none');
    await tab.getByText('Session not found').waitFor();
    await accessible(tab, 'a missing session');
    await tab.keyboard.press('Escape');
    await tab.getByText('Session not found').waitFor({ state: 'hidden' });
  },
}, { expected: /status of (404|412|422)|ERR_FAILED/ });
