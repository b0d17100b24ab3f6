-- Puts a session that was created or changed into a scope's index.
local scope, id, micros, bucket, is_forced = unpack(ARGV, 1, 5)
-- KEYS: all keys of the scope's index (shared functions build them from the scope)
-- ARGV: scope, id, microseconds of the last activity, bucket, '1' to update the index even if it contains a later
--       activity, which was then lost with a node
-- Returns true

local known = indexed_activity(scope, id)
-- A later activity in the index means that the follow-up of a later change arrived first.
if not known or known <= tonumber(micros) or is_forced == '1' then
  if known and known > tonumber(micros) then
    micros = string.format('%.0f', known)
  end
  call_own_type('ZADD', recent_key(scope, bucket), micros, id)
  remove_from_buckets(scope, id, bucket)
end
-- If the key is not a set, the session is still listed by the index.
if redis.pcall('SADD', members_key(scope), id) == 1 then
  count_indexed(scope, 1)
end
return true
