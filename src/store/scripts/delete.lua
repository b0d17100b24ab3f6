-- Deletes a session: its document, messages and replies, and every index entry.
--
-- KEYS: the document, the messages, the replies, their expiries
-- ARGV: id, '1' if this is repeated because an answer was lost
-- Returns 1, or 0 where there was none
local id, repeated = unpack(ARGV, 1, 2)

local text = peek_document(KEYS[1])
if not text then
  -- What is gone when its deletion is repeated was most likely there the first time.
  return tonumber(repeated)
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
