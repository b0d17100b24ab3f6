-- Creates a session with its first message, or answers what the same Idempotency-Key answered before.
--
-- KEYS: the document, the messages, the set of all sessions, the set of the volume's sessions,
--       and the reply under the caller's Idempotency-Key if there is one
-- ARGV: id, document, microseconds of now, fingerprint of the request, seconds that a reply is kept,
--       the first message or nothing
-- Returns {'created'}, {'replayed', document, first message or ''}, or {'mismatch'}
local id, document, micros, fingerprint, reply_seconds = unpack(ARGV, 1, 5)
local message = ARGV[6] or ''
local reply_key = KEYS[5]

if reply_key then
  local reply = redis.call('HMGET', reply_key, 'fingerprint', 'document', 'message')
  if reply[1] then
    if reply[1] ~= fingerprint then
      return {'mismatch'}
    end
    return {'replayed', reply[2], reply[3]}
  end
end

-- No two sessions ever get the same id: what is there was created by this very request, whose
-- answer was lost on the way.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'created'}
end

redis.call('SET', KEYS[1], document)
if message ~= '' then
  redis.call('RPUSH', KEYS[2], message)
end
local decoded = decode(document)
for index, scope in ipairs(scopes_of(decoded)) do
  if redis.call('SADD', KEYS[2 + index], id) == 1 then
    redis.call('INCR', indexed_key(scope))
  end
end
touch(id, decoded, micros)
if reply_key then
  redis.call('HSET', reply_key, 'fingerprint', fingerprint, 'document', document, 'message', message)
  redis.call('EXPIRE', reply_key, reply_seconds)
end
return {'created'}
