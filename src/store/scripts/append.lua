-- Appends messages to a session, or returns the stored reply of the same Idempotency-Key.
local DOC, MSGS, REPLIES, EXPIRIES = unpack(KEYS)
local id, micros, key, fingerprint, reply_seconds = unpack(ARGV, 1, 5)
local FIRST_MESSAGE = 6
-- KEYS: the document, the messages, the replies by Idempotency-Key, and the expiry times of these replies. On a cluster
--       the key of the last activity follows; without an Idempotency-Key, the two keys of replies are missing there.
-- ARGV: id, current time in microseconds, Idempotency-Key or '', fingerprint of the request, seconds to keep a reply,
--       the messages
-- Returns false, {'appended', seq of the first message}, {'replayed', seq of the first message, messages},
--         {'mismatch'}, or {'read-only'}

local document, access = find_document(id, DOC)
if not document then
  return false
end
if access ~= 'write' then
  return {'read-only'}
end

expect_session(document)

local now
if key ~= '' then
  -- The clock of Redis, if the user may read it. The clocks of callers differ, and one that is ahead would make every
  -- key expire.
  now = math.floor((clock() or micros) / 1000000)
  local stored, expiry = call_own_type('HGET', REPLIES, key), call_own_type('ZSCORE', EXPIRIES, key)
  if stored and not (expiry and tonumber(expiry) <= now) then
    local reply = decode(stored)
    local first, last = parse_count(tostring(reply.first)), parse_count(tostring(reply.last))
    -- A malformed reply counts as lost.
    local is_valid = first > 0 and last >= first
    if is_valid and reply.fingerprint ~= fingerprint then
      return {'mismatch'}
    elseif is_valid then
      finish_change(id, decode(document))
      return {'replayed', first, redis.call('LRANGE', MSGS, first - 1, last - 1)}
    end
  end
elseif repeated then
  -- Each message contains a unique id, so its text finds the message of the first attempt.
  local place = redis.call('LPOS', MSGS, ARGV[FIRST_MESSAGE], 'RANK', -1)
  if place then
    finish_change(id, decode(document))
    return {'appended', place + 1}
  end
end

local last = redis.call('RPUSH', MSGS, unpack(ARGV, FIRST_MESSAGE))
local first = last - (#ARGV - FIRST_MESSAGE)
update_activity(id, decode(document), micros)

if key ~= '' then
  -- Deletes expired replies, a few per call, so that no request pays for all.
  for _, expired in ipairs(redis.call('ZRANGEBYSCORE', EXPIRIES, '-inf', now, 'LIMIT', 0, 10)) do
    redis.call('HDEL', REPLIES, expired)
    redis.call('ZREM', EXPIRIES, expired)
  end
  local reply = cjson.encode({fingerprint = fingerprint, first = first, last = last})
  redis.call('HSET', REPLIES, key, reply)
  redis.call('ZADD', EXPIRIES, now + reply_seconds, key)
  redis.call('EXPIRE', REPLIES, reply_seconds)
  redis.call('EXPIRE', EXPIRIES, reply_seconds)
end
return {'appended', first}
