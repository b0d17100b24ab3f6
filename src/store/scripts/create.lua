-- Creates a session with its first message, or answers what the same Idempotency-Key answered before.
--
-- KEYS: the document, the messages, the set of all sessions, the set of the volume's sessions, and, if
--       there is an Idempotency-Key, the reply under it, and where the session keeps the reply's name
-- ARGV: id, document, microseconds of now, fingerprint of the request, seconds that a reply is kept,
--       the first message or ''
-- Returns {'created'}, {'replayed', document, first message or ''}, {'deleted'}, or {'mismatch'}
local id, document, micros, fingerprint, reply_seconds, message = unpack(ARGV, 1, 6)
local reply_key, origin_key = KEYS[5], KEYS[6]

if reply_key then
  local reply = own('HMGET', reply_key, 'fingerprint', 'document', 'message')
  if reply[1] then
    if reply[1] ~= fingerprint then
      return {'mismatch'}
    end
    if not reply[2] then
      return {'deleted'}
    end
    return {'replayed', reply[2], reply[3]}
  end
end

-- No two sessions ever get the same id: what is there was created by this very request, whose
-- answer was lost on the way.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'created'}
end

expect_type(KEYS[2], 'list')
expect_type(KEYS[3], 'set')
expect_type(KEYS[4], 'set')
redis.call('SET', KEYS[1], document)
if message ~= '' then
  redis.call('RPUSH', KEYS[2], message)
end
local decoded = decode(document)
for index, scope in ipairs(scopes_of(decoded)) do
  if redis.call('SADD', KEYS[2 + index], id) == 1 then
    count_indexed(scope, 1)
  end
end
touch(id, decoded, micros)
if reply_key then
  redis.call('HSET', reply_key, 'fingerprint', fingerprint, 'document', document, 'message', message)
  redis.call('EXPIRE', reply_key, reply_seconds)
  redis.call('SET', origin_key, reply_key, 'EX', reply_seconds)
end
return {'created'}
