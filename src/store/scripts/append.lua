-- Appends messages to a session, or answers what the same Idempotency-Key answered before.
--
-- KEYS: the document, the messages, the replies under callers' Idempotency-Keys, and when those expire
-- ARGV: id, microseconds of now, '1' if this is repeated because an answer was lost,
--       Idempotency-Key or '', fingerprint of the request, seconds that a reply is kept, messages
-- Returns nothing, {'appended', seq of the first}, {'replayed', seq of the first, messages},
--         {'mismatch'}, or {'read-only'}
local FIRST_MESSAGE = 7
local id, micros, repeated, key, fingerprint, reply_seconds = unpack(ARGV, 1, 6)

local document, access = find_document(id, KEYS[1])
if not document then
  return false
end
if access ~= 'write' then
  return {'read-only'}
end

expect_session(document)

local now
if key ~= '' then
  -- By Redis's clock, where we may ask for it: callers' clocks differ, and one that is ahead would have every key
  -- expire.
  now = math.floor((clock() or micros) / 1000000)
  local kept, expiry = own('HGET', KEYS[3], key), own('ZSCORE', KEYS[4], key)
  if kept and not (expiry and tonumber(expiry) <= now) then
    local reply = decode(kept)
    local first, last = count_in(tostring(reply.first)), count_in(tostring(reply.last))
    local says_what = first > 0 and last >= first
    -- What says nothing of an answer is lost, as all of ours may be.
    if says_what and reply.fingerprint ~= fingerprint then
      return {'mismatch'}
    elseif says_what then
      complete(id, decode(document))
      return {'replayed', first, redis.call('LRANGE', KEYS[2], first - 1, last - 1)}
    end
  end
elseif repeated == '1' then
  -- A message holds an id of its own, so the one that was sent before is found by its text.
  local place = redis.call('LPOS', KEYS[2], ARGV[FIRST_MESSAGE], 'RANK', -1)
  if place then
    complete(id, decode(document))
    return {'appended', place + 1}
  end
end

local last = redis.call('RPUSH', KEYS[2], unpack(ARGV, FIRST_MESSAGE))
local first = last - (#ARGV - FIRST_MESSAGE)
touch(id, decode(document), micros)

if key ~= '' then
  -- Forgets replies that expired, a few at a time so that no request pays for all.
  for _, expired in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 10)) do
    redis.call('HDEL', KEYS[3], expired)
    redis.call('ZREM', KEYS[4], expired)
  end
  local reply = cjson.encode({fingerprint = fingerprint, first = first, last = last})
  redis.call('HSET', KEYS[3], key, reply)
  redis.call('ZADD', KEYS[4], now + reply_seconds, key)
  redis.call('EXPIRE', KEYS[3], reply_seconds)
  redis.call('EXPIRE', KEYS[4], reply_seconds)
end
return {'appended', first}
