-- Charges the rate limit of the caller (GCRA).
--
-- The caller's key contains the time at which the full limit is available again. Rate limiting fails open: no failure
-- in here rejects a request.
-- A call that repeats one whose reply was lost is not charged again. If the first attempt never reached Redis, the
-- request is not charged at all.
-- Returns false if the call is not charged, {'allowed', requests left, microseconds until the full limit is available},
--         or {'limited', microseconds to wait}
local function charge_rate_limit()
  if rate_limit_key == '' then
    return false
  end
  local now = clock()
  if not now then
    return false
  end
  local stored = redis.pcall('GET', rate_limit_key)
  local is_time = type(stored) == 'string' and stored:match('^%d+$')
  local due = math.max(is_time and tonumber(stored) or 0, now) + (repeated and 0 or interval)
  local spare = now + interval * burst - due
  if spare < 0 and spare >= -interval then
    return {'limited', math.ceil(-spare)}
  end
  if spare < 0 then
    -- No sequence of requests leads here: the limit was changed, or another program wrote the value.
    due, spare = now + interval * burst, 0
  end
  redis.pcall('SET', rate_limit_key, string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000))
  return {'allowed', math.floor(spare / interval), math.ceil(due - now)}
end
