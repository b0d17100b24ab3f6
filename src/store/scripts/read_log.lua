-- Reads entries of the log of a turn, and the state of the turn. The caller's access was checked before.
--
-- KEYS: the turn, the log
-- ARGV: number of the entry before the first one, maximum number of entries, current time in milliseconds
-- Returns {current time in milliseconds, the fields of the turn and their values, the entries as XRANGE returns them}
local entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])
local now = math.floor((clock() or tonumber(ARGV[3]) * 1000) / 1000)
return {now, redis.call('HGETALL', KEYS[1]), entries}
