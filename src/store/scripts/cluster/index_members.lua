-- Indexes members of a scope's set; their own slots returned bucket and activity.
local MEMBERS, INDEXING = unpack(KEYS)
local scope, position = ARGV[1], ARGV[2]
-- KEYS: all keys of the scope's index, beginning with its set and the position of indexing
-- ARGV: scope, position to continue from, then id, bucket ('' if the session is missing) and microseconds, repeated
-- Returns true
for index = 3, #ARGV, 3 do
  local id, bucket, micros = unpack(ARGV, index, index + 2)
  if bucket == '' then
    redis.call('SREM', MEMBERS, id)
  elseif not indexed_activity(scope, id) then
    call_own_type('ZADD', recent_key(scope, bucket), micros, id)
  end
end
if position ~= '0' then
  redis.call('SET', INDEXING, position)
  return true
end
redis.call('DEL', INDEXING)
set_indexed(scope, MEMBERS)
return true
