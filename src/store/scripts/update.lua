-- Replaces a session's document, if nobody changed it since it was read.
--
-- KEYS: the document, the messages
-- ARGV: id, the document as it was read, the new document, microseconds of now,
--       the message count that must still hold, or ''
-- Returns nothing, {'updated', message count, activity}, or {'changed', document, message count, activity}
local id, read, new, micros, expected_count = unpack(ARGV, 1, 5)

local document = read_document(KEYS[1])
if not document then
  return false
end
local count = redis.call('LLEN', KEYS[2])

-- The new document is already there if this is repeated because an answer was lost.
if document ~= new then
  if document ~= read or (expected_count ~= '' and tonumber(expected_count) ~= count) then
    return {'changed', document, count, activity_of(id)}
  end
  -- The activity so far moves along into the bucket of the new status.
  local decoded, activity = decode(new), activity_of(id)
  redis.call('SET', KEYS[1], new, 'KEEPTTL')
  touch(id, decoded, math.max(activity, micros))
  for _, scope in ipairs(scopes_of(decoded)) do
    remove_from_buckets(scope, id, bucket_of(decoded))
  end
end
return {'updated', count, activity_of(id)}
