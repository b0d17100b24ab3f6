-- Creates a session with its first message, or returns the stored reply of the same Idempotency-Key. The index is
-- updated by the follow-up.
local DOC, MSGS, ORIGIN = unpack(KEYS, 1, #KEYS - 1)
local id, document, micros, _, reply_seconds, message = unpack(ARGV, 1, 6)
-- KEYS: the document, the messages, with an Idempotency-Key its reply, and the last activity
-- ARGV: as in ../create.lua
-- Returns {'created'}, {'replayed', document, first message or ''}, or {'deleted'}

if ORIGIN then
  local reply = call_own_type('HMGET', ORIGIN, 'created', 'document', 'message')
  if reply[1] and not reply[2] then
    return {'deleted'}
  end
  if reply[1] then
    finish_change(id, decode(reply[2]))
    return {'replayed', reply[2], reply[3]}
  end
end

-- Ids are unique, so an existing session was created by the first attempt of this request, whose reply was lost.
local existing = peek_document(DOC)
if existing then
  finish_change(id, decode(existing))
  return {'created'}
end

expect_type(MSGS, 'list')
redis.call('SET', DOC, document)
if message ~= '' then
  redis.call('RPUSH', MSGS, message)
end
update_activity(id, decode(document), micros)
if ORIGIN then
  redis.call('HSET', ORIGIN, 'created', '1', 'document', document, 'message', message)
  redis.call('EXPIRE', ORIGIN, reply_seconds)
end
return {'created'}
