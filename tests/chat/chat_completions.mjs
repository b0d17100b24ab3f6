// OpenAI's shape with the official client: `node chat_completions.mjs BASE` stores the messages that it sends and those that
// it receives, and sends what `format=openai` returns.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [base] = process.argv.slice(2);
const send = async (method, path, value) => {
  const response = await fetch(base + path, { method, body: value && JSON.stringify(value), headers: { 'content-type': 'application/json' } });
  const body = await response.json();
  assert.ok(response.ok, `${method} ${path}: ${JSON.stringify(body)}`);
  return body;
};

// A model that calls a tool first, then answers.
const answers = [
  { role: 'assistant', content: null, refusal: null, tool_calls: [
    { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city": "Bern",\n "days": 1.0}' } },
    { id: 'call_2', type: 'custom', custom: { name: 'sql', input: 'select 1' } },
  ] },
  { role: 'assistant', content: 'It is sunny.', refusal: null },
];
const requests = [];
const model = async (_, { body }) => {
  requests.push(JSON.parse(body).messages);
  const message = answers[requests.length - 1];
  return Response.json({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message, finish_reason: 'stop', logprobs: null }] });
};
const client = new OpenAI({ apiKey: 'none', baseURL: 'http://127.0.0.1:1/v1', fetch: model });

const { id } = await send('POST', '/api/sessions', { name: 'x', volume: 'user' });
const path = `/api/sessions/${id}/messages`;
const store = (messages) => send('POST', path, { messages });
const load = async () => (await send('GET', `${path}?format=openai&limit=200`)).messages;

// Every member of the client's ChatCompletionMessageParam but for audio and function_call, which must be null.
const ttl = { mode: 'explicit', ttl: '30m' };
const said = [
  { role: 'developer', content: 'Be brief.' },
  { role: 'developer', name: 'dev', content: [{ type: 'text', text: 'Be', prompt_cache_breakpoint: ttl }] },
  { role: 'system', name: 'sys', content: [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }] },
  { role: 'assistant', content: [{ type: 'text', text: 'Hello' }, { type: 'refusal', refusal: 'No.' }], name: 'bot' },
  { role: 'assistant', content: null, refusal: 'No.' },
  { role: 'user', name: 'Ann', content: [
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'high' }, prompt_cache_breakpoint: ttl },
    { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'mp3' } },
    { type: 'file', file: { file_data: 'data:application/pdf;base64,JVBERi0=', filename: 'a.pdf' } },
    { type: 'file', file: { file_id: 'file-1' } },
  ] },
  { role: 'user', content: 'And the weather?' },
];
await store(said);

const first = await client.chat.completions.create({ model: 'm', messages: await load() });
assert.deepEqual(requests[0], said);
const results = [
  { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: '{"sky":"blue"}' }] },
  { role: 'tool', tool_call_id: 'call_2', content: '1' },
];
await store([first.choices[0].message, ...results]);
const last = await client.chat.completions.create({ model: 'm', messages: await load() });
assert.deepEqual(requests[1], [...said, answers[0], ...results]);
assert.equal(requests[1][said.length].tool_calls[0].function.arguments, answers[0].tool_calls[0].function.arguments);
await store([last.choices[0].message]);
assert.deepEqual(await load(), [...said, answers[0], ...results, answers[1]]);
console.log('✓ messages of the official client are returned value for value');
