-- Has a scope's index forget sessions that are gone.
--
-- KEYS: those of the scope's index
-- ARGV: scope, ids
local scope = ARGV[1]
for index = 2, #ARGV do
  local id = ARGV[index]
  -- What is no set holds no id.
  if redis.pcall('SREM', members_key(scope), id) == 1 then
    count_indexed(scope, -1)
  end
  remove_from_buckets(scope, id)
end
if count_indexed(scope, 0) <= 0 then
  redis.call('DEL', indexed_key(scope))
end
return true
