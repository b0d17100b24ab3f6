-- Creates a session with messages, or returns the stored reply of the same Idempotency-Key.
local DOC, MSGS, IDS, ALL_SESSIONS, VOLUME_SESSIONS, REPLY, ORIGIN = unpack(KEYS)
local id, document, micros, fingerprint, reply_seconds, count, token = unpack(ARGV, 1, 7)
local FIRST_MESSAGE = 9
-- KEYS: the document, the messages, the ids of messages (see messages.lua), the set of all sessions, the set of the
--       volume's sessions; with an Idempotency-Key also its reply, and the key that stores the name of the reply for the
--       session
-- ARGV: id, document, current time in microseconds, fingerprint of the request, seconds to keep a reply, number of
--       messages, the token in the document if the client chose the id or '', Idempotency-Key or '', the messages, then
--       id and seq of each message whose id does not tell its seq
-- Returns {'created'}, {'replayed', document, messages that it was created with}, {'deleted'}, {'mismatch'}, or {'exists'}
--         if another session has the id

if REPLY then
  local reply = call_own_type('HMGET', REPLY, 'fingerprint', 'document', 'messages')
  if reply[1] then
    if reply[1] ~= fingerprint then
      return {'mismatch'}
    end
    if not reply[2] then
      return {'deleted'}
    end
    local created = decode(reply[2]).id
    return {'replayed', reply[2], first_messages(messages_key(tostring(created)), reply[3])}
  end
end

local existing = peek_document(DOC)
if existing then
  return {is_created_by(token, existing) and 'created' or 'exists'}
end
if token ~= '' and redis.call('EXISTS', MSGS) == 1 then
  -- Messages of a session whose document was lost.
  return {'exists'}
end

expect_type(MSGS, 'list')
expect_type(ALL_SESSIONS, 'set')
expect_type(VOLUME_SESSIONS, 'set')
redis.call('SET', DOC, document)
store_messages(MSGS, IDS, FIRST_MESSAGE, tonumber(count))
local decoded = decode(document)
local sets = {ALL_SESSIONS, VOLUME_SESSIONS}
for index, scope in ipairs(scopes_of(decoded)) do
  if redis.call('SADD', sets[index], id) == 1 then
    count_indexed(scope, 1)
  end
end
add_to_index(id, decoded, micros, token ~= '')
if REPLY then
  redis.call('HSET', REPLY, 'fingerprint', fingerprint, 'document', document, 'messages', count)
  redis.call('EXPIRE', REPLY, reply_seconds)
  redis.call('SET', ORIGIN, REPLY, 'EX', reply_seconds)
end
return {'created'}
