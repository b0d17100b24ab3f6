-- Counts one use of a skill.
--
-- KEYS: what is counted of the volume's skills, the record of this use
-- ARGV: id, '1' for success or '0', milliseconds or '', what the request says, seconds that its record lives
-- Returns {'counted' or 'replayed', uses, successes}, or {'mismatch'}
local id, success, milliseconds, fingerprint, seconds = unpack(ARGV, 1, 5)

local function counted(field)
  return count_in(own('HGET', KEYS[1], field .. ':' .. id))
end

-- Adds to a sum. What is no number there is none: adding to it would stop half-way.
local function add(command, field, change)
  local name = field .. ':' .. id
  local sum = own('HGET', KEYS[1], name)
  local is_sum = sum and sum:find(command == 'HINCRBY' and '^%d+$' or '^%d+%.?%d*$') and tonumber(sum) < 1e15
  if sum and not is_sum then
    redis.call('HDEL', KEYS[1], name)
  end
  redis.call(command, KEYS[1], name, change)
end

local record = own('GET', KEYS[2])
if record and record ~= fingerprint then
  return {'mismatch'}
end
if record then
  return {'replayed', counted('uses'), counted('successes')}
end

add('HINCRBY', 'uses', 1)
if success == '1' then
  add('HINCRBY', 'successes', 1)
end
if milliseconds ~= '' then
  add('HINCRBY', 'timed', 1)
  add('HINCRBYFLOAT', 'milliseconds', milliseconds)
end
redis.call('SET', KEYS[2], fingerprint, 'EX', seconds)
return {'counted', counted('uses'), counted('successes')}
