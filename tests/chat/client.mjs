// Chat in `llmos.js`, against the service with a scripted model: `node client.mjs BASE [CONTROL]`. With CONTROL, whose
// `/kill` kills the server and starts it again, only the flow with a killed server runs.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { get, startProxy, until } from './http.mjs';

const [base, control] = process.argv.slice(2);

// Node takes a .js file for a module only where a package.json says so.
const folder = mkdtempSync(join(tmpdir(), 'llmos-client-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
for (const name of ['llmos.js', 'llmos-chat.js']) cpSync(join(import.meta.dirname, '../../public', name), join(folder, name));
writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
const { Llmos } = await import(join(folder, 'llmos.js'));

const llmos = new Llmos({ base });
const textOf = (chunks) => chunks.filter((it) => it.type === 'text-delta').map((it) => it.delta).join('');
const typesOf = (chunks) => [...new Set(chunks.map((it) => it.type))];
const collect = async (answer, each = () => {}) => {
  const chunks = [];
  for await (const chunk of answer) {
    chunks.push(chunk);
    await each(chunk, chunks);
  }
  return chunks;
};
const history = async (id) => (await get(`${base}/api/sessions/${id}/messages`)).messages.map((it) => [it.role, it.content, it.status]);
const NUMBERS = Array.from({ length: 40 }, (_, number) => `${number} `).join('');

const flows = {
  'an answer is sent in chunks and stored': async () => {
    const chunks = await collect(llmos.chat.send({ sessionId: 'plain', content: 'short' }));
    assert.deepEqual(typesOf(chunks), ['start', 'start-step', 'text-start', 'text-delta', 'text-end', 'finish-step', 'finish']);
    assert.equal(textOf(chunks), 'Short é 😀.');
    const turn = await llmos.chat.turn('plain');
    assert.deepEqual([turn.status, turn.message_id, turn.id], ['completed', chunks[0].messageId, chunks[0].messageMetadata.turnId]);
    assert.deepEqual(await history('plain'), [['user', 'short', 'completed'], ['assistant', 'Short é 😀.', 'completed']]);
  },

  'a message with an id and tools is sent as it is': async () => {
    const tools = [{ name: 'weather', description: 'The weather', inputSchema: { type: 'object' } }];
    const message = { id: 'mine', parts: [{ type: 'text', text: 'with a tool' }] };
    const chunks = await collect(llmos.chat.send({ sessionId: 'tools', message, tools, model: 'other-model' }));
    const call = chunks.find((it) => it.type === 'tool-input-available');
    assert.deepEqual([call.toolName, call.input], ['weather', { city: 'Bern' }]);
    const part = { type: 'tool-weather', toolCallId: call.toolCallId, state: 'output-available', input: call.input, output: 'sunny' };
    const more = await collect(llmos.chat.send({ sessionId: 'tools', message: { id: chunks[0].messageId, role: 'assistant', parts: [part] }, tools }));
    assert.equal(more[0].messageId, chunks[0].messageId);
    assert.equal(textOf(more), 'It is sunny.');
    assert.equal((await llmos.messages.find('tools', 'mine')).content, 'with a tool');
  },

  'a connection that is cut again and again loses and repeats nothing': async () => {
    const proxy = await startProxy(base);
    // In the head, before the first chunk, inside an event, and behind some.
    proxy.cut(10, 420, 900, 650, 1300, 2000);
    const chunks = await collect(new Llmos({ base: proxy.base }).chat.send({ sessionId: 'cut', content: 'count for the cut connection' }));
    assert.equal(proxy.uncut(), 0);
    proxy.close();
    assert.equal(textOf(chunks), NUMBERS);
    for (const type of ['start', 'start-step', 'text-start', 'text-end', 'finish']) {
      assert.equal(chunks.filter((it) => it.type === type).length, 1, type);
    }
    assert.deepEqual((await history('cut')).map(([role, text]) => [role, text]), [['user', 'count for the cut connection'], ['assistant', NUMBERS]]);
  },

  'an answer can be stopped by its reader': async () => {
    const answer = llmos.chat.send({ sessionId: 'stop', content: 'count until stopped' });
    let stopped;
    const chunks = await collect(answer, (chunk) => { if (chunk.type === 'text-delta') stopped ??= answer.stop(); });
    assert.equal((await stopped).status, 'stopped');
    assert.equal(chunks.at(-1).type, 'abort');
    assert.deepEqual((await history('stop'))[1], ['assistant', textOf(chunks), 'stopped']);
    assert.equal((await llmos.chat.stop('stop')).status, 'stopped');
    assert.equal((await llmos.chat.stop('stop', (await llmos.chat.turn('stop')).id)).success, true);
  },

  'an answer goes on after a reload, and without a turn there is nothing to read': async () => {
    const reader = new AbortController();
    const left = collect(llmos.chat.send({ sessionId: 'reload', content: 'count across the reload', signal: reader.signal }), (chunk, chunks) => {
      if (chunks.length === 6) reader.abort(new Error('left'));
    });
    await assert.rejects(left, { message: 'left' });
    // The page knows nothing but the session.
    const chunks = await collect(new Llmos({ base }).chat.resume('reload'));
    assert.equal(chunks[0].type, 'start');
    assert.equal(textOf(chunks), NUMBERS);
    assert.deepEqual(await collect(llmos.chat.resume('reload')), []);
    assert.deepEqual(await collect(llmos.chat.resume('unknown')), []);
  },

  'a failure of the model is a chunk, and one of the request is an error': async () => {
    const chunks = await collect(llmos.chat.send({ sessionId: 'failed', content: 'fail' }));
    assert.deepEqual([chunks.at(-1).type, typeof chunks.at(-1).errorText], ['error', 'string']);
    const invalid = collect(llmos.chat.send({ sessionId: 'failed', content: 'x', color: 'red' }));
    await assert.rejects(invalid, (error) => error.name === 'LlmosError' && error.status === 422);
    const first = collect(llmos.chat.send({ sessionId: 'busy', content: 'count while busy' }), async (chunk) => {
      if (chunk.type !== 'text-start') return;
      const second = collect(llmos.chat.send({ sessionId: 'busy', content: 'too early' }));
      await assert.rejects(second, (error) => error.code === 'turn_in_progress');
      await llmos.chat.stop('busy');
    });
    assert.equal((await first).at(-1).type, 'abort');
  },
};

const killed = {
  'a killed server is waited for, and the part of the answer that it stored is read': async () => {
    let kill;
    const chunks = await collect(llmos.chat.send({ sessionId: 'killed', content: 'count until killed' }), (chunk, before) => {
      if (before.length === 10) kill ??= fetch(`${control}/kill`, { method: 'POST' });
    });
    assert.ok((await kill).ok);
    assert.equal(chunks.at(-1).type, 'error');
    assert.equal(chunks.filter((it) => it.type === 'start').length, 1);
    const text = textOf(chunks);
    assert.ok(text.startsWith('0 1 2 ') && NUMBERS.startsWith(text), text);
    const stored = await until('the partial answer is stored', async () => (await history('killed')).length === 2 && history('killed'));
    assert.deepEqual(stored[1], ['assistant', text, 'abandoned']);
    // The session goes on.
    assert.equal(textOf(await collect(llmos.chat.send({ sessionId: 'killed', content: 'short again' }))), 'Short é 😀.');
  },
};

for (const [name, flow] of Object.entries(control ? killed : flows)) {
  try {
    await flow();
    console.log(`✓ ${name}`);
  } catch (error) {
    error.message = `${name}: ${error.message}`;
    throw error;
  }
}
