// Skills: list with volumes, search, read, edit with warnings, create, drop and delete.
import assert from 'node:assert/strict';
import { accessible, api, base, drop, fits, isPhone, open, run, statusOf, until } from './tab.mjs';

const row = (tab, name) => tab.locator('#list .row', { hasText: name });
const source = (id, volume = 'user') => fetch(`${base}/api/skills/${id}?volume=${volume}&format=markdown`).then((it) => it.text());
const SYSTEM = '---\nname: Error budgets\ncategory: operations\ndescription: How much may fail\nkeywords: [slo]\n---\nA budget that is **used up** stops releases.\n';

await run({
  'an empty volume shows the curl command of the first step': async (tab) => {
    await open(tab, '#/skills');
    await tab.getByText('No skills yet').waitFor();
    assert.ok((await tab.locator('#list .command pre').textContent()).includes(`curl '${base}/api/skills?volume=user'`));
    await accessible(tab, 'no skills');
    await fits(tab, 'no skills');
  },

  'the form creates a skill, which opens at its own URL': async (tab) => {
    await tab.keyboard.press('n');
    const dialog = tab.getByRole('dialog', { name: 'New skill' });
    await dialog.getByLabel('Name').fill('Hello World');
    await dialog.getByLabel('Description').fill('Greets a person');
    await dialog.getByLabel('Language').fill('python');
    await dialog.getByLabel('Tags').fill('demo, greeting');
    await dialog.getByLabel('Code').fill('print("Hello!")');
    await accessible(tab, 'the dialog of a new skill');
    await dialog.getByLabel('Code').press('Control+Enter');
    await tab.getByRole('heading', { name: 'Hello World', exact: true }).first().waitFor();
    assert.equal(new URL(tab.url()).hash, '#/skills/user/hello-world');
    const skill = await api('GET', '/api/skills/hello-world?volume=user');
    assert.deepEqual([skill.tags, skill.code, skill.language], [['demo', 'greeting'], 'print("Hello!")', 'python']);
    await tab.locator('.skill pre', { hasText: 'print("Hello!")' }).waitFor();
    await accessible(tab, 'a skill');
    await fits(tab, 'a skill');
  },

  'a dropped document is validated and stored unchanged': async (tab) => {
    if (isPhone) await tab.locator('.back').click();
    await drop(tab, 'new.md', '---\nname: Unfinished\ntags: quantum\n---\n## Code\n');
    const dialog = tab.getByRole('dialog', { name: 'New skill' });
    await dialog.getByText('is a string, not a list').waitFor();
    await dialog.getByRole('textbox', { name: 'Document' }).fill('no front matter');
    await dialog.getByText('The document is invalid').waitFor();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.locator('form > .problem:not(:empty)').waitFor();
    await dialog.getByRole('textbox', { name: 'Document' }).fill('---\nname: Dropped\ndescription: x\n---\nText.\n');
    await dialog.getByText('Valid. Id: ').waitFor();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await tab.getByRole('heading', { name: 'Dropped' }).waitFor();
    assert.equal(await source('dropped'), '---\nname: Dropped\ndescription: x\n---\nText.\n');
  },

  'an existing id is rejected, and the input is kept': async (tab) => {
    if (isPhone) await tab.locator('.back').click();
    await drop(tab, 'again.md', '---\nname: Dropped\ndescription: another\n---\n');
    const dialog = tab.getByRole('dialog', { name: 'New skill' });
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('A skill with the id `dropped` already exists').waitFor();
    await tab.keyboard.press('Escape');
    assert.equal(await source('dropped'), '---\nname: Dropped\ndescription: x\n---\nText.\n');
  },

  'the list shows volumes, and is searched and filtered by tags': async (tab) => {
    const sent = await fetch(`${base}/api/skills?volume=system`, { method: 'POST', body: SYSTEM, headers: { 'content-type': 'text/markdown' } });
    assert.equal(sent.status, 201);
    await open(tab, '#/skills');
    await row(tab, 'Error budgets').locator('.origin', { hasText: 'system' }).waitFor();
    await row(tab, 'Hello World').locator('.origin', { hasText: 'user/default' }).waitFor();
    await accessible(tab, 'skills');
    await tab.keyboard.press('/');
    await tab.keyboard.type('slo');
    await until('only matching skills', async () => (await tab.locator('#list .row .title').allTextContents()).join() === 'Error budgets');
    await tab.locator('#list input').fill('');
    await row(tab, 'Hello World').waitFor();
    await tab.locator('.tags').getByRole('button', { name: 'greeting' }).click();
    await until('only skills with the tag', async () => (await tab.locator('#list .row .title').allTextContents()).join() === 'Hello World');
    await tab.locator('.tags').getByRole('button', { name: 'greeting' }).click();
    await row(tab, 'Error budgets').waitFor();
  },

  'a skill is shown rendered and as source, and is downloaded': async (tab) => {
    await row(tab, 'Error budgets').click();
    await tab.locator('.skill strong', { hasText: 'used up' }).waitFor();
    await tab.getByRole('button', { name: 'Source' }).click();
    assert.equal(await tab.locator('.source').textContent(), SYSTEM);
    await accessible(tab, 'the source of a skill');
    const download = tab.waitForEvent('download');
    await tab.getByRole('button', { name: 'Download' }).click();
    assert.equal((await download).suggestedFilename(), 'error-budgets.md');
  },

  'key e opens the editor, warnings appear at once, a draft survives a reload, Ctrl+Enter saves': async (tab) => {
    await open(tab, '#/skills/user/hello-world');
    await tab.locator('#detail-title').waitFor();
    await tab.keyboard.press('e');
    const document = tab.getByLabel('Document');
    const text = await document.inputValue();
    await document.fill(text.replace('description: Greets a person\n', ''));
    await tab.getByText('`description` is missing').waitFor();
    await accessible(tab, 'the editor');
    await document.fill(text.replaceAll('a person', 'everyone'));
    await tab.reload();
    assert.ok((await document.inputValue()).includes('Greets everyone'));
    await document.press('Control+Enter');
    await tab.locator('.lead', { hasText: 'Greets everyone' }).waitFor();
    assert.equal(await source('hello-world'), text.replaceAll('a person', 'everyone'));
  },

  'a document is saved once, and is read-only while saving': async (tab) => {
    await tab.getByRole('button', { name: 'Edit' }).click();
    const document = tab.getByLabel('Document', { exact: true });
    const stored = [];
    await tab.route('**/api/skills/hello-world*', async (route) => {
      if (route.request().method() === 'PUT') {
        stored.push(route.request().postData());
        await tab.waitForTimeout(500);
      }
      await route.continue();
    });
    await document.fill(`${await document.inputValue()}\nmore`);
    await document.press('Control+Enter');
    await document.press('Control+Enter');
    await document.pressSequentially(' lost words');
    await tab.locator('.skill', { hasText: 'more' }).waitFor();
    await tab.unroute('**/api/skills/hello-world*');
    assert.equal(stored.length, 1);
    assert.ok(!(await source('hello-world')).includes('lost words'));
    assert.equal(await tab.getByRole('dialog').count(), 0);
  },

  'a conflict is shown, and nothing is overwritten without confirmation': async (tab) => {
    const document = tab.getByLabel('Document', { exact: true });
    await tab.getByRole('button', { name: 'Edit' }).click();
    await document.fill((await document.inputValue()).replace('Greets everyone', 'Greets mine'));
    const change = (description) => api('PUT', '/api/skills/hello-world?volume=user', { description });
    await change('Greets theirs');
    await document.press('Control+Enter');
    const conflict = tab.getByRole('dialog', { name: 'changed elsewhere' });
    await conflict.getByText('Greets theirs').first().waitFor();
    await accessible(tab, 'a conflict');
    await conflict.getByRole('button', { name: 'Keep editing' }).click();
    assert.ok((await document.inputValue()).includes('Greets mine'));
    assert.ok((await source('hello-world')).includes('Greets theirs'));
    await document.press('Control+Enter');
    await conflict.getByRole('button', { name: 'Overwrite with mine' }).click();
    await tab.locator('.lead', { hasText: 'Greets mine' }).or(tab.locator('.skill', { hasText: 'Greets mine' })).first().waitFor();
    await until('the draft is stored', async () => (await source('hello-world')).includes('Greets mine'));

    await tab.getByRole('button', { name: 'Edit' }).click();
    await document.fill((await document.inputValue()).replaceAll('Greets mine', 'Greets mine again'));
    await change('Greets theirs again');
    await document.press('Control+Enter');
    await conflict.getByRole('button', { name: 'Use the newer version' }).click();
    await tab.locator('.lead', { hasText: 'Greets theirs again' }).waitFor();
    assert.ok((await source('hello-world')).includes('Greets theirs again'));
  },

  'a deletion can be undone, and is sent when its toast is dismissed': async (tab) => {
    const remove = async () => {
      await tab.locator('.actions').getByRole('button', { name: 'Delete' }).click();
      await row(tab, 'Hello World').waitFor({ state: 'hidden' });
    };
    await remove();
    await tab.keyboard.press('z');
    await row(tab, 'Hello World').click();
    await tab.locator('#detail-title').waitFor();
    await remove();
    await tab.locator('.toast').last().getByRole('button', { name: 'Dismiss' }).click();
    await until('the skill is deleted', async () => await statusOf('/api/skills/hello-world?volume=user') === 404);
    await open(tab, '#/skills/user/hello-world');
    await tab.getByText('Skill not found').waitFor();
  },
}, { expected: /status of (404|409|412|422)/ });
