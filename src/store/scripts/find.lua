-- Reads a session and a page of its messages, both as they are at one moment.
--
-- KEYS: the document, the messages
-- ARGV: id, first and last seq of interest (last may be -1: the end), most messages, most bytes,
--       '1' to read from the first on, '0' to read backwards from the last, then the versions that the caller has
-- Returns nothing, {'not-modified', version}, or
--         {'write' or 'read', document, message count, activity, seq of the first message, messages, more?}
--
-- In place of a message that is larger than any could be stands '', which is none. Ours stay under 4.5 MB; the
-- Python version wrote six bytes for a letter of two.
local MAX_MESSAGE_BYTES = 16777216

local document, access = find_document(ARGV[1], KEYS[1])
if not document then
  return false
end
local count = redis.call('LLEN', KEYS[2])

-- The version is the one that StoredSession::version computes in Rust. No message is read on a match.
local FIRST_KNOWN_VERSION = 7
if #ARGV >= FIRST_KNOWN_VERSION then
  local version = redis.sha1hex(document):sub(1, 16) .. '-' .. count
  for index = FIRST_KNOWN_VERSION, #ARGV do
    if ARGV[index] == version then
      return {'not-modified', version}
    end
  end
end

local low, high = tonumber(ARGV[2]), tonumber(ARGV[3])
local limit, budget, forwards = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
if high < 0 or high > count then
  high = count
end

-- Reads on in one direction until a limit is reached. What most ask for comes at once, and is the page as it comes:
-- taking a list apart costs Redis more than reading it.
local chunk_size = 20
local parts, length, bytes, full = {}, 0, 0, false
while low <= high and length < limit and not full do
  local size = math.min(chunk_size, limit - length, high - low + 1)
  chunk_size = chunk_size * 4
  local from = forwards and low or high - size + 1
  local chunk = redis.call('LRANGE', KEYS[2], from - 1, from + size - 2)
  local taken = 0
  for step = 1, #chunk do
    local place = forwards and step or #chunk + 1 - step
    local message_bytes = #chunk[place]
    bytes = bytes + message_bytes
    full = bytes > budget and length + taken > 0
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

-- The messages of all parts, in the order of their seq.
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

local is_whole = #parts == 1 and #parts[1].chunk == length
local page = is_whole and parts[1].chunk or joined()
local first = forwards and low - length or high + 1
return {access, document, count, activity_of(ARGV[1]), first, page, low <= high and 1 or 0}
