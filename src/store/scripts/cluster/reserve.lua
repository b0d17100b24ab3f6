-- Gives the id that an Idempotency-Key creates a session under: always the same.
--
-- KEYS: the reply under the Idempotency-Key
-- ARGV: fingerprint of the request, an id that was never used, seconds that the reply is kept
-- Returns {'mismatch'}, or {'reserved', id}
local fingerprint, id, seconds = unpack(ARGV, 1, 3)
local reserved = own('HMGET', KEYS[1], 'fingerprint', 'id')
if reserved[1] and reserved[1] ~= fingerprint then
  return {'mismatch'}
end
if reserved[2] then
  return {'reserved', reserved[2]}
end
redis.call('HSET', KEYS[1], 'fingerprint', fingerprint, 'id', id)
redis.call('EXPIRE', KEYS[1], seconds)
return {'reserved', id}
