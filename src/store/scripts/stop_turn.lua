-- Asks the producer of a turn to stop.
local turn_id, stopped_by, caller_millis = unpack(ARGV, 3, 5)
-- KEYS: as in messages.lua, then the turn
-- ARGV: as in messages.lua, id of the turn or '' for the current one, who stops it, current time in milliseconds
-- Returns false, {'read-only'}, {'none'}, or {'turn', current time in milliseconds, the fields of the turn and their
--         values}, after the change. Another turn than the given one is not changed

local function stop()
  local TURN = KEYS[FURTHER_KEYS]
  find_writable_document()
  local id, status = unpack(call_own_type('HMGET', TURN, 'id', 'status'))
  if not id then
    return {'none'}
  end
  if (turn_id == '' or turn_id == id) and (status == 'reserved' or status == 'streaming') then
    redis.call('HSET', TURN, 'status', 'stopping', 'stopped_by', stopped_by)
  end
  local now = math.floor((clock() or tonumber(caller_millis) * 1000) / 1000)
  return {'turn', now, redis.call('HGETALL', TURN)}
end

return run(stop)
