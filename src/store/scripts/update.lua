-- Replaces the document of a session if it was not changed since it was read.
local DOC, MSGS = unpack(KEYS)
local id, expected, new, micros, expected_count = unpack(ARGV, 1, 5)
-- KEYS: the document, the messages
-- ARGV: id, the document as it was read, the new document, current time in microseconds, the message count that must be
--       unchanged or ''
-- Returns false, {'updated', message count, activity}, {'changed', document, message count, activity}, or {'read-only'}

local document, access = find_document(id, DOC)
if not document then
  return false
end
if access ~= 'write' then
  return {'read-only'}
end
local count = redis.call('LLEN', MSGS)

-- The new document is already stored if this call repeats one whose reply was lost.
if document == new then
  finish_change(id, decode(new))
  update_details(id, decode(new), '')
else
  if document ~= expected or (expected_count ~= '' and tonumber(expected_count) ~= count) then
    return {'changed', document, count, activity_of(id)}
  end
  redis.call('SET', DOC, new, 'KEEPTTL')
  -- Moves the last activity into the bucket of the new document.
  update_activity(id, decode(new), math.max(activity_of(id), micros))
  update_details(id, decode(new), '')
end
return {'updated', count, activity_of(id)}
