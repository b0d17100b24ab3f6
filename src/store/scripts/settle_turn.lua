-- Settles a reserved turn of a caller: it stops counting as running, and what it used is added to the sums of its day.
local TURNS, DAYS = unpack(KEYS)
local turn_id, caller_millis, day, oldest, seconds = unpack(ARGV, 1, 5)
-- KEYS: as in reserve_turn.lua
-- ARGV: id of the turn, current time in milliseconds, day on which it began, first day that is kept, seconds to keep the
--       sums; then the sums, or nothing for a turn that did not begin
-- Returns 1, or 0 if the turn was settled before
local known = call_own_type('HGET', TURNS, turn_id)
local started, deadline, state, record = (known or ''):match('^(%d+) (%d+) (%a+) %d+ %d+ %d+ ?(.*)$')
if state ~= 'running' then
  return 0
end
if #ARGV == 5 then
  redis.call('HDEL', TURNS, turn_id)
  return 1
end
add_to_day(DAYS, day, parse_sums(table.concat(ARGV, ' ', 6)), oldest)
redis.call('EXPIRE', DAYS, seconds)
-- It still counts as one that began within a minute.
redis.call('HSET', TURNS, turn_id, started .. ' ' .. deadline .. ' ended 0 0 0 ')
return 1
