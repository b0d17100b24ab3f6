-- Counts a request on its caller's limit (GCRA).
--
-- Under the caller's key stands the moment at which all that was asked for so far will have been worth its time.
-- Whatever is wrong with counting, nobody is locked out by it.
-- Returns nothing for a call that does not count, {'allowed', requests left, microseconds until all are}, or
--         {'limited', microseconds to wait}
local function count_request()
  if limit_key == '' then
    return false
  end
  local now = clock()
  if not now then
    return false
  end
  local counted = redis.pcall('GET', limit_key)
  local is_moment = type(counted) == 'string' and counted:match('^%d+$')
  local due = math.max(is_moment and tonumber(counted) or 0, now) + interval
  local spare = now + interval * burst - due
  if spare < 0 and spare >= -interval then
    return {'limited', math.ceil(-spare)}
  end
  if spare < 0 then
    -- More than one could ever have asked for: the limit was another one, or what stands there is not ours.
    due, spare = now + interval * burst, 0
  end
  redis.pcall('SET', limit_key, string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000))
  return {'allowed', math.floor(spare / interval), math.ceil(due - now)}
end
