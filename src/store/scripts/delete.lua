-- Deletes a session: its document, messages and replies, and every index entry.
--
-- KEYS: the document, the messages, the replies, their expiries, where the name of the reply that created the
--       session is kept; on a cluster the reply itself and, behind it, the last activity
-- ARGV: id, '1' if this is repeated because an answer was lost, and, if it is to be deleted only as it was
--       read, the document and the message count
-- Returns 'deleted', 'missing', 'read-only' or 'changed'
local id, repeated, read, count = unpack(ARGV, 1, 4)

local text = peek_own_document(id, KEYS[1])
if not text then
  -- What is gone when its deletion is repeated was most likely there the first time.
  return repeated == '1' and 'deleted' or 'missing'
end
local access = access_to(id, text)
if access ~= 'write' then
  return access and 'read-only' or 'missing'
end
if read and (text ~= read or redis.call('LLEN', KEYS[2]) ~= tonumber(count)) then
  return 'changed'
end
-- What is not a session's document can be deleted too; it says no volume to be removed from.
local document = decode(text)
forget_answer(KEYS[5])
redis.call('UNLINK', unpack(KEYS))
forget(id, document)
return 'deleted'
