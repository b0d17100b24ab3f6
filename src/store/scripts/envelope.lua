-- The trailing arguments of each call: the caller and the rate limit.
--
-- call.rs adds them. They are removed from ARGV here:
--   on a cluster the membership (see cluster/index.lua), the scopes that the caller may read (one per line, or '*' for
--   all), '1' if the caller may write, the key of the rate limit or '' for a call that is not charged, microseconds per
--   request, maximum burst, '1' if the call repeats one whose reply was lost
--

-- Returns the clock of Redis in microseconds, nil if the user may not read it.
local function clock()
  local time = redis.pcall('TIME')
  return not time.err and tonumber(time[1]) * 1000000 + tonumber(time[2]) or nil
end

local function pop_argument()
  return table.remove(ARGV)
end
local repeated = pop_argument() == '1'
local burst, interval, rate_limit_key = tonumber(pop_argument()), tonumber(pop_argument()), pop_argument()
local can_write, visible_scopes = pop_argument() == '1', pop_argument()
