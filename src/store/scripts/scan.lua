-- Reads the ids and parents of messages, from which the message index is rebuilt.
local from, maximum = tonumber(ARGV[3]), tonumber(ARGV[4])
-- KEYS: as in messages.lua
-- ARGV: as in messages.lua, first seq to read, maximum number of messages
-- Returns false, or {last seq, for each message: id, '=' and the id of the parent that its text names ('null' for none,
--         '' if it names none), '1' if it is deleted}

-- The maximum size of the messages that one call reads, if there is more than one.
local MAX_BYTES = 1000000

local document = find_document(id, DOC)
if not document then
  return false
end
local last, bytes = redis.call('LLEN', MSGS), 0
local reply = {last}
for seq = from, math.min(last, from + maximum - 1), 20 do
  local texts = redis.call('LRANGE', MSGS, seq - 1, math.min(seq + 19, from + maximum - 1) - 1)
  for place, text in ipairs(texts) do
    local named = text:match('^{"id":"[^"]*","parent_id":"([^"]*)"')
    local parent = named and '=' .. named or text:find('^{"id":"[^"]*","parent_id":null') and 'null' or ''
    reply[#reply + 1] = id_of(text, seq + place - 1)
    reply[#reply + 1] = parent
    reply[#reply + 1] = text:sub(-16) == ',"deleted":true}' and '1' or ''
    bytes = bytes + #text
  end
  if bytes > MAX_BYTES then
    break
  end
end
return reply
