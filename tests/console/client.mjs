// `llmos.js` without the console: retries, results and errors.
import assert from 'node:assert/strict';
import { api, base, run, until } from './tab.mjs';

const problem = (status, code, headers = {}) => ({
  status, headers: { 'content-type': 'application/problem+json', 'x-request-id': 'req_made_up', ...headers },
  body: JSON.stringify({ status, code, detail: `It is ${code}.`, request_id: 'req_1', errors: [{ field: 'name', message: 'x' }], current: { name: 'now' } }),
});
// Runs a function in the page with the exports of the module. It is injected by the debugger, because the content security
// policy forbids `eval`.
const inPage = async (tab, script, argument = null) => {
  await tab.evaluate(`window.script = ${script}`);
  return tab.evaluate(async (value) => window.script(await import('/llmos.js'), value), argument);
};

await run({
  'a session is created, read, updated and deleted': async (tab) => {
    await tab.goto(`${base}/robots.txt`);
    const seen = await inPage(tab, async ({ Llmos }) => {
      const llmos = new Llmos();
      const created = await llmos.sessions.create({ name: 'By the client', volume: 'user', initial_message: 'one' });
      const appended = await llmos.messages.append(created.id, [{ role: 'assistant', content: 'two' }, { role: 'user', content: 'three' }]);
      const found = await llmos.sessions.find(created.id);
      const unchanged = await llmos.sessions.find(created.id, { etag: found.etag });
      const renamed = await llmos.sessions.update(created.id, { name: 'Renamed' }, { ifMatch: found.etag });
      const stale = await llmos.sessions.update(created.id, { name: 'Stale' }, { ifMatch: found.etag }).catch((error) => ({ ...error }));
      const back = [];
      for await (const page of llmos.messages.pages(created.id, { limit: 2 })) back.push(page.messages.map((it) => it.content));
      const on = [];
      for await (const page of llmos.messages.pages(created.id, { after: 0, limit: 2 })) on.push(page.messages.map((it) => it.content));
      await llmos.sessions.delete(created.id);
      const gone = await llmos.sessions.find(created.id).catch((error) => [error.name, error.status, error.code, error.detail, error.requestId.length > 10]);
      return { created, appended, found, unchanged, renamed, stale, back, on, gone };
    });
    assert.equal(seen.appended.message_count, 3);
    assert.match(seen.found.etag, /^"/);
    assert.equal(seen.unchanged, null);
    assert.notEqual(seen.renamed.etag, seen.found.etag);
    assert.deepEqual([seen.stale.code, seen.stale.current.name, seen.stale.attempts], ['precondition_failed', 'Renamed', 1]);
    assert.deepEqual(seen.back, [['two', 'three'], ['one']]);
    assert.deepEqual(seen.on, [['one', 'two'], ['three']]);
    assert.deepEqual(seen.gone, ['LlmosError', 404, 'not_found', 'The session does not exist.', true]);
  },

  'messages are put, changed, branched, forked, merged and deleted by their ids': async (tab) => {
    const seen = await inPage(tab, async ({ Llmos }) => {
      const { sessions, messages } = new Llmos();
      const { id } = await sessions.create({ volume: 'user', messages: [{ id: 'q', role: 'user', content: 'one' }] });
      const put = await messages.put(id, 'a', { role: 'assistant', parts: [{ type: 'text', text: 'two' }] });
      const updated = await messages.update(id, 'a', { status: 'stopped' }, { ifMatch: put.etag });
      const stale = await messages.update(id, 'a', { status: 'failed' }, { ifMatch: put.etag }).catch((error) => error.code);
      await messages.append(id, { id: 'b', role: 'assistant', content: 'three', parent_id: 'q' });
      const { siblings } = (await messages.list(id)).messages[1];
      const active = await sessions.activate(id, 'a');
      const fork = await sessions.fork(id, { message_id: 'b', name: 'Fork' });
      const merged = await messages.merge(id, [{ id: 'q', role: 'user', content: 'changed' }, { id: 'n', role: 'user', content: 'new' }]);
      await messages.delete(id, 'n');
      const gone = await messages.find(id, 'n').catch((error) => error.code);
      const found = await messages.find(id, 'a');
      await sessions.delete(id);
      await sessions.delete(fork.id);
      return { put, updated, stale, siblings, active, fork, merged, gone, found };
    });
    assert.deepEqual([seen.put.seq, seen.put.content, seen.updated.status, seen.stale], [2, 'two', 'stopped', 'precondition_failed']);
    assert.deepEqual([seen.siblings, seen.active.message_count, seen.gone], [['a', 'b'], 2, 'not_found']);
    assert.deepEqual([seen.fork.name, seen.fork.message_count, seen.fork.forked_from.message_id], ['Fork', 2, 'b']);
    assert.deepEqual([seen.merged.appended, seen.merged.conflicts], [['n'], ['q']]);
    assert.equal(seen.found.etag, seen.updated.etag);
  },

  'pages() yields all pages of a list': async (tab) => {
    for (let made = 0; made < 5; made += 1) await api('POST', '/api/sessions', { name: `S${made}`, volume: 'user' });
    const pages = await inPage(tab, async ({ Llmos }) => {
      const all = [];
      for await (const page of new Llmos().sessions.pages({ volume: 'user', limit: 2 })) all.push(page.sessions.map((it) => it.name));
      return all;
    });
    assert.deepEqual(pages, [['S4', 'S3'], ['S2', 'S1'], ['S0']]);
  },

  'sessions are filtered by several values, and changed at once': async (tab) => {
    for (const tags of [['a', 'b'], ['a'], ['b']]) await api('POST', '/api/sessions', { id: `many-${tags.join('-')}`, volume: 'user', tags });
    const seen = await inPage(tab, async ({ Llmos }) => {
      const { sessions } = new Llmos();
      const both = await sessions.list({ tag: ['a', 'b'], archived: false, fields: 'id' });
      const changed = await sessions.batch({ filter: { tag: 'a' }, set: { archived: true } });
      const left = await sessions.list({ tag: 'b', fields: 'id' });
      const deleted = await sessions.batch({ ids: ['many-a-b', 'many-a', 'many-b'], delete: true });
      return { both: both.sessions, changed, left: left.sessions, deleted };
    });
    assert.deepEqual(seen.both, [{ id: 'many-a-b' }]);
    assert.deepEqual(seen.changed, { matched: 2, changed: 2, failed: [], next_cursor: null });
    assert.deepEqual(seen.left, [{ id: 'many-b' }]);
    assert.equal(seen.deleted.changed, 3);
  },

  'temporary failures are retried with one idempotency key, and Retry-After is respected': async (tab) => {
    const keys = [];
    const times = [];
    await tab.route('**/api/sessions', async (route) => {
      keys.push(route.request().headers()['idempotency-key']);
      times.push(Date.now());
      if (keys.length === 1) return route.fulfill(problem(503, 'storage_unavailable'));
      if (keys.length === 2) return route.fulfill(problem(429, 'rate_limited', { 'retry-after': '1' }));
      if (keys.length === 3) { await route.fetch(); return route.abort(); }
      return route.continue();
    });
    const seen = await inPage(tab, async ({ Llmos }) => {
      const retries = [];
      const llmos = new Llmos({ onRetry: ({ error, attempt }) => retries.push([error.code, attempt]) });
      const session = await llmos.sessions.create({ name: 'Repeated', volume: 'user' });
      return { retries, session };
    });
    await tab.unroute('**/api/sessions');
    assert.deepEqual(seen.retries, [['storage_unavailable', 1], ['rate_limited', 2], ['network', 3]]);
    assert.equal(keys.length, 4);
    assert.equal(new Set(keys).size, 1);
    assert.match(keys[0], /^[0-9a-f-]{36}$/);
    assert.ok(times[2] - times[1] >= 1000, `${times[2] - times[1]} ms`);
    const { sessions } = await api('GET', '/api/sessions');
    assert.equal(sessions.filter((it) => it.name === 'Repeated').length, 1);
  },

  'a change and a deletion with lost responses succeed': async (tab) => {
    const { id } = await api('POST', '/api/sessions', { name: 'Before', volume: 'user' });
    let lost = 0;
    await tab.route(`**/api/sessions/${id}`, async (route) => {
      if (!['PATCH', 'DELETE'].includes(route.request().method()) || lost % 2 === 1) { lost += lost % 2; return route.continue(); }
      lost += 1;
      await route.fetch();
      return route.abort();
    });
    const name = await inPage(tab, async ({ Llmos }, session) => {
      const llmos = new Llmos();
      const { etag } = await llmos.sessions.find(session);
      const changed = await llmos.sessions.update(session, { name: 'After' }, { ifMatch: etag });
      await llmos.sessions.delete(session);
      return changed.name;
    }, id);
    await tab.unroute(`**/api/sessions/${id}`);
    assert.equal(name, 'After');
  },

  'conditional writes with lost responses succeed': async (tab) => {
    const { id } = await api('POST', '/api/sessions', { name: 'Before', volume: 'user', metadata: { kept: 1, changed: 1 } });
    await api('POST', '/api/skills', { name: 'Lost', description: 'Before' });
    // Executes each write, drops its response, and lets the retry pass.
    const lost = new Map();
    const lose = async (route) => {
      const key = route.request().method() + route.request().url();
      const isWrite = !['GET', 'HEAD'].includes(route.request().method());
      lost.set(key, !lost.get(key));
      if (!isWrite || !lost.get(key)) return route.continue();
      await route.fetch();
      return route.abort();
    };
    for (const path of ['**/api/sessions/*', '**/api/skills/lost*', '**/api/files/lost*']) await tab.route(path, lose);
    const seen = await inPage(tab, async ({ Llmos }, session) => {
      const llmos = new Llmos();
      const { etag } = await llmos.sessions.find(session);
      const changed = await llmos.sessions.update(session, { metadata: { changed: { deep: [2] } } }, { ifMatch: etag });
      const skill = await llmos.skills.find('lost');
      const byDocument = await llmos.skills.update('lost', skill.content.replace('Before', 'Between'), {}, { ifMatch: skill.etag });
      const byField = await llmos.skills.update('lost', { description: 'After' }, {}, { ifMatch: byDocument.etag });
      await llmos.files.put('lost.txt', new Blob(['one'], { type: 'text/plain' }), {}, { onlyNew: true });
      const first = await llmos.files.find('lost.txt');
      await llmos.files.put('lost.txt', new Blob(['two'], { type: 'text/plain' }), {}, { ifMatch: first.headers.get('etag') });
      const second = await llmos.files.find('lost.txt');
      const stale = await llmos.files.put('lost.txt', new Blob(['six'], { type: 'text/plain' }), {}, { ifMatch: first.headers.get('etag') }).catch((error) => error.code);
      return { metadata: changed.metadata, descriptions: [byDocument.description, byField.description], texts: [await first.text(), await second.text()], stale };
    }, id);
    for (const path of ['**/api/sessions/*', '**/api/skills/lost*', '**/api/files/lost*']) await tab.unroute(path);
    assert.deepEqual(seen, {
      metadata: { kept: 1, changed: { deep: [2] } }, descriptions: ['Between', 'After'], texts: ['one', 'two'], stale: 'precondition_failed',
    });
    assert.ok(lost.size >= 4, 'no response was lost');
    await api('DELETE', '/api/skills/lost');
  },

  'numbers keep all digits, with and without JSON.rawJSON': async (tab) => {
    const text = '{"big": 9007199254740993, "list": [-12345678901234567890, 0.12345678901234567891, 1e-400, 1.0, 1e3], "text": "9007199254740993 \\" 12345678901234567890"}';
    const raw = async (path, method = 'GET', body) => (await fetch(base + path, { method, body, headers: { 'content-type': 'application/json' } })).text();
    const { id } = JSON.parse(await raw('/api/sessions', 'POST', `{"name": "Numbers", "volume": "user", "metadata": ${text}}`));
    for (const hasRaw of [true, false]) {
      const seen = await inPage(tab, async ({ Llmos, ExactNumber, toJson }, [session, keep]) => {
        const { rawJSON } = JSON;
        if (!keep) delete JSON.rawJSON;
        try {
          const llmos = new Llmos();
          const { metadata } = await llmos.sessions.find(session);
          await llmos.sessions.update(session, { metadata: { copy: metadata } });
          const sent = await llmos.messages.append(session, { role: 'tool', content: 'x', traces: metadata, artifacts: [metadata.big] });
          const { metadata: { copy } } = await llmos.sessions.update(session, { metadata: { copy: null, sum: metadata.big + 1 } });
          return { isExact: metadata.big instanceof ExactNumber, text: String(metadata.big), traces: toJson(sent.messages[0].traces), plain: metadata.list.slice(3), copy };
        } finally {
          JSON.rawJSON = rawJSON;
        }
      }, [id, hasRaw]);
      assert.deepEqual([seen.isExact, seen.text, seen.plain, seen.copy], [true, '9007199254740993', [1, 1000], undefined]);
      for (const digits of ['9007199254740993,', '-12345678901234567890,0.12345678901234567891,1e-400,1,1000]']) assert.ok(seen.traces.includes(digits), seen.traces);
      const messages = await raw(`/api/sessions/${id}/messages`);
      assert.ok(messages.includes('"artifacts":[9007199254740993]'), messages);
    }
  },

  'files in other Unicode forms and without a type are stored under the same name': async (tab) => {
    const names = await inPage(tab, async ({ Llmos }) => {
      const llmos = new Llmos();
      const path = 'forms/cafe\u0301.md';
      await llmos.files.put(path, new Blob(['small']));
      const small = await llmos.files.find(path);
      await llmos.files.put('forms/large-e\u0301.md', new Blob([new Uint8Array(5 << 20)]));
      const { files } = await llmos.files.list({ prefix: 'forms/' });
      const large = await llmos.files.find('forms/large-\u00e9.md');
      for (const file of files) await llmos.files.delete(file.path);
      return [small.headers.get('content-type'), large.headers.get('content-type'), ...files.map((file) => file.path)];
    });
    assert.deepEqual(names, ['text/markdown', 'text/markdown', 'forms/caf\u00e9.md', 'forms/large-\u00e9.md']);
  },

  'the browser validates a stored file, and uses that of a link without a request': async (tab) => {
    const seen = await inPage(tab, async ({ Llmos }) => {
      const llmos = new Llmos();
      await llmos.files.put('cached.txt', new Blob(['one'], { type: 'text/plain' }));
      const texts = [];
      for (const body of ['one', 'one', 'two']) {
        await llmos.files.put('cached.txt', new Blob([body], { type: 'text/plain' }));
        texts.push(await (await llmos.files.find('cached.txt')).text());
      }
      const { url } = await llmos.files.link('cached.txt');
      await (await fetch(url)).text();
      await llmos.files.put('cached.txt', new Blob(['three'], { type: 'text/plain' }));
      texts.push(await (await fetch(url)).text());
      return texts;
    });
    assert.deepEqual(seen, ['one', 'one', 'two', 'two']);
  },

  'a permanent error is not retried, and has all members of the problem': async (tab) => {
    let requests = 0;
    await tab.route('**/api/skills/validate', (route) => { requests += 1; return route.fulfill(problem(422, 'validation_failed')); });
    const error = await inPage(tab, async ({ Llmos, LlmosError }) => new Llmos().skills.validate('x').catch((it) => ({ ...it, isOurs: it instanceof LlmosError, message: it.message })));
    await tab.unroute('**/api/skills/validate');
    assert.equal(requests, 1);
    assert.deepEqual([error.isOurs, error.status, error.code, error.message, error.requestId, error.errors[0].field], [true, 422, 'validation_failed', 'It is validation_failed.', 'req_1', 'name']);
  },

  'an AbortSignal aborts a call, a retry delay and an upload': async (tab) => {
    await tab.route('**/api/sessions*', (route) => route.fulfill(problem(503, 'storage_unavailable', { 'retry-after': '60' })));
    await tab.route('**/api/health', () => {});
    const seen = await inPage(tab, async ({ Llmos }) => {
      const llmos = new Llmos();
      const started = performance.now();
      const name = (error) => error.name;
      const pause = await llmos.sessions.list({}, { signal: AbortSignal.timeout(200) }).catch(name);
      const call = await llmos.health({ signal: AbortSignal.timeout(200) }).catch(name);
      const stop = new AbortController();
      stop.abort();
      const upload = await llmos.files.put('x', new Blob(['x']), {}, { signal: stop.signal }).catch(name);
      return { pause, call, upload, took: performance.now() - started };
    });
    await tab.unroute('**/api/sessions*');
    await tab.unroute('**/api/health');
    assert.deepEqual([seen.pause, seen.call, seen.upload], ['TimeoutError', 'TimeoutError', 'AbortError']);
    assert.ok(seen.took < 5000, `${seen.took} ms`);
    assert.equal((await fetch(`${base}/api/files/x`)).status, 404);
  },

  'a token is a string, or a function that is called before each attempt': async (tab) => {
    const sent = [];
    await tab.route('**/api/sessions*', (route) => {
      sent.push(route.request().headers().authorization);
      return sent.length === 2 ? route.fulfill(problem(503, 'storage_unavailable')) : route.continue();
    });
    await inPage(tab, async ({ Llmos }) => {
      await new Llmos({ token: 'a string' }).sessions.list();
      let count = 0;
      await new Llmos({ token: async () => `attempt ${count += 1}` }).sessions.list();
      await new Llmos({ token: () => null }).sessions.list();
    });
    await tab.unroute('**/api/sessions*');
    assert.deepEqual(sent, ['Bearer a string', 'Bearer attempt 1', 'Bearer attempt 2', undefined]);
  },

  'the fetch option replaces the fetch of the browser': async (tab) => {
    const seen = await inPage(tab, async ({ Llmos }) => {
      const calls = [];
      const llmos = new Llmos({ fetch: async (url, { method }) => { calls.push([method, url]); return new Response('{"sessions": [], "next_cursor": null}'); } });
      return [await llmos.sessions.list({ limit: 1 }), calls];
    });
    assert.deepEqual(seen, [{ sessions: [], next_cursor: null }, [['GET', '/api/sessions?limit=1']]]);
  },

  'skills, files and health work with all their options': async (tab) => {
    const seen = await inPage(tab, async ({ Llmos }) => {
      const llmos = new Llmos();
      const made = await llmos.skills.create({ name: 'One', description: 'First', code: '1', language: 'python' });
      const document = await llmos.skills.create('---\nname: Two\ndescription: Second\n---\n', { volume: 'team', volume_id: 'red' });
      const changed = await llmos.skills.update('one', { description: 'Changed' }, {}, { ifMatch: made.etag });
      const stale = await llmos.skills.update('one', '---\nname: One\n---\n', {}, { ifMatch: made.etag }).catch((error) => error.code);
      const use = await llmos.skills.used('one', { success: true, duration_ms: 2 });
      const skills = await llmos.skills.list({ volume: 'user' });
      await llmos.skills.delete('two', { volume: 'team', volume_id: 'red' });
      const progress = [];
      await llmos.files.put('a b/é.txt', new Blob(['hello'], { type: 'text/plain' }), {}, { onlyNew: true, onProgress: (sent, size) => progress.push([sent, size]) });
      const taken = await llmos.files.put('a b/é.txt', new Blob(['other']), {}, { onlyNew: true }).catch((error) => error.code);
      const text = await (await llmos.files.find('a b/é.txt')).text();
      const files = await llmos.files.list({ folded: true });
      await llmos.files.delete('a b/é.txt');
      return { document, changed, stale, use, skills, progress, taken, text, files, health: await llmos.health() };
    });
    assert.equal(`${seen.document.volume}/${seen.document.volume_id}/${seen.document.id}`, 'team/red/two');
    assert.deepEqual([seen.changed.description, seen.stale, seen.use.usage_count], ['Changed', 'precondition_failed', 1]);
    assert.deepEqual(seen.skills.skills.map((it) => it.id), ['one']);
    assert.deepEqual(seen.progress.at(-1), [5, 5]);
    assert.deepEqual([seen.taken, seen.text, seen.files.folders], ['precondition_failed', 'hello', ['a b/']]);
    assert.equal(seen.health.status, 'ok');
    await until('the file is deleted', async () => (await fetch(`${base}/api/files/a%20b/%C3%A9.txt`)).status === 404);
  },
}, { expected: /status of (404|412|422|429|503)|ERR_FAILED/ });
