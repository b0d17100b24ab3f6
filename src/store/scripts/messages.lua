-- Start of the scripts on messages of one session: their ids, and the branches that they form.
--
-- KEYS: the document, the messages; then, unless the call has no message index, the six keys of that index in the order
--       below, and further keys of the script. On a cluster the key of the last activity comes last.
-- ARGV: id, '1' if KEYS contains the keys of the message index, and further arguments of the script
--
-- The message index exists only where it is needed; the first member of the document, "message_index", says so: 'ids'
-- if IDS exists, 'branches' if all six do. Without it every message's parent is the one before, and ids tell their seq.
-- A segment is a run of messages whose parents are the ones before, apart from the first one's. Each message is in one.
--
-- A script that needs the index without having its keys returns {'index'} before its first write; one that finds keys of
-- it missing, which are then rebuilt from the messages, returns {'rebuild'}.
local DOC, MSGS = KEYS[1], KEYS[2]
local id, has_index_keys = ARGV[1], ARGV[2] == '1'
local FURTHER_KEYS = has_index_keys and 9 or 3
-- Id of a message -> its seq, for ids that do not tell it; '' -> 'complete' if no other id can be missing.
local IDS
-- Segments by the seq of their first message: 'first:parent:length of the path to the parent:id of the parent'.
local SEGMENTS
-- The segments of the active branch.
local PATH
-- Ranges of deleted messages, 'first:last' by their first seq. '0:0' stands for none, so that the key exists.
local DELETED
-- Seq of a parent that has several children, or one that is not the next message -> 'seq:id' of each, separated by
-- blanks, without deleted ones.
local VERSIONS
-- 'tip': the end of the active branch, '' for the last message; 'count': the seq of the last message when 'tip' was
-- stored; 'visible': the number of messages on the active branch at that time, without deleted ones.
local STATE
if has_index_keys then
  IDS, SEGMENTS, PATH, DELETED, VERSIONS, STATE = unpack(KEYS, 3, 8)
end

-- Thrown to return a reply from within functions.
local function answer(reply)
  error({answer = reply})
end

-- Returns the document of the session. If the caller cannot see it, the script returns false; if they may only read it,
-- {'read-only'}.
local function find_writable_document()
  local document, access = find_document(id, DOC)
  if not document then
    answer(false)
  end
  if access ~= 'write' then
    answer({'read-only'})
  end
  return document
end

-- The number of messages, with deleted ones; open_index() sets it.
local length = 0
-- The state of the message index, as in the document: 'ids', 'branches', or nil for none. open_index() sets it.
local index

-- Returns whether all keys of the message index exist.
local function has_whole_index()
  local missing = index == 'ids' and 1 - redis.call('EXISTS', IDS) or 6 - redis.call('EXISTS', unpack(KEYS, 3, 8))
  return missing == 0
end

-- Reads the state of the message index from the document, and makes sure that its keys exist.
local function open_index(document)
  length = redis.call('LLEN', MSGS)
  index = index_of(document)
  if not index then
    return
  end
  if not has_index_keys then
    answer({'index'})
  end
  if not has_whole_index() then
    answer({'rebuild'})
  end
end

-- Returns the document with the state of the message index.
local function with_index(document, state)
  if index then
    return (document:gsub('"message_index":%s*"%l+"', '"message_index":"' .. state .. '"', 1))
  end
  return (document:gsub('{', '{"message_index":"' .. state .. '",', 1))
end

-- Returns the id of a message.
local function id_of(text, seq)
  local found = text:match('^{"id":"([^"\\]+)"')
  if found then
    return found
  end
  if text:find('"id"', 1, true) then
    local is_json, message = pcall(cjson.decode, text)
    if is_json and type(message) == 'table' and type(message.id) == 'string' then
      return message.id
    end
  end
  return 'msg_' .. seq
end

-- Returns the text of a message.
local function text_at(seq)
  return redis.call('LINDEX', MSGS, seq - 1) or ''
end

-- Returns the seq that an id tells, nil if it tells none.
local function told_seq(message_id)
  local place = message_id:match('^msg_%x+%-(%d+)$') or message_id:match('^msg_(%d+)$')
  return place and #place <= 15 and tonumber(place) or nil
end

-- Returns whether messages may have ids that neither tell their seq nor are indexed: those that an earlier version of
-- this service generated.
local function may_lack_ids()
  if length == 0 or index and redis.call('HGET', IDS, '') == 'complete' then
    return false
  end
  local first = id_of(text_at(1), 1)
  return told_seq(first) ~= 1 or not first:find('-', 1, true)
end

-- Returns the seq of the message with an id, and its text if it was read; nil if no message has it.
local function find_message(message_id)
  local stored = index and redis.call('HGET', IDS, message_id)
  local seq = parse_count(stored)
  if seq > 0 and seq <= length then
    return seq
  end
  seq = told_seq(message_id)
  if seq and seq >= 1 and seq <= length then
    local text = text_at(seq)
    if id_of(text, seq) == message_id then
      return seq, text
    end
  end
  if message_id:find('^msg_%x+$') and #message_id == 36 and may_lack_ids() then
    answer({has_index_keys and 'rebuild' or 'index'})
  end
end

-- Adds the id of a message to the index, unless it tells its seq.
local function index_id(message_id, seq)
  if told_seq(message_id) ~= seq then
    redis.call('HSET', IDS, message_id, seq)
  end
end

-- Segments

local function read_segment(member)
  local first, parent, depth, parent_id = member:match('^(%d+):(%d+):(%d+):(.*)$')
  return {
    member = member, first = tonumber(first), parent = tonumber(parent), depth = tonumber(depth),
    parent_id = parent_id ~= '' and parent_id
  }
end

-- The only segment without branches.
local FIRST_SEGMENT = '1:0:0:'

local function is_branched()
  return index == 'branches'
end

local function segment_of(seq)
  if not is_branched() then
    return read_segment(FIRST_SEGMENT)
  end
  return read_segment(redis.call('ZREVRANGEBYSCORE', SEGMENTS, seq, '-inf', 'LIMIT', 0, 1)[1] or FIRST_SEGMENT)
end

-- Returns the parent of a message: its seq, 0 for none, and its id, false for none.
local function parent_of(seq)
  local segment = segment_of(seq)
  if segment.first == seq then
    return segment.parent, segment.parent_id
  end
  return seq - 1, id_of(text_at(seq - 1), seq - 1)
end

-- Returns the number of messages on the path to a message, including it.
local function depth_of(seq)
  if seq == 0 then
    return 0
  end
  local segment = segment_of(seq)
  return segment.depth + seq - segment.first + 1
end

-- Deleted messages

local function read_range(member)
  local first, last = member:match('^(%d+):(%d+)$')
  return tonumber(first), tonumber(last)
end

-- Returns the range of deleted messages that begins at or before a message.
local function deleted_before(seq)
  return read_range(redis.call('ZREVRANGEBYSCORE', DELETED, seq, '-inf', 'LIMIT', 0, 1)[1] or '0:0')
end

local function has_deleted()
  return is_branched() and redis.call('ZCARD', DELETED) > 1
end

local function is_deleted(seq)
  if not is_branched() then
    return false
  end
  local _, last = deleted_before(seq)
  return last >= seq
end

-- Returns the number of deleted messages of a range.
local function deleted_in(first, last)
  local _, before = deleted_before(first)
  local count = math.max(0, math.min(before, last) - first + 1)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', DELETED, '(' .. first, last)) do
    local from, to = read_range(member)
    count = count + math.min(to, last) - from + 1
  end
  return count
end

-- The active branch

-- Makes the branch that ends with a message the active one.
local function activate(tip)
  local added, seq, base = {}, tip, 0
  while seq > 0 do
    local segment = segment_of(seq)
    if redis.call('ZSCORE', PATH, segment.member) then
      base = segment.first
      break
    end
    added[#added + 1] = segment
    seq = segment.parent
  end
  redis.call('ZREMRANGEBYSCORE', PATH, '(' .. base, '+inf')
  for _, segment in ipairs(added) do
    redis.call('ZADD', PATH, segment.first, segment.member)
  end
  local deleted = 0
  if has_deleted() then
    local last = tip
    for _, member in ipairs(redis.call('ZREVRANGE', PATH, 0, -1)) do
      local segment = read_segment(member)
      deleted = deleted + deleted_in(segment.first, last)
      last = segment.parent
    end
  end
  local visible = depth_of(tip) - deleted
  redis.call('HSET', STATE, 'tip', tip == length and '' or tip, 'count', length, 'visible', visible)
end

-- Returns the seq of the last message of the active branch.
local function active_tip()
  if not is_branched() then
    return length
  end
  local stored = redis.call('HMGET', STATE, 'tip', 'count')
  local tip = parse_count(stored[1])
  if tip == 0 or tip > length then
    return length
  end
  if parse_count(stored[2]) ~= length then
    -- The Python version appended messages: they become the active branch, like any appended message.
    activate(length)
    return length
  end
  return tip
end

-- Returns the number of messages of the active branch without deleted ones.
local function message_count()
  if not is_branched() then
    return length
  end
  active_tip()
  return visible_count(STATE, length)
end

-- Creates the message index, or its keys of branches, and stores the document that says so.
local function create_index(document, state)
  if index == state or is_branched() then
    return document
  end
  if not index then
    redis.call('HSET', IDS, '', may_lack_ids() and 'partial' or 'complete')
  end
  if state == 'branches' then
    redis.call('ZADD', SEGMENTS, 1, FIRST_SEGMENT)
    redis.call('ZADD', PATH, 1, FIRST_SEGMENT)
    redis.call('ZADD', DELETED, 0, '0:0')
    redis.call('HSET', VERSIONS, '', '')
    redis.call('HSET', STATE, 'tip', '', 'count', length, 'visible', length)
  end
  document = with_index(document, state)
  redis.call('SET', DOC, document, 'KEEPTTL')
  index = state
  return document
end

-- Returns what differs between any two states of the session with the same document.
local function session_state()
  return length .. ':' .. activity_text(id)
end

-- Runs a script's function on the session, and returns its reply.
local function run(operation)
  local succeeded, returned = pcall(operation)
  if succeeded then
    return returned
  end
  if type(returned) == 'table' and returned.answer ~= nil then
    return returned.answer
  end
  error(returned, 0)
end
