-- Deletes a skill from the cache, with its counts.
local SKILLS, COUNTS = unpack(KEYS)
local id = ARGV[1]
-- KEYS: the cached skills of the volume, the counts of its skills
-- ARGV: id
-- Returns the number of deleted counts
call_own_type('HDEL', SKILLS, id)
return delete_usage(COUNTS, id)
