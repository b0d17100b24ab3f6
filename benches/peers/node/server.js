// Sessions and messages in common Fastify and ioredis style: five routes with the keys and responses of llmos.
//
// In addition to the four keys of llmos there is one index: `recent:{scope}`, ids by the time of their last activity
// in microseconds.

import { randomUUID } from 'node:crypto'

import Fastify from 'fastify'
import { Redis } from 'ioredis'

const any = {}
const string = { type: 'string' }
const integer = { type: 'integer' }
const role = { type: 'string', enum: ['user', 'assistant', 'system', 'tool'] }
const volume = { type: 'string', enum: ['user', 'team', 'system'] }
const content = { type: 'string', minLength: 1, maxLength: 262_144 }

const nullable = { type: 'string', nullable: true }
const message = {
  type: 'object',
  properties: {
    id: string,
    seq: integer,
    parent_id: nullable,
    role: string,
    content: string,
    timestamp: string,
    traces: any,
    artifacts: any,
    parts: any,
    metadata: any,
    status: string,
    model: nullable,
    usage: any,
    updated_at: string,
  },
}
const messages = { type: 'array', items: message }
const session = {
  type: 'object',
  properties: {
    id: string,
    name: string,
    volume: string,
    volume_id: string,
    status: string,
    metadata: { type: 'object', additionalProperties: true },
    traces_count: integer,
    message_count: integer,
    last_seq: integer,
    created_at: string,
    updated_at: string,
    title_source: string,
    pinned: { type: 'boolean' },
    archived: { type: 'boolean' },
    tags: { type: 'array', items: string },
  },
}
const sessionWithMessages = { type: 'object', properties: { ...session.properties, messages } }
const object = (properties, required = []) => ({ type: 'object', properties, required })

const address = new URL(process.env.REDIS_URL)
const redis = new Redis({ path: address.pathname, enableAutoPipelining: true })
const app = Fastify()

app.post(
  '/api/sessions',
  {
    schema: {
      querystring: object({ volume_id: { ...string, default: 'default' } }),
      body: object(
        { name: { type: 'string', minLength: 1, maxLength: 200 }, volume, initial_message: content, metadata: { type: 'object' } },
        ['name', 'volume'],
      ),
      response: { 201: sessionWithMessages },
    },
  },
  async (request, reply) => {
    const { name, volume, initial_message, metadata = {} } = request.body
    const { volume_id } = request.query
    const { micros, now } = moment()
    const id = `sess_${randomUUID().replaceAll('-', '')}`
    const document = {
      id,
      name,
      volume,
      volume_id,
      status: 'active',
      messages: [],
      traces_count: 0,
      created_at: now,
      updated_at: now,
      metadata,
    }
    const messages = initial_message ? [stored({ role: 'user', content: initial_message }, now)] : []
    const scope = `${volume}:${volume_id}`
    const transaction = redis.multi().set(`session:${id}`, JSON.stringify(document))
    for (const message of messages) {
      transaction.rpush(`session:${id}:messages`, JSON.stringify(message))
    }
    transaction
      .sadd('all:sessions', id)
      .sadd(`${scope}:sessions`, id)
      .zadd('recent:all', micros, id)
      .zadd(`recent:${scope}`, micros, id)
    await all(transaction)
    reply.code(201).header('location', `/api/sessions/${id}`)
    const count = messages.length
    return { ...organised(document), messages: messages.map((it) => shown(it, 1, null)), message_count: count, last_seq: count }
  },
)

app.get(
  '/api/sessions',
  {
    schema: {
      querystring: object(
        {
          volume,
          volume_id: { ...string, default: 'default' },
          limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
          cursor: string,
        },
        ['volume'],
      ),
      response: {
        200: object({ sessions: { type: 'array', items: session }, next_cursor: { type: 'string', nullable: true } }),
      },
    },
  },
  async (request) => {
    const { volume, volume_id, limit, cursor } = request.query
    const [start, after] = cursor ? JSON.parse(Buffer.from(cursor, 'base64url')) : ['+inf', '']
    const recent = await redis.zrevrangebyscore(
      `recent:${volume}:${volume_id}`, start, '-inf', 'WITHSCORES', 'LIMIT', 0, limit + 2,
    )
    const entries = []
    for (let index = 0; index < recent.length; index += 2) {
      const [id, micros] = [recent[index], Number(recent[index + 1])]
      if (!cursor || micros < start || (micros === start && id < after)) {
        entries.push({ id, micros })
      }
    }
    const page = entries.slice(0, limit)
    const pipeline = redis.pipeline()
    for (const { id } of page) {
      pipeline.get(`session:${id}`).llen(`session:${id}:messages`)
    }
    const found = await all(pipeline)
    const sessions = page.flatMap(({ micros }, index) =>
      found[2 * index] === null ? [] : [view(found[2 * index], found[2 * index + 1], micros)],
    )
    const last = page.at(-1)
    const next = entries.length > limit ? Buffer.from(JSON.stringify([last.micros, last.id])).toString('base64url') : null
    return { sessions, next_cursor: next }
  },
)

app.get(
  '/api/sessions/:id',
  {
    schema: {
      querystring: object({ messages: { type: 'integer', minimum: 0, maximum: 200, default: 50 } }),
      response: { 200: sessionWithMessages },
    },
  },
  async (request, reply) => {
    const { id } = request.params
    const limit = request.query.messages
    const key = `session:${id}`
    const [document, count, texts, micros] = await all(
      redis.multi().get(key).llen(`${key}:messages`).lrange(`${key}:messages`, -limit - 1, -1).zscore('recent:all', id),
    )
    if (document === null) {
      return missing(reply)
    }
    return { ...view(document, count, Number(micros ?? 0)), messages: latest(texts, count, limit) }
  },
)

app.get(
  '/api/sessions/:id/messages',
  {
    schema: {
      querystring: object({ limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 } }),
      response: { 200: object({ messages, has_more: { type: 'boolean' } }) },
    },
  },
  async (request, reply) => {
    const key = `session:${request.params.id}`
    const [exists, count, texts] = await all(
      redis.multi().exists(key).llen(`${key}:messages`).lrange(`${key}:messages`, -request.query.limit - 1, -1),
    )
    if (!exists) {
      return missing(reply)
    }
    return { messages: latest(texts, count, request.query.limit), has_more: count > request.query.limit }
  },
)

app.post(
  '/api/sessions/:id/messages',
  {
    schema: {
      body: object({ role, content, timestamp: string, traces: any, artifacts: any }, ['role', 'content']),
      response: {
        200: object({
          message: string,
          session_id: string,
          messages,
          deduplicated: { type: 'array', items: string },
          message_count: integer,
          last_seq: integer,
        }),
      },
    },
  },
  async (request, reply) => {
    const { id } = request.params
    const key = `session:${id}`
    const [document, before] = await all(redis.pipeline().get(key).lindex(`${key}:messages`, -1))
    if (document === null) {
      return missing(reply)
    }
    const { volume, volume_id } = JSON.parse(document)
    const { micros, now } = moment()
    const message = stored(request.body, now)
    const [count] = await all(
      redis
        .multi()
        .rpush(`${key}:messages`, JSON.stringify(message))
        .zadd('recent:all', 'GT', micros, id)
        .zadd(`recent:${volume}:${volume_id}`, 'GT', micros, id),
    )
    return {
      message: 'Message added to session',
      session_id: id,
      messages: [shown(message, count, before && JSON.parse(before).id)],
      deduplicated: [],
      message_count: count,
      last_seq: count,
    }
  },
)

// Returns the replies to all commands of a pipeline or a transaction; throws the first error.
async function all(pipeline) {
  const answers = await pipeline.exec()
  return answers.map(([error, answer]) => {
    if (error) {
      throw error
    }
    return answer
  })
}

function stored({ role, content, timestamp, traces = null, artifacts = null }, now) {
  const id = `msg_${randomUUID().replaceAll('-', '')}`
  return { id, role, content, timestamp: timestamp ?? now, traces, artifacts }
}

function view(document, count, micros) {
  const fields = JSON.parse(document)
  const activity = textOf(micros)
  organised(fields)
  fields.message_count = count
  fields.last_seq = count
  fields.updated_at = activity > fields.updated_at ? activity : fields.updated_at
  return fields
}

// Returns the last messages, each with the one before it as its parent; one more was read.
function latest(texts, count, limit) {
  const first = count - texts.length + 1
  const messages = texts.map((text) => JSON.parse(text))
  const all = messages.map((message, index) => shown(message, first + index, index ? messages[index - 1].id : null))
  return limit ? all.slice(-limit) : []
}

function shown(message, seq, parent_id) {
  message.seq = seq
  message.parent_id = parent_id
  message.parts ??= null
  message.metadata ??= null
  message.status ??= 'completed'
  message.model ??= null
  message.usage ??= null
  message.updated_at ??= message.timestamp
  return message
}

function organised(fields) {
  fields.title_source ??= 'client'
  fields.pinned ??= false
  fields.archived ??= false
  fields.tags ??= []
  return fields
}

function missing(reply) {
  return reply.code(404).send({ detail: 'The session does not exist.' })
}

function moment() {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000)
  return { micros, now: textOf(micros) }
}

function textOf(micros) {
  const fraction = String(micros % 1000).padStart(3, '0')
  return new Date(Math.floor(micros / 1000)).toISOString().replace('Z', `${fraction}Z`)
}

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
