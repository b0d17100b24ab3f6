-- Caches a new skill, and deletes the counts of an earlier skill with this id.
local SKILLS, COUNTS = unpack(KEYS)
local seconds, id, cached = unpack(ARGV, 1, 3)
-- KEYS: the cached skills of the volume, the counts of its skills
-- ARGV: seconds to keep the cache, id, the skill
-- Returns 1
delete_usage(COUNTS, id)
call_own_type('HSET', SKILLS, id, cached)
return redis.call('EXPIRE', SKILLS, seconds)
