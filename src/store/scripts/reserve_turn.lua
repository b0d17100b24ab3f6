-- Reserves a turn of a caller within their limits, or changes what a reserved turn may still use.
local TURNS, DAYS = unpack(KEYS)
local turn_id, day, caller_millis, duration, record, is_change = unpack(ARGV, 1, 6)
local most_tokens, most_dollars, most_units = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local max_turns, max_starts, max_tokens, max_dollars, max_units =
  tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
-- KEYS: the turns of the caller, the sums of the caller by day
-- ARGV: id of the turn, day, current time and longest duration of the turn in milliseconds, record of the turn, '1' if the
--       turn is reserved already, the most tokens, dollars and units that it uses; then the limits, '' for none: turns at a
--       time, turns per minute, tokens, and dollars and units per day
-- Returns {'reserved', id and record of turns that were not settled, …}, or
--         {'exhausted', name of the limit, milliseconds until it is back, '1' if the end of a turn helps before that}
local MINUTE, DAY = 60000, 86400000
-- Turns are forgotten this long after they should have ended.
local FORGET = 2 * DAY

local now = math.floor((clock() or tonumber(caller_millis) * 1000) / 1000)
local reply = {'reserved'}
local running, starts, tokens, dollars, units = 0, 0, most_tokens, most_dollars, most_units
local earliest_end, earliest_start
local known = call_own_type('HGET', TURNS, turn_id)
if known and is_change ~= '1' then
  -- An earlier attempt of this call reserved it.
  return reply
end
if not known and is_change == '1' then
  -- It has ended.
  return reply
end
local fields = redis.call('HGETALL', TURNS)
for place = 1, #fields, 2 do
  local id, value = fields[place], fields[place + 1]
  local started, deadline, state, its_tokens, its_dollars, its_units, its_record =
    value:match('^(%d+) (%d+) (%a+) (%d+) (%d+) (%d+) ?(.*)$')
  started, deadline = tonumber(started), tonumber(deadline)
  if not started or deadline + FORGET <= now or (state == 'ended' and started + MINUTE <= now) then
    redis.call('HDEL', TURNS, id)
  elseif id ~= turn_id then
    if started + MINUTE > now then
      starts = starts + 1
      earliest_start = math.min(earliest_start or started, started)
    end
    if state == 'running' and deadline > now then
      running = running + 1
      earliest_end = math.min(earliest_end or deadline, deadline)
      tokens = tokens + tonumber(its_tokens)
      dollars, units = add_amounts(dollars, units, tonumber(its_dollars), tonumber(its_units))
    elseif state == 'running' and deadline + MINUTE <= now and #reply < 20 then
      reply[#reply + 1] = id
      reply[#reply + 1] = its_record
    end
  end
end

if not known then
  if max_turns and running >= max_turns then
    return {'exhausted', 'concurrent_turns', earliest_end - now, '1'}
  end
  if max_starts and starts >= max_starts then
    return {'exhausted', 'turns_per_minute', earliest_start + MINUTE - now, '0'}
  end
end
local function is_over(its_tokens, its_dollars, its_units)
  if max_tokens and its_tokens > max_tokens then
    return 'tokens_per_day'
  end
  if max_dollars and (its_dollars > max_dollars or (its_dollars == max_dollars and its_units > max_units)) then
    return 'cost_per_day'
  end
end
local used = parse_sums(call_own_type('HGET', DAYS, day))
local all_dollars, all_units = add_amounts(dollars, units, used[6], used[7])
local limit = is_over(tokens + used[2] + used[3], all_dollars, all_units)
if limit then
  local own_dollars, own_units = add_amounts(most_dollars, most_units, used[6], used[7])
  local helps = earliest_end and not is_over(most_tokens + used[2] + used[3], own_dollars, own_units)
  local wait = (math.floor(now / DAY) + 1) * DAY - now
  return {'exhausted', limit, helps and math.min(wait, earliest_end - now) or wait, helps and '1' or '0'}
end

local started, deadline = now, now + tonumber(duration)
if known then
  started, deadline, record = known:match('^(%d+) (%d+) %a+ %d+ %d+ %d+ ?(.*)$')
end
local numbers = string.format('%.0f %.0f running %.0f %.0f %.0f ', started, deadline, most_tokens, most_dollars, most_units)
redis.call('HSET', TURNS, turn_id, numbers .. record)
redis.call('PEXPIRE', TURNS, math.max(deadline + FORGET - now, redis.call('PTTL', TURNS)))
return reply
