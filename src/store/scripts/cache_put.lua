-- Caches skills of one volume.
local SKILLS = unpack(KEYS)
local seconds = ARGV[1]
-- KEYS: the cached skills of the volume
-- ARGV: seconds to keep the cache, then id and skill, repeated
-- Returns 1, or 0 without skills
for index = 2, #ARGV, 2 do
  call_own_type('HSET', SKILLS, ARGV[index], ARGV[index + 1])
end
return redis.call('EXPIRE', SKILLS, seconds)
