-- Reads a session and a page of its messages at one moment.
local low, high, limit, max_bytes, forwards, branch, with_deleted = unpack(ARGV, 3, 9)
local FIRST_KNOWN_VERSION = 10
-- KEYS: as in messages.lua
-- ARGV: as in messages.lua, first and last seq to read (last may be -1: the end), maximum number of messages, maximum
--       bytes, '1' to read forwards from the first or '0' to read backwards from the last, '' for the active branch,
--       '*' for all messages or '=' and the id of a message for the branch that leads to it, '1' with deleted messages,
--       the known versions of the client
-- Returns false, {'index'}, {'rebuild'}, {'no-message'}, {'not-modified', version}, or
--         {'write' or 'read', document, message count, last seq, activity, 1 or 0 for more messages,
--         parts of consecutive messages {seq of the first, id of its parent or false, messages},
--         {seq, versions of the message as in VERSIONS, …}}
--
-- A message that exceeds this size is returned as '', which is an invalid message. Messages of this service stay under
-- 4.5 MB; the Python version wrote six bytes for a two-byte letter.
local MAX_MESSAGE_BYTES = 16777216

-- Returns the segments that are read, nearest first in the direction of reading, each with the seq of its last message.
-- `count` bounds how many are read at once; `from` is where reading begins.
local function segments_from(from, count)
  local key = branch == '*' and SEGMENTS or PATH
  local tip = branch == '*' and length or active_tip()
  local function last_before(member)
    if not member then
      return tip
    end
    local segment = read_segment(member)
    return branch == '*' and segment.first - 1 or segment.parent
  end
  local segments = {}
  if forwards then
    local members = redis.call('ZREVRANGEBYSCORE', key, from, '-inf', 'LIMIT', 0, 1)
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. from, '+inf', 'LIMIT', 0, count + 1)) do
      members[#members + 1] = member
    end
    for place = 1, math.min(#members, count) do
      local segment = read_segment(members[place])
      segment.last = last_before(members[place + 1])
      segments[#segments + 1] = segment
    end
  else
    local above = redis.call('ZRANGEBYSCORE', key, '(' .. from, '+inf', 'LIMIT', 0, 1)[1]
    for _, member in ipairs(redis.call('ZREVRANGEBYSCORE', key, from, '-inf', 'LIMIT', 0, count)) do
      local segment = read_segment(member)
      segment.last = last_before(above)
      segments[#segments + 1] = segment
      above = member
    end
  end
  return segments
end

-- Returns the segments of the branch that leads to a message, in the direction of reading.
local function segments_to(tip)
  local segments, seq = {}, tip
  while seq > 0 and seq >= low do
    local segment = segment_of(seq)
    segment.last = seq
    table.insert(segments, forwards and 1 or #segments + 1, segment)
    seq = segment.parent
  end
  return segments
end

-- Returns the ranges of a segment without deleted messages, at most `count`, nearest first.
local function visible_ranges(segment, first, last, count)
  if with_deleted or not has_deleted() then
    return {{segment = segment, first = first, last = last}}
  end
  local ranges = {}
  local function add(from, to)
    if from <= to and #ranges < count then
      ranges[#ranges + 1] = {segment = segment, first = from, last = to}
    end
  end
  if forwards then
    local _, covered = deleted_before(first)
    local from = math.max(first, covered + 1)
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', DELETED, '(' .. first, last, 'LIMIT', 0, count)) do
      local deleted_first, deleted_last = read_range(member)
      add(from, deleted_first - 1)
      from = deleted_last + 1
    end
    add(from, last)
  else
    local to = last
    for _, member in ipairs(redis.call('ZREVRANGEBYSCORE', DELETED, last, '-inf', 'LIMIT', 0, count + 1)) do
      local deleted_first, deleted_last = read_range(member)
      if deleted_last < first then
        break
      end
      add(deleted_last + 1, to)
      to = math.min(to, deleted_first - 1)
    end
    add(first, to)
  end
  return ranges
end

-- Reading

local parts, taken, bytes, is_full = {}, 0, 0, false
-- The id of the message that was read but does not fit on the page, by its seq: a huge one is not read again.
local left_out_ids = {}

-- Reads messages of a range until a limit is reached. The first chunk covers most requests and is then returned
-- unchanged: copying a list in Lua costs more than reading it. Returns how many were read.
local chunk_size = 20
local function read_range_of(range)
  local first, last = range.first, range.last
  while first <= last and taken < limit and not is_full do
    local size = math.min(chunk_size, limit - taken, last - first + 1)
    chunk_size = chunk_size * 4
    local from = forwards and first or last - size + 1
    local chunk = redis.call('LRANGE', MSGS, from - 1, from + size - 2)
    local count = 0
    for step = 1, #chunk do
      local place = forwards and step or #chunk + 1 - step
      local message_bytes = #chunk[place]
      bytes = bytes + message_bytes
      is_full = bytes > max_bytes and taken > 0
      if is_full then
        local seq = from + place - 1
        left_out_ids[seq] = id_of(chunk[place], seq)
        break
      end
      if message_bytes > MAX_MESSAGE_BYTES then
        chunk[place] = ''
      end
      count, taken = count + 1, taken + 1
    end
    if #chunk == 0 then
      return
    end
    if count < #chunk then
      local kept = {}
      for place = forwards and 1 or #chunk - count + 1, forwards and count or #chunk do
        kept[#kept + 1] = chunk[place]
      end
      chunk = kept
    end
    if count > 0 then
      local part_first = forwards and first or last - count + 1
      local part = {segment = range.segment, first = part_first, texts = chunk}
      table.insert(parts, forwards and #parts + 1 or 1, part)
    end
    if forwards then
      first = first + count
    else
      last = last - count
    end
  end
  return first <= last
end

-- Reads messages of segments until a limit is reached; returns whether there are more.
local function read_segments(segments)
  for place, segment in ipairs(segments) do
    local first, last = math.max(segment.first, low), math.min(segment.last, high)
    while first <= last do
      local ranges = visible_ranges(segment, first, last, 64)
      for _, range in ipairs(ranges) do
        if taken >= limit or is_full or read_range_of(range) then
          return true
        end
      end
      if #ranges < 64 then
        break
      end
      if forwards then
        first = ranges[64].last + 1
      else
        last = ranges[64].first - 1
      end
    end
  end
  return false
end

-- Reads the page; returns whether there are more messages in the direction of reading.
local function read_page()
  if not is_branched() then
    local segment = read_segment(FIRST_SEGMENT)
    segment.last = length
    return read_segments({segment})
  end
  if branch:sub(1, 1) == '=' then
    local tip = find_message(branch:sub(2))
    if not tip or is_deleted(tip) then
      answer({'no-message'})
    end
    return read_segments(segments_to(tip))
  end
  local from, count = forwards and low or high, limit + 2
  while true do
    local segments = segments_from(from, count)
    if read_segments(segments) then
      return true
    end
    local last = segments[#segments]
    if #segments < count then
      return false
    end
    from = forwards and last.last + 1 or last.first - 1
    if from < low or from > high then
      return false
    end
  end
end

-- Returns the parts as the reply contains them.
local function reply_parts()
  local reply = {}
  for _, part in ipairs(parts) do
    local parent_id = false
    if part.first == part.segment.first then
      parent_id = part.segment.parent_id
    elseif part.first > 1 then
      local parent = part.first - 1
      parent_id = left_out_ids[parent] or id_of(text_at(parent), parent)
    end
    reply[#reply + 1] = {part.first, parent_id, part.texts}
  end
  return reply
end

-- Returns the versions of the messages that have others beside them.
local function versions()
  if not is_branched() or #parts == 0 or redis.call('HLEN', VERSIONS) == 1 then
    return {}
  end
  local seqs, parents = {}, {}
  for _, part in ipairs(parts) do
    for place = 1, #part.texts do
      local seq = part.first + place - 1
      seqs[#seqs + 1] = seq
      parents[#parents + 1] = seq == part.segment.first and part.segment.parent or seq - 1
    end
  end
  local found = {}
  for place, value in ipairs(redis.call('HMGET', VERSIONS, unpack(parents))) do
    if value and value:find(' ', 1, true) then
      found[#found + 1] = seqs[place]
      found[#found + 1] = value
    end
  end
  return found
end

local function find()
  local document, access = find_document(id, DOC)
  if not document then
    return false
  end
  open_index(document)
  -- The same version as StoredSession::version in Rust. If it is a known one, no message is read.
  -- A session with an active turn is always read, because the turn may have lost its producer.
  if #ARGV >= FIRST_KNOWN_VERSION and not document:find('"active_turn":', 1, true) then
    local version = redis.sha1hex(document):sub(1, 16) .. '-' .. length .. '-' .. activity_text(id)
    for place = FIRST_KNOWN_VERSION, #ARGV do
      if ARGV[place] == version then
        return {'not-modified', version}
      end
    end
  end
  low, high, limit, max_bytes = tonumber(low), tonumber(high), tonumber(limit), tonumber(max_bytes)
  forwards, with_deleted = forwards == '1', with_deleted == '1'
  if high < 0 or high > length then
    high = length
  end
  if not is_branched() and branch:sub(1, 1) == '=' then
    high = math.min(high, find_message(branch:sub(2)) or answer({'no-message'}))
  end
  local count = message_count()
  local has_more = limit > 0 and read_page()
  if limit == 0 then
    has_more = count > 0
  end
  return {access, document, count, length, activity_of(id), has_more and 1 or 0, reply_parts(), versions()}
end

return run(find)
