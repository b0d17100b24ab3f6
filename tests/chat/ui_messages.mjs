// `format=ui` for the AI SDK: `node ui_messages.mjs BASE MAJOR` stores UIMessages of every part type of a major version,
// checks that `validateUIMessages` accepts the response, and that the parts are those that were sent, byte for byte.
import assert from 'node:assert/strict';

const VERSIONS = { 5: 'ai-5.0.277', 6: 'ai-6.0.326', 7: 'ai-7.0.173' };
const [base, major] = process.argv.slice(2);
const { validateUIMessages, convertToModelMessages } = await import(VERSIONS[major]);

const send = async (method, path, text) => {
  const response = await fetch(base + path, { method, body: text, headers: { 'content-type': 'application/json' } });
  const body = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${body}`);
  return body;
};

const providerMetadata = { test: { a: 1.5, b: [null, { c: 'ü' }] } };
const approval = { id: 'ap' };
const granted = { id: 'ap', approved: true, reason: 'yes' };
const denied = { id: 'ap', approved: false };

// The states of a tool, without its type and id.
const states = (more) => [
  { state: 'input-streaming', input: { x: 1 } },
  { state: 'input-streaming' },
  { state: 'input-available', input: { x: [1, 'two', null] }, providerExecuted: true, callProviderMetadata: providerMetadata },
  { state: 'output-available', input: {}, output: { y: 1.25 }, preliminary: true },
  { state: 'output-available', input: 'text', output: null },
  { state: 'output-error', input: null, errorText: 'down' },
  ...more,
];
const approvals = [
  { state: 'approval-requested', input: 1, approval },
  { state: 'approval-responded', input: 1, approval: denied },
  { state: 'approval-responded', input: 1, approval: granted },
  { state: 'output-denied', input: 1, approval: denied },
  { state: 'output-available', input: 1, output: 2, approval: granted },
];
// Version 5 has approvals in the parts of known tools only.
const tools = states(approvals).map((part, index) => ({ type: 'tool-search', toolCallId: `t${index}`, ...part }));
const dynamic = states(major === '5' ? [] : approvals)
  .map((part, index) => ({ type: 'dynamic-tool', toolName: 'mcp', toolCallId: `d${index}`, ...part }));
const parts = [
  { type: 'step-start' },
  { type: 'text', text: 'a "quoted" text\n', state: 'done', providerMetadata },
  { type: 'text', text: '', state: 'streaming' },
  { type: 'reasoning', text: 'hm', state: 'done', providerMetadata: { anthropic: { signature: 's' } } },
  { type: 'source-url', sourceId: 's', url: 'https://example.com', title: 'T', providerMetadata },
  { type: 'source-document', sourceId: 's', mediaType: 'text/plain', title: 'T', filename: 'f', providerMetadata },
  { type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,iVBORw0KGgo=', filename: 'f', providerMetadata },
  { type: 'data-weather', id: 'w', data: { sky: 'blue', at: 1e3 } },
  { type: 'data-x', data: null },
  ...tools,
  ...dynamic,
];
if (major !== '5') parts.push({ ...tools[2], toolCallId: 'titled', title: 'T', toolMetadata: { a: 1 } });
if (major === '7') {
  parts.push(
    { type: 'custom', kind: 'openai.thing', providerMetadata },
    { type: 'reasoning-file', mediaType: 'image/png', url: 'data:image/png;base64,iVBORw0KGgo=' },
    { type: 'reasoning', id: 'r', text: 'hm' },
    { type: 'file', mediaType: 'a/b', url: 'file-1', providerReference: { openai: 'file-1' } },
    { type: 'steering-message', id: 's', parts: [{ type: 'text', text: 'faster' }] },
    { ...tools[0], toolCallId: 'encoded', rawInput: '{', inputEncoding: 'json' },
    { type: 'tool-search', toolCallId: 'signed', state: 'approval-requested', input: 1, approval: { id: 'x', signature: 's', isAutomatic: true, requestReason: 'r' } },
  );
}

const { id } = JSON.parse(await send('POST', '/api/sessions', '{"name":"x","volume":"user"}'));
const path = `/api/sessions/${id}/messages`;
const user = [parts[1], parts[6], parts[7]];
const messages = [
  { id: 'system-1', role: 'system', parts: [parts[1]] },
  { id: 'user-1', role: 'user', parts: user, metadata: { at: 1.5, by: { name: 'Ann' } } },
  // One part a message, and all of them in one.
  ...parts.map((part, index) => ({ id: `part-${index}`, role: 'assistant', parts: [part] })),
  { id: 'all', role: 'assistant', parts },
];
// Blanks, as `JSON.stringify` does not write them: the stored text is the sent one.
const texts = new Map(messages.map((message) => [message.id, JSON.stringify(message.parts, null, 1)]));
for (const { id: key, role, metadata } of messages) {
  const body = `{"id":"${key}","role":"${role}","parts":${texts.get(key)}${metadata ? `,"metadata":${JSON.stringify(metadata)}` : ''}}`;
  const appended = await send('POST', `${path}?format=ui`, body);
  assert.ok(appended.includes(texts.get(key)), `${key}: the response to the append`);
}
const list = await send('GET', `${path}?format=ui&limit=200`);
const found = JSON.parse(list);
assert.deepEqual(found, { messages, has_more: false });
for (const [key, text] of texts) assert.ok(list.includes(text), `${key} is not to the letter`);
const valid = await validateUIMessages({ messages: found.messages });
assert.equal(valid.length, messages.length);
console.log(`✓ ${messages.length} UIMessages with ${parts.length} kinds of parts are valid and unchanged`);

// Messages of other origins: without parts, in OpenAI's shape, results of tools with and without their calls, deleted ones.
const call = (key) => ({ id: key, type: 'function', function: { name: 'look_up', arguments: '{"q": 1}' } });
const others = [
  { role: 'developer', content: 'Be brief.' },
  { role: 'user', content: 'Hi' },
  { role: 'assistant', parts: [], content: '' },
  { role: 'user', name: 'Ann', content: [
    { type: 'text', text: 'Look' }, { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }, { type: 'file', file: { file_id: 'file-1' } },
    { type: 'video_url', video_url: { url: 'https://example.com/v' } },
  ] },
  { role: 'assistant', content: null, refusal: 'No.' },
  { role: 'assistant', content: null, tool_calls: [call('c1'), call('c2'), { ...call('c3'), function: { name: 'n'.repeat(64), arguments: '{' } }] },
  { role: 'tool', tool_call_id: 'c1', content: 'one' },
  { role: 'tool', tool_call_id: 'c2', content: [{ type: 'text', text: 'two' }] },
  { role: 'tool', tool_call_id: 'missing', content: 'late' },
  { role: 'tool', content: 'without a call' },
  { role: 'assistant', parts: [{ type: 'tool-a', toolCallId: 'c4', state: 'approval-requested', input: 1, approval }] },
  { role: 'tool', tool_call_id: 'c4', content: 'done' },
];
const second = JSON.parse(await send('POST', '/api/sessions', '{"name":"y","volume":"user"}'));
const otherPath = `/api/sessions/${second.id}/messages`;
await send('POST', otherPath, JSON.stringify({ messages: others }));
for (const query of ['', '&after=6', '&after=7&limit=1', '&before=7&limit=1']) {
  const page = JSON.parse(await send('GET', `${otherPath}?format=ui${query}`));
  await validateUIMessages({ messages: page.messages });
  const model = await convertToModelMessages(page.messages);
  assert.ok(model.length > 0);
}
const all = JSON.parse(await send('GET', `${otherPath}?format=ui`)).messages;
const outputs = all.flatMap((message) => message.parts).filter((part) => part.state === 'output-available').map((part) => part.output);
assert.deepEqual(outputs, ['one', [{ type: 'text', text: 'two' }], 'late', 'without a call', 'done']);
console.log('✓ messages of other origins are valid UIMessages');
