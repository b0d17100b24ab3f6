-- Indexes members of a scope's set; their own slots returned the arguments.
local MEMBERS, INDEXING = unpack(KEYS)
local scope, position, with_details = unpack(ARGV, 1, 3)
-- KEYS: all keys of the scope's index, beginning with its set and the position of indexing
-- ARGV: scope, position to continue from, '1' if all details are indexed as well, then id, bucket ('' if the session is
--       missing), microseconds of its activity and of its creation, and '1' if it is pinned, repeated
-- Returns true
for index = 4, #ARGV, 5 do
  local id, bucket, micros, created, pinned = unpack(ARGV, index, index + 4)
  if bucket == '' then
    redis.call('SREM', MEMBERS, id)
  else
    if not indexed_activity(scope, id) then
      call_own_type('ZADD', recent_key(scope, bucket), micros, id)
    end
    put_details(scope, id, created, pinned == '1')
  end
end
if position ~= '0' then
  redis.call('SET', INDEXING, position)
  return true
end
redis.call('DEL', INDEXING)
set_indexed(scope, MEMBERS)
if with_details == '1' then
  set_complete(scope, MEMBERS)
end
return true
