// Streams of the encoder in the chat of the AI SDK: `node ui_stream.mjs PACKAGE CASES` reads the body of each case with the
// chat and the default transport of a version, and checks that the message is the one that the server stores.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const [name, file] = process.argv.slice(2);
const { AbstractChat, DefaultChatTransport, lastAssistantMessageIsCompleteWithToolCalls, validateUIMessages } = await import(name);
const cases = JSON.parse(readFileSync(file, 'utf8'));

// The members that every supported version accepts, by the type of the chunk.
const text = ['id', 'providerMetadata'];
const input = ['toolCallId', 'toolName', 'input', 'providerExecuted', 'providerMetadata', 'dynamic'];
const MEMBERS = {
  start: ['messageId', 'messageMetadata'],
  'start-step': [],
  'finish-step': [],
  'text-start': text,
  'text-delta': [...text, 'delta'],
  'text-end': text,
  'reasoning-start': text,
  'reasoning-delta': [...text, 'delta'],
  'reasoning-end': text,
  'tool-input-start': ['toolCallId', 'toolName', 'providerExecuted', 'dynamic'],
  'tool-input-delta': ['toolCallId', 'inputTextDelta'],
  'tool-input-available': input,
  'tool-input-error': [...input, 'errorText'],
  'tool-output-available': ['toolCallId', 'output', 'providerExecuted', 'dynamic'],
  'tool-output-error': ['toolCallId', 'errorText', 'providerExecuted', 'dynamic'],
  'source-url': ['sourceId', 'url', 'title', 'providerMetadata'],
  file: ['url', 'mediaType', 'providerMetadata'],
  'data-x': ['id', 'data'],
  'data-llmos-title': ['data', 'transient'],
  'message-metadata': ['messageMetadata'],
  finish: ['finishReason', 'messageMetadata'],
  abort: [],
  error: ['errorText'],
};
const REASONS = ['stop', 'length', 'content-filter', 'tool-calls', 'error', 'other'];

const checkMembers = (body) => {
  const lines = body.split('\n').filter((line) => line.startsWith('data: {'));
  for (const { type, ...members } of lines.map((line) => JSON.parse(line.slice(6)))) {
    assert.ok(MEMBERS[type], `unknown type ${type}`);
    for (const member of Object.keys(members)) assert.ok(MEMBERS[type].includes(member), `${type} with ${member}`);
    if (type === 'finish') assert.ok(REASONS.includes(members.finishReason));
  }
};

class State {
  status = 'ready';
  error = undefined;
  constructor(messages) {
    this.messages = messages;
  }
  pushMessage = (message) => (this.messages = [...this.messages, message]);
  popMessage = () => (this.messages = this.messages.slice(0, -1));
  replaceMessage = (index, message) => (this.messages = this.messages.with(index, message));
  snapshot = (value) => structuredClone(value);
}

class Chat extends AbstractChat {
  constructor({ messages, ...init }) {
    super({ ...init, state: new State(messages) });
  }
}

// Versions differ in members that are not sent back: the id of a reasoning (7), the arguments of a call that did not end, and
// where unusable arguments are.
const normalized = (part) => {
  const { id, rawInput, ...rest } = JSON.parse(JSON.stringify(part));
  if (part.type === 'reasoning') return rest;
  if (part.state === 'input-streaming') delete rest.input;
  if (part.state === 'output-error') rest.input ??= rawInput;
  return id === undefined ? rest : { id, ...rest };
};

const run = async ({ kind, history, body, parts, metadata, error }) => {
  checkMembers(body);
  const requests = [];
  const calls = [];
  const data = [];
  const chat = new Chat({
    id: 'session',
    messages: history,
    transport: new DefaultChatTransport({
      fetch: async (url, options) => {
        requests.push([url, options]);
        return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
      },
    }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
    onToolCall: ({ toolCall }) => calls.push(toolCall),
    onData: (part) => data.push(part),
    onError: () => {},
  });
  if (kind === 'resume') await chat.resumeStream();
  else await chat.sendMessage(history.length ? undefined : { text: 'Hi' });
  const message = chat.messages.at(-1);
  assert.equal(message.id, 'answer');
  assert.equal(chat.messages.length, 2);
  assert.deepEqual(message.parts.map(normalized), parts);
  assert.deepEqual(message.metadata, metadata);
  assert.equal(chat.status, error === null ? 'ready' : 'error');
  if (error !== null) assert.equal(chat.error.message, error);
  // No request because of a tool of the server, and no call of one, nor of a call that has its output.
  assert.equal(requests.length, 1, 'requests');
  const waiting = parts.filter((part) => part.state === 'input-available').map((part) => part.toolCallId);
  assert.deepEqual(calls.map((call) => call.toolCallId), waiting, 'calls');
  assert.equal(data.filter((part) => part.type === 'data-llmos-title').length, body.split('data-llmos-title').length - 1);
  // What is stored is valid, and so is what the client has.
  for (const valid of [parts, message.parts]) {
    await validateUIMessages({ messages: [{ id: 'answer', role: 'assistant', metadata, parts: valid }] });
  }
};

for (const one of cases) {
  try {
    await run(one);
  } catch (error) {
    error.message = `${name}, ${one.name}: ${error.message}`;
    throw error;
  }
}
console.log(`✓ ${cases.length} streams`);
