-- Deletes a session: its document, messages, replies and index entries.
local DOC, MSGS, _, _, ORIGIN = unpack(KEYS)
local TURN = KEYS[12]
local id, expected, expected_state = unpack(ARGV, 1, 3)
-- KEYS: the document, the messages, the replies, the expiry times of the replies, the name of the reply that created
--       the session (on a cluster that reply itself), the keys of the message index, the turn of chat, and on a
--       cluster the last activity
-- ARGV: id; for a conditional delete also the document and 'last seq:activity' that must be unchanged
-- Returns 'deleted', 'missing', 'read-only' or 'changed'

local text = peek_own_document(id, DOC)
if not text then
  -- If the session is missing on a repeated call, the first attempt most likely deleted it.
  return repeated and 'deleted' or 'missing'
end
local access = access_to(id, text)
if access ~= 'write' then
  return access and 'read-only' or 'missing'
end
if expected and (text ~= expected or redis.call('LLEN', MSGS) .. ':' .. activity_text(id) ~= expected_state) then
  return 'changed'
end
-- A malformed document can be deleted as well. It names no volume, so the set of its volume keeps the id.
local document = decode(text)
drop_reply(ORIGIN)
local turn = redis.pcall('HGET', TURN, 'id')
if type(turn) == 'string' then
  redis.call('UNLINK', 'llmos:turn-log:' .. tag(id) .. ':' .. turn)
end
redis.call('UNLINK', unpack(KEYS))
remove_from_index(id, document)
return 'deleted'
