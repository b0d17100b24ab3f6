-- Counts one use of a skill.
--
-- KEYS: what is counted of the volume's skills, the record of this use
-- ARGV: id, '1' for success or '0', milliseconds or '', what the request says, seconds that its record lives
-- Returns {'counted' or 'replayed', uses, successes}, or {'mismatch'}
local id, success, milliseconds, fingerprint, seconds = unpack(ARGV, 1, 5)

local function counted(field)
  return tonumber(own('HGET', KEYS[1], field .. ':' .. id) or 0)
end

local record = own('GET', KEYS[2])
if record and record ~= fingerprint then
  return {'mismatch'}
end
if record then
  return {'replayed', counted('uses'), counted('successes')}
end

own('HINCRBY', KEYS[1], 'uses:' .. id, 1)
if success == '1' then
  own('HINCRBY', KEYS[1], 'successes:' .. id, 1)
end
if milliseconds ~= '' then
  own('HINCRBY', KEYS[1], 'timed:' .. id, 1)
  own('HINCRBYFLOAT', KEYS[1], 'milliseconds:' .. id, milliseconds)
end
redis.call('SET', KEYS[2], fingerprint, 'EX', seconds)
return {'counted', counted('uses'), counted('successes')}
