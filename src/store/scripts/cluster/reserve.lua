-- Reserves the session id of an Idempotency-Key: the same id for every call with this key.
local REPLY = unpack(KEYS)
local fingerprint, id, seconds = unpack(ARGV, 1, 3)
-- KEYS: the reply of the Idempotency-Key
-- ARGV: fingerprint of the request, a new id, seconds to keep the reply
-- Returns {'mismatch'}, or {'reserved', id}
local reserved = call_own_type('HMGET', REPLY, 'fingerprint', 'id')
if reserved[1] and reserved[1] ~= fingerprint then
  return {'mismatch'}
end
if reserved[2] then
  return {'reserved', reserved[2]}
end
redis.call('HSET', REPLY, 'fingerprint', fingerprint, 'id', id)
redis.call('EXPIRE', REPLY, seconds)
return {'reserved', id}
