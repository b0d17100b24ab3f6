-- Remembers what the document of a new skill says, and forgets what is known of an earlier one of this id.
--
-- KEYS: what is remembered of the volume's skills, what is counted
-- ARGV: seconds that it is remembered, id, what is to be remembered
local seconds, id, remembered = unpack(ARGV, 1, 3)
forget_usage(KEYS[2], id)
own('HSET', KEYS[1], id, remembered)
return redis.call('EXPIRE', KEYS[1], seconds)
