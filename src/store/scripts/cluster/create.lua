-- Creates a session with messages, or returns the stored reply of the same Idempotency-Key. The index is
-- updated by the follow-up.
local DOC, MSGS, IDS, ORIGIN = unpack(KEYS, 1, #KEYS - 1)
local id, document, micros, _, reply_seconds, count, token, key = unpack(ARGV, 1, 8)
local FIRST_MESSAGE = 9
-- KEYS: the document, the messages, the ids of messages, with an Idempotency-Key its reply, and the last activity
-- ARGV: as in ../create.lua
-- Returns {'created'}, {'replayed', document, messages that it was created with}, {'deleted'}, or {'exists'} if another session has the
--         id

-- A generated id belongs to one Idempotency-Key. Requests with different keys can choose the same id.
local creator = token == '' and '1' or key

local function created_of(text)
  return string.format('%.0f', parse_time(decode(text).created_at))
end

if ORIGIN then
  local reply = call_own_type('HMGET', ORIGIN, 'created', 'document', 'messages')
  local is_own = reply[1] == creator
  if is_own and not reply[2] then
    return {'deleted'}
  end
  if is_own then
    finish_change(id, decode(reply[2]))
    update_details(id, decode(reply[2]), created_of(reply[2]))
    return {'replayed', reply[2], first_messages(MSGS, reply[3])}
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
store_messages(MSGS, IDS, FIRST_MESSAGE, tonumber(count))
update_activity(id, decode(document), micros)
update_details(id, decode(document), micros)
if ORIGIN then
  redis.call('HSET', ORIGIN, 'created', creator, 'document', document, 'messages', count)
  redis.call('EXPIRE', ORIGIN, reply_seconds)
end
return {'created'}
