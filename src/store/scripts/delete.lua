-- Deletes a session: its document, messages and replies, and every index entry.
--
-- KEYS: the document, the messages, the replies, their expiries, and where the name of the reply that
--       created the session is kept
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
-- Of that reply stays that it was given, so that a late repetition does not create the session again.
local reply_key = own('GET', KEYS[5])
-- What stands there is believed only where it names a reply: what is no hash there is dropped.
if reply_key and reply_key:find('llmos:reply:', 1, true) == 1 then
  own('HDEL', reply_key, 'document', 'message')
end
redis.call('UNLINK', unpack(KEYS))
for _, scope in ipairs(scopes_of(document)) do
  -- What is no set holds no id.
  if redis.pcall('SREM', members_key(scope), id) == 1 and count_indexed(scope, -1) <= 0 then
    redis.call('DEL', indexed_key(scope))
  end
  remove_from_buckets(scope, id)
end
return 'deleted'
