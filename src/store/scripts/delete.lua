-- Deletes a session: its document, messages and replies, and every index entry.
--
-- KEYS: the document, the messages, the replies, their expiries
-- ARGV: id
-- Returns 1, or 0 where there was none
local id = ARGV[1]

local text = peek_document(KEYS[1])
if not text then
  return 0
end
-- What is not a session's document can be deleted too; it says no volume to be removed from.
local document = decode(text)
redis.call('UNLINK', unpack(KEYS))
for _, scope in ipairs(scopes_of(document)) do
  local removed = redis.call('SREM', members_key(scope), id)
  if removed == 1 and redis.call('DECR', indexed_key(scope)) <= 0 then
    redis.call('DEL', indexed_key(scope))
  end
  remove_from_buckets(scope, id)
end
return 1
