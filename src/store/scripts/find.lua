-- Reads a session and a page of its messages at one moment.
local DOC, MSGS = unpack(KEYS)
local id, low, high, limit, max_bytes, forwards = unpack(ARGV, 1, 6)
local FIRST_KNOWN_VERSION = 7
-- KEYS: the document, the messages
-- ARGV: id, first and last seq to read (last may be -1: the end), maximum number of messages, maximum bytes,
--       '1' to read forwards from the first or '0' to read backwards from the last, the known versions of the client
-- Returns false, {'not-modified', version}, or
--         {'write' or 'read', document, message count, activity, seq of the first message, messages, 1 or 0 for more}
--
-- A message that exceeds this size is returned as '', which is an invalid message. Messages of this service stay under
-- 4.5 MB; the Python version wrote six bytes for a two-byte letter.
local MAX_MESSAGE_BYTES = 16777216

local document, access = find_document(id, DOC)
if not document then
  return false
end
local count = redis.call('LLEN', MSGS)

-- The same version as StoredSession::version in Rust. If it is a known one, no message is read.
if #ARGV >= FIRST_KNOWN_VERSION then
  local version = redis.sha1hex(document):sub(1, 16) .. '-' .. count
  for index = FIRST_KNOWN_VERSION, #ARGV do
    if ARGV[index] == version then
      return {'not-modified', version}
    end
  end
end

low, high, limit, max_bytes = tonumber(low), tonumber(high), tonumber(limit), tonumber(max_bytes)
forwards = forwards == '1'
if high < 0 or high > count then
  high = count
end

-- Reads in one direction until a limit is reached. The first chunk covers most requests and is then returned unchanged:
-- copying a list in Lua costs more than reading it.
local chunk_size = 20
local parts, length, bytes, full = {}, 0, 0, false
while low <= high and length < limit and not full do
  local size = math.min(chunk_size, limit - length, high - low + 1)
  chunk_size = chunk_size * 4
  local from = forwards and low or high - size + 1
  local chunk = redis.call('LRANGE', MSGS, from - 1, from + size - 2)
  local taken = 0
  for step = 1, #chunk do
    local place = forwards and step or #chunk + 1 - step
    local message_bytes = #chunk[place]
    bytes = bytes + message_bytes
    full = bytes > max_bytes and length + taken > 0
    if full then
      break
    end
    if message_bytes > MAX_MESSAGE_BYTES then
      chunk[place] = ''
    end
    taken = taken + 1
  end
  parts[#parts + 1] = {chunk = chunk, start = forwards and 1 or #chunk - taken + 1, length = taken}
  length = length + taken
  if forwards then
    low = low + taken
  else
    high = high - taken
  end
end

-- Returns the messages of all parts, ordered by seq.
local function joined()
  local page = {}
  for number = 1, #parts do
    local part = parts[forwards and number or #parts + 1 - number]
    for place = part.start, part.start + part.length - 1 do
      page[#page + 1] = part.chunk[place]
    end
  end
  return page
end

local is_one_chunk = #parts == 1 and #parts[1].chunk == length
local page = is_one_chunk and parts[1].chunk or joined()
local first = forwards and low - length or high + 1
return {access, document, count, activity_of(id), first, page, low <= high and 1 or 0}
