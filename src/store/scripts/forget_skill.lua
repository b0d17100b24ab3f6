-- Forgets a skill that was deleted.
--
-- KEYS: what is remembered of the volume's skills, what is counted
-- ARGV: id
local id = ARGV[1]
redis.call('HDEL', KEYS[1], id)
return redis.call('HDEL', KEYS[2], 'uses:' .. id, 'successes:' .. id, 'timed:' .. id, 'milliseconds:' .. id)
