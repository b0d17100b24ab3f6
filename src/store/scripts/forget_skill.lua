-- Forgets a skill that was deleted.
--
-- KEYS: what is remembered of the volume's skills, what is counted
-- ARGV: id
local id = ARGV[1]
own('HDEL', KEYS[1], id)
return forget_usage(KEYS[2], id)
