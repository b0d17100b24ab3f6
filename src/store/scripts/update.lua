-- Replaces a session's document, if nobody changed it since it was read.
--
-- KEYS: the document, the messages
-- ARGV: id, the document as it was read, the new document, microseconds of now,
--       the message count that must still hold, or ''
-- Returns nothing, {'updated', message count, activity}, {'changed', document, message count, activity},
--         or {'read-only'}
local id, read, new, micros, expected_count = unpack(ARGV, 1, 5)

local document, access = find_document(id, KEYS[1])
if not document then
  return false
end
if access ~= 'write' then
  return {'read-only'}
end
local count = redis.call('LLEN', KEYS[2])

-- The new document is already there if this is repeated because an answer was lost.
if document == new then
  complete(id, decode(new))
else
  if document ~= read or (expected_count ~= '' and tonumber(expected_count) ~= count) then
    return {'changed', document, count, activity_of(id)}
  end
  redis.call('SET', KEYS[1], new, 'KEEPTTL')
  -- The activity so far moves along into the bucket of the new status.
  touch(id, decode(new), math.max(activity_of(id), micros))
end
return {'updated', count, activity_of(id)}
