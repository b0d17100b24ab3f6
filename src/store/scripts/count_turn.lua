-- Adds what a turn used to the sums of the volume of its session, once.
local DAYS, MODELS, SESSIONS, COUNTED = unpack(KEYS)
local day, oldest, model, session, seconds, counted_seconds = unpack(ARGV, 1, 6)
-- KEYS: the sums of the volume by day, those of the day by model and by session, the record of this turn
-- ARGV: day on which the turn began, first day that is kept, model, session, seconds to keep the sums and the record; then
--       the sums
-- Returns 1, or 0 if the turn was counted before
if call_own_type('GET', COUNTED) then
  return 0
end
local sums = parse_sums(table.concat(ARGV, ' ', 7))
add_to_day(DAYS, day, sums, oldest)
add_to_field(MODELS, model, sums)
add_to_field(SESSIONS, session, sums)
for _, key in ipairs({DAYS, MODELS, SESSIONS}) do
  redis.call('EXPIRE', key, seconds)
end
redis.call('SET', COUNTED, '1', 'EX', counted_seconds)
return 1
