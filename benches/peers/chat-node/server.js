// Chat as the AI SDK documents it ("Chatbot Resume Streams"), with Fastify instead of Next.js and chats in Redis:
// `chat:{id}` is a JSON document with the messages and the id of the active stream.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import {
  convertToModelMessages,
  generateId,
  pipeUIMessageStreamToResponse,
  streamText,
  toUIMessageStream,
  UI_MESSAGE_STREAM_HEADERS,
} from 'ai'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { createResumableStreamContext } from 'resumable-stream/ioredis'

const address = new URL(process.env.REDIS_URL)
const connect = () => new Redis({ path: address.pathname })
const redis = connect()
// The server is a process that stays, so nothing has to be kept alive.
const streams = createResumableStreamContext({ waitUntil: null, publisher: connect(), subscriber: connect() })
const model = createOpenAICompatible({ name: 'measured', baseURL: process.env.MODEL_BASE_URL }).chatModel('measured')
const app = Fastify()

app.post('/api/chat', async (request, reply) => {
  const { message, id } = request.body
  const chat = await readChat(id)
  const messages = [...chat.messages, message]
  await saveChat({ id, messages, activeStreamId: null })
  const result = streamText({ model, messages: await convertToModelMessages(messages) })
  reply.hijack()
  await pipeUIMessageStreamToResponse({
    response: reply.raw,
    stream: toUIMessageStream({
      stream: result.stream,
      originalMessages: messages,
      generateMessageId: generateId,
      onEnd: ({ messages }) => saveChat({ id, messages, activeStreamId: null }),
    }),
    async consumeSseStream({ stream }) {
      const streamId = generateId()
      await streams.createNewResumableStream(streamId, () => stream)
      await saveChat({ id, messages, activeStreamId: streamId })
    },
  })
})

app.get('/api/chat/:id/stream', async (request, reply) => {
  const chat = await readChat(request.params.id)
  if (chat.activeStreamId == null) {
    return reply.code(204).send()
  }
  return reply.headers(UI_MESSAGE_STREAM_HEADERS).send(await streams.resumeExistingStream(chat.activeStreamId))
})

async function readChat(id) {
  const document = await redis.get(`chat:${id}`)
  return document ? JSON.parse(document) : { messages: [], activeStreamId: null }
}

async function saveChat({ id, ...chat }) {
  await redis.set(`chat:${id}`, JSON.stringify(chat))
}

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
