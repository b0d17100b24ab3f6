-- Puts a session that was created or changed into a scope's index.
local scope, id, micros, bucket, details, created, is_forced = unpack(ARGV, 1, 7)
-- KEYS: all keys of the scope's index (shared functions build them from the scope)
-- ARGV: scope, id, microseconds of the last activity, bucket, details and microseconds of the creation (see index.lua),
--       '1' to update the index even if it contains a later activity, which was then lost with a node
-- Returns true

local known = indexed_activity(scope, id)
-- A later activity in the index means that the follow-up of a later change arrived first.
local is_overtaken = known and known > tonumber(micros) and is_forced ~= '1'
if not is_overtaken then
  if known and known > tonumber(micros) then
    micros = string.format('%.0f', known)
  end
  if call_own_type('ZADD', recent_key(scope, bucket), micros, id) == 1 then
    remove_from_buckets(scope, id, bucket)
  end
end
-- That later change may be an append, which does not change the details. A list leaves out a session that it does not
-- find to be pinned.
if details == '1' or created ~= '' or details == '0' and not is_overtaken then
  put_details(scope, id, created, details == '1')
end
-- If the key is not a set, the session is still listed by the index.
if redis.pcall('SADD', members_key(scope), id) == 1 then
  count_indexed(scope, 1)
end
return true
