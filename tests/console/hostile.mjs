// Hostile content of other users, and a lot of it: no script runs, and the page stays responsive.
import assert from 'node:assert/strict';
import { accessible, api, base, fits, isPhone, open, run, until } from './tab.mjs';

const SESSIONS = 1000;
// The phone runs use the same machine; they only add the narrow layout.
const MESSAGES = isPhone ? 1000 : 5000;
// The maximum duration of one task on a slow machine that runs other tests, in milliseconds.
const MAX_TASK_MS = 1000;

const EVIL = [
  '<img src=x onerror="window.harmed = 1">',
  '<script>window.harmed = 2</script>',
  '<svg onload="window.harmed = 3"><style>body{display:none}</style></svg>',
  '<iframe src="https://evil.example/frame" srcdoc="<script>parent.harmed = 4</script>"></iframe>',
  '[press me](javascript:window.harmed=5)',
  '[me too](JaVaScRiPt&colon;window.harmed=6 "title")',
  '[data](data:text/html,<script>parent.harmed=7</script>)',
  '![remote](https://evil.example/pixel.png)',
  '![local](/api/sessions "x\\" onerror=\\"window.harmed=8")',
  '<a href="https://evil.example" style="position:fixed;inset:0" onclick="window.harmed=9">over everything</a>',
  '<form action="https://evil.example"><button>send</button></form>',
  '<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<math><mtext></p><style><img title="</style><img src onerror=window.harmed=10>"></math>',
  '```html\n<img src=x onerror="window.harmed = 11">\n```',
  '[x]: javascript:window.harmed=12\n\n[x]',
  '<https://evil.example/auto> and <javascript:window.harmed=13>',
  '<div id="main" class="toast">not ours</div>',
  `${'>'.repeat(3000)} deep`,
  `${'['.repeat(5000)}${'*a '.repeat(5000)}`,
];
const BIDI = 'user \u202e\u2066 admin \u2069\u202dtxt.exe';
const WORD = 'x'.repeat(256 * 1024);

const outside = [];
const watch = (tab) => {
  tab.on('request', (request) => /^https?:/.test(request.url()) && !request.url().startsWith(base) && outside.push(request.url()));
  tab.on('dialog', (dialog) => { outside.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
  tab.on('popup', (popup) => outside.push(`popup ${popup.url()}`));
};
const unharmed = async (tab, where) => {
  await tab.waitForTimeout(200);
  const seen = await tab.evaluate(() => ({
    harmed: window.harmed,
    loads: [...document.querySelectorAll('img, iframe, object, embed, form[action], base, video, audio, link[href^=http], [style], [onclick], [onerror], #main #main')].map((it) => it.outerHTML),
    links: [...document.querySelectorAll('#main a[href]')].map((it) => it.href).filter((href) => !/^(https?|mailto):/.test(href)),
    scripts: document.scripts.length,
  }));
  assert.deepEqual(seen, { harmed: undefined, loads: [], links: [], scripts: 3 }, where);
  assert.deepEqual(outside, [], where);
};

// Returns the duration of the longest task since the page was opened or the last call.
const longestTask = async (tab) => tab.evaluate(() => {
  const longest = Math.max(0, ...window.tasks);
  window.tasks = [];
  return Math.round(longest);
});
const responsive = async (tab, where) => {
  const longest = await longestTask(tab);
  assert.ok(longest < MAX_TASK_MS, `${where}: a task took ${longest} ms`);
  console.log(`  ${where}: longest task ${longest} ms`);
};
const inBatches = async (count, size, make) => {
  for (let first = 0; first < count; first += size) {
    await Promise.all(Array.from({ length: Math.min(size, count - first) }, (_, index) => make(first + index)));
  }
};
const create = (name, more = {}) => api('POST', '/api/sessions', { name, volume: 'user', ...more });

await run({
  'hostile messages, traces and metadata are shown without effect': async (tab) => {
    watch(tab);
    const name = `<img src=x onerror=window.harmed=20> ${BIDI}`;
    const { id } = await create(name, { metadata: { '<img src=x>': '<script>window.harmed=21</script>' } });
    for (const role of ['user', 'assistant', 'system', 'tool']) {
      await api('POST', `/api/sessions/${id}/messages`, { messages: EVIL.map((content) => ({ role, content, traces: { '<b>': content }, artifacts: [content] })) });
    }
    await api('POST', `/api/sessions/${id}/messages`, { role: 'user', content: `${BIDI} \u200f\u061c **${BIDI}**` });
    await open(tab, `#/sessions/${id}`);
    await tab.getByRole('heading', { name: '<img src=x' }).waitFor();
    await tab.locator('.message').last().waitFor();
    await tab.locator('details > summary').evaluateAll((all) => all.forEach((it) => it.click()));
    await unharmed(tab, 'messages');
    await tab.locator('.actions').getByRole('button', { name: 'Metadata' }).click();
    await unharmed(tab, 'metadata');
    await tab.keyboard.press('Escape');
    assert.equal(await tab.locator('.message a[href="https://evil.example/pixel.png"]').first().getAttribute('rel'), 'noopener noreferrer nofollow');
    // Bidirectional control characters do not reorder the head.
    const order = await tab.locator('.detail-head').evaluate((head) => [...head.querySelectorAll('.line > *')].filter((it) => it.offsetParent).map((it) => it.getBoundingClientRect().left));
    assert.ok(order[0] < order[1], String(order));
    await responsive(tab, 'hostile messages');
    await accessible(tab, 'hostile messages');
    await fits(tab, 'hostile messages');
  },

  'hostile names, skills and files are shown without effect': async (tab) => {
    const name = `"><img src=x onerror=window.harmed=30> ${BIDI}`;
    const document = `---\nname: ${JSON.stringify('<img src=x onerror=window.harmed=31>')}\ndescription: ${JSON.stringify(EVIL.slice(0, 8).join(' '))}\ntags: ["<script>window.harmed=32</script>"]\n---\n${EVIL.join('\n\n')}\n`;
    const sent = await fetch(`${base}/api/skills`, { method: 'POST', body: document, headers: { 'content-type': 'text/markdown' } });
    const { id } = await sent.json();
    for (const path of ['<img src=x onerror=window.harmed=33>.html', `${'long'.repeat(50)}.txt`, '"quotes".svg']) {
      const stored = await fetch(`${base}/api/files/${encodeURIComponent(path)}`, { method: 'PUT', body: '<script>parent.harmed = 34</script>', headers: { 'content-type': 'text/html' } });
      assert.equal(stored.status, 200);
    }
    await create(name);
    for (const [hash, shown] of [['#/skills', '.row .title'], [`#/skills/user/${id}`, '.skill .prose'], ['#/files', '.row.file .title'], ['#/sessions', '.row .title']]) {
      await open(tab, hash);
      await tab.locator(`${shown}:visible`).first().waitFor();
      await unharmed(tab, hash);
      await fits(tab, hash);
    }
  },

  '256 KB of one word are shortened, shown on demand, and keep the page responsive': async (tab) => {
    const { id } = await create('W'.repeat(200));
    await api('POST', `/api/sessions/${id}/messages`, { messages: [{ role: 'user', content: WORD }, { role: 'assistant', content: 'next message' }] });
    await open(tab, `#/sessions/${id}`);
    await tab.getByText('next message').waitFor();
    await fits(tab, 'one word');
    await tab.getByRole('button', { name: 'Show all 262,144 characters' }).click();
    await until('the whole text', () => tab.evaluate(() => document.querySelector('.message .prose').textContent.length === 256 * 1024));
    await fits(tab, 'one word, whole text');
    await tab.getByLabel('Message', { exact: true }).fill('still writing');
    await responsive(tab, 'one word');
    await tab.getByLabel('Message', { exact: true }).fill('');
  },

  '1,000 sessions load on scroll and are filtered by typing': async (tab) => {
    const { sessions } = await api('GET', '/api/sessions?limit=200');
    await inBatches(SESSIONS - sessions.length, 50, (index) => create(`Session ${index}`));
    await open(tab, '#/sessions');
    const rows = () => tab.locator('#list .rows > li').count();
    await tab.locator('#list .row').first().waitFor();
    const atFirst = await rows();
    assert.ok(atFirst < SESSIONS / 2, `${atFirst} rows at first`);
    await until('all sessions are loaded', async () => {
      await tab.locator('#list').evaluate((it) => { it.scrollTop = it.scrollHeight; });
      return await rows() === SESSIONS;
    }, 60_000);
    await responsive(tab, 'scrolling through 1,000 sessions');
    await longestTask(tab);
    await tab.locator('#list input').pressSequentially('session 7');
    await until('only matching sessions', async () => /^\d+ sessions of 1000 loaded/.test(await tab.locator('#list .summary').textContent()));
    assert.equal(await tab.locator('#list .rows > li').count(), 111);
    await responsive(tab, 'filtering 1,000 sessions');
    await tab.locator('#list input').fill('');
  },

  [`${MESSAGES} messages load on scroll up, and visible messages keep their position`]: async (tab) => {
    const { id } = await create('Long');
    for (let first = 0; first < MESSAGES; first += 100) {
      const messages = Array.from({ length: 100 }, (_, index) => ({ role: index % 2 ? 'assistant' : 'user', content: `Message **${first + index + 1}**\n\n${'words '.repeat((first + index) % 40)}` }));
      await api('POST', `/api/sessions/${id}/messages`, { messages });
    }
    await open(tab, `#/sessions/${id}`);
    await tab.locator('.message', { hasText: `Message ${MESSAGES}` }).waitFor();
    const scroller = tab.locator('.messages');
    const first = () => scroller.evaluate((it) => Number(it.querySelector('.message').dataset.seq));
    await tab.route('**/messages?before=*', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await route.continue();
    });
    // A visible message keeps its position while older ones are prepended.
    const moved = await scroller.evaluate(async (it) => {
      const count = it.querySelectorAll('.message').length;
      it.scrollTop = 400;
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const top = it.getBoundingClientRect().top;
      const visible = [...it.querySelectorAll('.message')].find((element) => element.getBoundingClientRect().top > top);
      const before = visible.getBoundingClientRect().top;
      while (it.querySelectorAll('.message').length === count) await new Promise((resolve) => requestAnimationFrame(resolve));
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return Math.abs(visible.getBoundingClientRect().top - before);
    });
    await tab.unroute('**/messages?before=*');
    assert.ok(moved < 5, `the visible message moved by ${moved} pixels`);
    await until('the first message', async () => {
      await scroller.evaluate((it) => { it.scrollTop = 0; });
      return await first() === 1;
    }, 90_000);
    assert.equal(await tab.locator('.message').count(), MESSAGES);
    await responsive(tab, `scrolling through ${MESSAGES} messages`);
    await tab.getByLabel('Message', { exact: true }).pressSequentially('typed among them');
    await tab.keyboard.press('Control+Enter');
    await tab.locator('.message', { hasText: 'typed among them' }).waitFor();
    await responsive(tab, `writing among ${MESSAGES} messages`);
  },
});
