-- Reads a session and a page of its messages, both as they are at one moment.
--
-- KEYS: the document, the messages
-- ARGV: id, first and last seq of interest (last may be -1: the end), most messages, most bytes,
--       '1' to read from the first on, '0' to read backwards from the last
-- Returns nothing, or {'write' or 'read', document, message count, activity, seq of the first message,
--         messages, more?}
local document, access = find_document(ARGV[1], KEYS[1])
if not document then
  return false
end
local count = redis.call('LLEN', KEYS[2])
local low, high = tonumber(ARGV[2]), tonumber(ARGV[3])
local limit, budget, forwards = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
if high < 0 or high > count then
  high = count
end

-- Reads on in one direction until a limit is reached; a few at a time while nobody knows how large they are.
local page, bytes, full = {}, 0, false
local chunk_size = 2
while low <= high and #page < limit and not full do
  local size = math.min(chunk_size, limit - #page)
  chunk_size = chunk_size * 4
  local from = forwards and low or math.max(low, high - size + 1)
  local chunk = redis.call('LRANGE', KEYS[2], from - 1, math.min(from + size - 1, high) - 1)
  if #chunk == 0 then
    break
  end
  for step = 1, #chunk do
    local message = chunk[forwards and step or #chunk + 1 - step]
    bytes = bytes + #message
    if #page > 0 and bytes > budget then
      full = true
      break
    end
    page[#page + 1] = message
    if forwards then
      low = low + 1
    else
      high = high - 1
    end
  end
end

local first = forwards and low - #page or high + 1
if not forwards then
  for index = 1, math.floor(#page / 2) do
    page[index], page[#page + 1 - index] = page[#page + 1 - index], page[index]
  end
end
return {access, document, count, activity_of(ARGV[1]), first, page, low <= high and 1 or 0}
