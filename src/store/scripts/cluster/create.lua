-- Creates a session with its first message, or answers what the same Idempotency-Key answered before. The index
-- follows.
--
-- KEYS: the document, the messages, if there is an Idempotency-Key what it answered, the last activity
-- ARGV: as of the other create.lua
-- Returns {'created'}, {'replayed', document, first message or ''}, or {'deleted'}
local id, document, micros, _, reply_seconds, message = unpack(ARGV, 1, 6)
local origin_key = #KEYS == 4 and KEYS[3]

if origin_key then
  local reply = own('HMGET', origin_key, 'created', 'document', 'message')
  if reply[1] and not reply[2] then
    return {'deleted'}
  end
  if reply[1] then
    complete(id, decode(reply[2]))
    return {'replayed', reply[2], reply[3]}
  end
end

-- No two sessions ever get the same id: what is there was created by this very request, whose
-- answer was lost on the way.
local there = peek_document(KEYS[1])
if there then
  complete(id, decode(there))
  return {'created'}
end

expect_type(KEYS[2], 'list')
redis.call('SET', KEYS[1], document)
if message ~= '' then
  redis.call('RPUSH', KEYS[2], message)
end
touch(id, decode(document), micros)
if origin_key then
  redis.call('HSET', origin_key, 'created', '1', 'document', document, 'message', message)
  redis.call('EXPIRE', origin_key, reply_seconds)
end
return {'created'}
