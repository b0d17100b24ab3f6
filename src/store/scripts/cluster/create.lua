-- Creates a session with its first message, or returns the stored reply of the same Idempotency-Key. The index is
-- updated by the follow-up.
local DOC, MSGS, ORIGIN = unpack(KEYS, 1, #KEYS - 1)
local id, document, micros, _, reply_seconds, message, token, key = unpack(ARGV, 1, 8)
-- KEYS: the document, the messages, with an Idempotency-Key its reply, and the last activity
-- ARGV: as in ../create.lua
-- Returns {'created'}, {'replayed', document, first message or ''}, {'deleted'}, or {'exists'} if another session has the
--         id

-- A generated id belongs to one Idempotency-Key. Requests with different keys can choose the same id.
local creator = token == '' and '1' or key

local function created_of(text)
  return string.format('%.0f', parse_time(decode(text).created_at))
end

if ORIGIN then
  local reply = call_own_type('HMGET', ORIGIN, 'created', 'document', 'message')
  local is_own = reply[1] == creator
  if is_own and not reply[2] then
    return {'deleted'}
  end
  if is_own then
    finish_change(id, decode(reply[2]))
    update_details(id, decode(reply[2]), created_of(reply[2]))
    return {'replayed', reply[2], reply[3]}
  end
end

local existing = peek_document(DOC)
if existing and is_created_by(token, existing) then
  finish_change(id, decode(existing))
  update_details(id, decode(existing), created_of(existing))
  return {'created'}
end
if existing or token ~= '' and redis.call('EXISTS', MSGS) == 1 then
  return {'exists'}
end

expect_type(MSGS, 'list')
redis.call('SET', DOC, document)
if message ~= '' then
  redis.call('RPUSH', MSGS, message)
end
update_activity(id, decode(document), micros)
update_details(id, decode(document), micros)
if ORIGIN then
  redis.call('HSET', ORIGIN, 'created', creator, 'document', document, 'message', message)
  redis.call('EXPIRE', ORIGIN, reply_seconds)
end
return {'created'}
