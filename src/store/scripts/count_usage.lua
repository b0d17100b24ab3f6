-- Counts one use of a skill.
local COUNTS, USE = unpack(KEYS)
local id, success, milliseconds, fingerprint, seconds = unpack(ARGV, 1, 5)
-- KEYS: the counts of the volume's skills, the record of this use
-- ARGV: id, '1' for success or '0', milliseconds or '', fingerprint of the request, seconds to keep the record
-- Returns {'counted' or 'replayed', uses, successes}, or {'mismatch'}

local function count_of(field)
  return parse_count(call_own_type('HGET', COUNTS, field .. ':' .. id))
end

-- Adds to a sum. A malformed sum is deleted first, because adding to it would fail after other sums were changed.
local function add(command, field, change)
  local name = field .. ':' .. id
  local sum = call_own_type('HGET', COUNTS, name)
  local is_sum = sum and sum:find(command == 'HINCRBY' and '^%d+$' or '^%d+%.?%d*$') and tonumber(sum) < 1e15
  if sum and not is_sum then
    redis.call('HDEL', COUNTS, name)
  end
  redis.call(command, COUNTS, name, change)
end

local record = call_own_type('GET', USE)
if record and record ~= fingerprint then
  return {'mismatch'}
end
if record then
  return {'replayed', count_of('uses'), count_of('successes')}
end

add('HINCRBY', 'uses', 1)
if success == '1' then
  add('HINCRBY', 'successes', 1)
end
if milliseconds ~= '' then
  add('HINCRBY', 'timed', 1)
  add('HINCRBYFLOAT', 'milliseconds', milliseconds)
end
redis.call('SET', USE, fingerprint, 'EX', seconds)
return {'counted', count_of('uses'), count_of('successes')}
