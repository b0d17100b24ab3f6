-- Has a scope's index follow a session that was created or changed.
--
-- KEYS: those of the scope's index
-- ARGV: scope, id, microseconds of its last activity, bucket, '1' if the index is to follow although it knows of a
--       later activity, which then was lost
local scope, id, micros, bucket, is_certain = unpack(ARGV, 1, 5)

local known = indexed_activity(scope, id)
-- What follows a later change came first.
if not known or known <= tonumber(micros) or is_certain == '1' then
  if known and known > tonumber(micros) then
    micros = string.format('%.0f', known)
  end
  own('ZADD', recent_key(scope, bucket), micros, id)
  remove_from_buckets(scope, id, bucket)
end
-- What is no set holds no id: the session is listed all the same.
if redis.pcall('SADD', members_key(scope), id) == 1 then
  count_indexed(scope, 1)
end
return true
