-- Reads messages of a session by their ids.
local max_bytes = tonumber(ARGV[3])
local FIRST_ID = 4
-- KEYS: as in messages.lua
-- ARGV: as in messages.lua, maximum bytes of the messages together, the ids
-- Returns false, {'index'}, {'rebuild'}, or
--         {'write' or 'read', document, message count, last seq, activity, for each id: seq or false, id of the parent
--         or false, versions as in VERSIONS or false, text}; the text is false if the messages before it exceed the
--         maximum

local function lookup()
  local document, access = find_document(id, DOC)
  if not document then
    return false
  end
  open_index(document)
  local reply, bytes = {access, document, message_count(), length, activity_of(id)}, 0
  for place = FIRST_ID, #ARGV do
    local seq, text = find_message(ARGV[place])
    local parent_seq, parent_id, versions = false, false, false
    if seq then
      text = text or text_at(seq)
      parent_seq, parent_id = parent_of(seq)
      versions = is_branched() and redis.call('HGET', VERSIONS, parent_seq)
      bytes = bytes + #text
      if bytes > max_bytes and place > FIRST_ID then
        text = false
      end
    end
    for _, value in ipairs({seq or false, parent_id, versions, text or false}) do
      reply[#reply + 1] = value
    end
  end
  return reply
end

return run(lookup)
