-- Indexes members of a scope's set, of which their own slots told where they stand.
--
-- KEYS: those of the scope's index
-- ARGV: scope, where to go on in the set, and for each member its id, bucket, and microseconds; '' for bucket
--       where its document is gone
local scope, place = ARGV[1], ARGV[2]
for index = 3, #ARGV, 3 do
  local id, bucket, micros = unpack(ARGV, index, index + 2)
  if bucket == '' then
    redis.call('SREM', KEYS[1], id)
  elseif not indexed_activity(scope, id) then
    own('ZADD', recent_key(scope, bucket), micros, id)
  end
end
if place ~= '0' then
  redis.call('SET', KEYS[2], place)
  return true
end
redis.call('DEL', KEYS[2])
note_indexed(scope, KEYS[1])
return true
