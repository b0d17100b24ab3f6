-- Replaces the document of a session if it was not changed since it was read.
local expected, new, micros, expected_state = unpack(ARGV, 3, 6)
-- KEYS: as in messages.lua
-- ARGV: as in messages.lua, the document as it was read, the new document, current time in microseconds, 'last
--       seq:activity' that must be unchanged or ''
-- Returns false, {'index'}, {'rebuild'}, {'updated' or 'changed', document, message count, last seq, activity}, or
--         {'read-only'}

local function update()
  local document = find_writable_document()
  expect_session(document)
  open_index(document)
  local case = 'updated'
  -- The new document is already stored if this call repeats one whose reply was lost.
  if document == new then
    finish_change(id, decode(new))
    update_details(id, decode(new), '')
  elseif document ~= expected or expected_state ~= '' and expected_state ~= session_state() then
    case = 'changed'
  else
    redis.call('SET', DOC, new, 'KEEPTTL')
    document = new
    -- Moves the last activity into the bucket of the new document.
    update_activity(id, decode(new), math.max(activity_of(id) + 1, micros))
    update_details(id, decode(new), '')
  end
  return {case, document, message_count(), length, activity_of(id)}
end

return run(update)
