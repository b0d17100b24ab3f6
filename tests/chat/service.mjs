// The AI SDK against the service with a scripted model: `node service.mjs PACKAGE BASE`. What the client has must be what
// `?format=ui` returns.
import assert from 'node:assert/strict';
import { get, until } from './http.mjs';

const [name, base] = process.argv.slice(2);
const { AbstractChat, DefaultChatTransport, TextStreamChatTransport, lastAssistantMessageIsCompleteWithToolCalls } = await import(name);
const NUMBERS = Array.from({ length: 40 }, (_, number) => `${number} `).join('');
const SHORT = 'Short é 😀.';
const tools = [{ name: 'weather', description: 'The weather', inputSchema: { type: 'object' } }];

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
  constructor({ messages = [], ...init }) {
    super({ ...init, state: new State(messages) });
  }
}

const api = `${base}/api/chat`;
const newChat = (id, more = {}) => new Chat({
  id, transport: new DefaultChatTransport({ api }), onError: (error) => { throw error; }, ...more,
});
const stored = async (id) => (await get(`${base}/api/sessions/${id}/messages?format=ui`)).messages;
const turnOf = async (id) => {
  const response = await fetch(`${api}/${id}/turn`);
  return response.ok ? (await response.json()).turn : null;
};
const stop = async (id) => {
  const response = await fetch(`${api}/${id}/stop`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
  return response.json();
};
// Members that are `undefined`, and the states of text, which a client that left does not know, are not compared.
const normalized = (messages, withStates = true) => messages.map(({ id, role, parts }) => ({
  id, role,
  parts: JSON.parse(JSON.stringify(parts), (key, value) => (key === 'state' && ['done', 'streaming'].includes(value) && !withStates ? undefined : value))
    .map(({ state, ...part }) => (part.type === 'text' && role === 'user' ? part : { state, ...part })),
}));
const assertStored = async (chat, count) => {
  const messages = await stored(chat.id);
  assert.equal(messages.length, count);
  assert.deepEqual(normalized(chat.messages), normalized(messages));
  assert.equal(chat.status, 'ready');
  return messages;
};
const textOf = (message) => message.parts.filter((part) => part.type === 'text').map((part) => part.text).join('');
// Waits until a turn has sent some of its answer.
const streaming = (chat) => until('the answer begins', () => chat.messages.at(-1)?.role === 'assistant' && textOf(chat.messages.at(-1)).length > 6);

const flows = {
  'submit, edit and regenerate': async () => {
    const chat = newChat('submitted');
    await chat.sendMessage({ text: 'first' });
    await chat.sendMessage({ text: 'second' });
    assert.equal(textOf(chat.messages[3]), SHORT);
    await assertStored(chat, 4);

    await chat.sendMessage({ text: 'changed', messageId: chat.messages[2].id });
    assert.equal(chat.messages.length, 4);
    const edited = await assertStored(chat, 4);
    assert.equal(textOf(edited[2]), 'changed');

    const before = edited[3].id;
    await chat.regenerate();
    const again = await assertStored(chat, 4);
    assert.notEqual(again[3].id, before);
    // Also of an earlier message.
    await chat.regenerate({ messageId: again[1].id });
    const shorter = await assertStored(chat, 2);
    assert.notEqual(shorter[1].id, again[1].id);
  },

  'a message goes on after the output of a tool': async () => {
    const calls = [];
    const chat = newChat('tools', {
      transport: new DefaultChatTransport({ api, body: { tools } }),
      sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
      onToolCall: ({ toolCall }) => {
        calls.push(toolCall);
        const output = { tool: 'weather', toolCallId: toolCall.toolCallId, output: { sky: 'sunny' } };
        (chat.addToolOutput ?? chat.addToolResult)(output);
      },
    });
    await chat.sendMessage({ text: 'with a tool' });
    await until('the message goes on', () => chat.status === 'ready' && textOf(chat.messages.at(-1)).endsWith('It is sunny.'));
    assert.deepEqual(calls.map((call) => [call.toolName, call.input]), [['weather', { city: 'Bern' }]]);
    const [, answer] = await assertStored(chat, 2);
    assert.deepEqual(answer.parts.map((part) => part.type), ['step-start', 'text', 'tool-weather', 'step-start', 'text']);
  },

  'a reload in the middle goes on': async () => {
    const left = newChat('reloaded');
    const answered = left.sendMessage({ text: 'count across the reload' });
    await streaming(left);
    const history = await stored('reloaded');
    assert.deepEqual(history.map((message) => message.role), ['user']);
    const chat = newChat('reloaded', { messages: history });
    await chat.resumeStream();
    assert.equal(textOf(chat.messages[1]), NUMBERS);
    await answered;
    await assertStored(chat, 2);
    await assertStored(left, 2);
    // Nothing is left to resume.
    const later = newChat('reloaded', { messages: await stored('reloaded') });
    await later.resumeStream();
    await assertStored(later, 2);
  },

  'a message that went on after a tool is resumed as a whole': async () => {
    const chat = newChat('resumed-tool', { transport: new DefaultChatTransport({ api, body: { tools } }) });
    await chat.sendMessage({ text: 'slowly with a tool' });
    const call = chat.messages[1].parts.find((part) => part.type === 'tool-weather');
    const output = { tool: 'weather', toolCallId: call.toolCallId, output: 'sunny' };
    await (chat.addToolOutput ?? chat.addToolResult).call(chat, output);
    const answered = chat.sendMessage();
    await until('the message goes on', () => textOf(chat.messages.at(-1)).includes('3 4 '));
    const reloaded = newChat('resumed-tool', { messages: await stored('resumed-tool') });
    await reloaded.resumeStream();
    await answered;
    assert.ok(textOf(reloaded.messages[1]).endsWith(NUMBERS));
    await assertStored(reloaded, 2);
    await assertStored(chat, 2);
  },

  'stop ends the turn, and leaving does not': async () => {
    const left = newChat('left');
    const leaving = left.sendMessage({ text: 'count after the reader left' });
    await streaming(left);
    await left.stop();
    await leaving;
    await until('the turn completes', async () => (await turnOf('left')).status === 'completed');
    assert.equal(textOf((await stored('left'))[1]), NUMBERS);

    const chat = newChat('stopped');
    const answered = chat.sendMessage({ text: 'count until stopped' });
    await streaming(chat);
    assert.equal((await stop('stopped')).status, 'stopped');
    await answered;
    const [, answer] = await assertStored(chat, 2);
    assert.ok(NUMBERS.startsWith(textOf(answer)) && textOf(answer).length < NUMBERS.length);
    await chat.sendMessage({ text: 'after the stop' });
    await assertStored(chat, 4);
  },

  'only the last message is sent': async () => {
    const sizes = [];
    const chat = newChat('last-only', {
      transport: new DefaultChatTransport({
        api,
        prepareSendMessagesRequest: ({ id, messages, trigger, messageId, body }) => ({ body: { ...body, id, trigger, messageId, message: messages.at(-1) } }),
        fetch: (url, options) => {
          if (options.body) sizes.push(options.body.length);
          return fetch(url, options);
        },
      }),
    });
    for (const text of ['one', 'two', 'three']) await chat.sendMessage({ text });
    await chat.regenerate();
    await assertStored(chat, 6);
    assert.ok(Math.max(...sizes) < 300, `${sizes}`);
  },

  'plain text': async () => {
    const chat = newChat('text', { transport: new TextStreamChatTransport({ api: `${api}?format=text` }) });
    await chat.sendMessage({ text: 'as text' });
    assert.equal(textOf(chat.messages[1]), SHORT);
    assert.deepEqual((await stored('text')).map(textOf), ['as text', SHORT]);
  },

  'a failure of the model': async () => {
    const chat = newChat('failed', { onError: () => {} });
    await chat.sendMessage({ text: 'fail' });
    assert.equal(chat.status, 'error');
    assert.match(chat.error.message, /model provider/);
    await chat.regenerate();
    await assertStored(chat, 2);
  },
};

for (const [title, flow] of Object.entries(flows)) {
  try {
    await flow();
    console.log(`✓ ${title}`);
  } catch (error) {
    error.message = `${name}, ${title}: ${error.message}`;
    throw error;
  }
}
