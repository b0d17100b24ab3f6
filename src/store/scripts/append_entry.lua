-- Appends an entry to the log of a turn, and shows that its producer is alive.
--
-- KEYS: the turn, its log
-- ARGV: id and secret of the turn, number of the entry, chunks or '' if only the life is shown, current time and time that
--       the log is kept in milliseconds
-- Returns {'fenced'} if the turn is another one, has ended, or has another producer; {'deadline'}; {'gap', last entry}; or
--         {'ok', '1' if the turn is to stop}. An entry that is stored already is 'ok'
local TURN, LOG = KEYS[1], KEYS[2]
local turn_id, owner, number, data, caller_millis, log_millis = unpack(ARGV, 1, 6)
local id, stored_owner, status, deadline, seq, bytes =
  unpack(redis.call('HMGET', TURN, 'id', 'owner', 'status', 'deadline', 'seq', 'bytes'))
local is_active = status == 'reserved' or status == 'streaming' or status == 'stopping'
if id ~= turn_id or stored_owner ~= owner or not is_active then
  return {'fenced'}
end
local now = math.floor((clock() or tonumber(caller_millis) * 1000) / 1000)
if now >= tonumber(deadline) then
  return {'deadline'}
end
local stop = status == 'stopping' and '1' or '0'
number, seq = tonumber(number), tonumber(seq)
if data == '' or number <= seq then
  redis.call('HSET', TURN, 'beat', now)
  return {'ok', stop}
end
if number > seq + 1 then
  return {'gap', seq}
end
redis.call('XADD', LOG, number .. '-0', 'k', 'c', 'd', data)
redis.call('PEXPIRE', LOG, log_millis)
redis.call('HSET', TURN, 'beat', now, 'seq', number, 'bytes', bytes + #data, 'status', status == 'reserved' and 'streaming' or status)
return {'ok', stop}
