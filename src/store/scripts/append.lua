-- Appends messages to a session and replaces others, or returns the stored reply of the same Idempotency-Key.
local REPLIES, EXPIRIES = KEYS[FURTHER_KEYS], KEYS[FURTHER_KEYS + 1]
local micros, key, fingerprint, reply_seconds, expected, count = unpack(ARGV, 3, 8)
count = tonumber(count)
local FIRST_MESSAGE, FIELDS = 9, 6
local FIRST_REPLACEMENT = FIRST_MESSAGE + FIELDS * count
-- KEYS: as in messages.lua, then the replies by Idempotency-Key, and the expiry times of these replies. On a cluster
--       these two are missing without an Idempotency-Key.
-- ARGV: as in messages.lua, current time in microseconds, Idempotency-Key or '', fingerprint of the request, seconds to
--       keep a reply, 'last seq:activity' that the session must have or
--       '', number of messages to append; for each of them
--       its own id or '', the text up to its id (which the seq follows unless it is its own), the text behind its id and
--       parent, parent ('' for the end of the active branch, 'null', or '=' and an id), '1' if its branch becomes the
--       active one, '1' if a stored message with this id is known to be the same; then for each message to replace its
--       seq, the SHA-1 of its text, and the new text
-- Returns false, {'index'}, {'rebuild'}, {'read-only'}, {'mismatch'}, {'stale'},
--         {'exists', for each message whose id is taken: its number from 0, seq and text of the stored message},
--         {'deleted', number} if a deleted message has its id, {'no-parent', number}, {'no-place', number},
--         {'too-many-branches'}, {'changed', text} if a message to replace has another text, which is this one, or
--         {'appended' or 'replayed', message count, last seq, for each message: seq, id of the parent or false, and the
--         stored text or false if it was appended}

-- The maximum number of segments of a session.
local MAX_SEGMENTS = 10000

-- Returns the fields of a message to append.
local function message_at(number)
  local own_id, head, rest, parent, activates, is_known = unpack(ARGV, FIRST_MESSAGE + FIELDS * number, FIRST_MESSAGE + FIELDS * number + 5)
  return {own_id = own_id, head = head, rest = rest, parent = parent, activates = activates == '1', is_known = is_known == '1'}
end

-- Returns the seq of a message of the first attempt whose reply was lost, nil if that attempt never ran. Its generated
-- id is unique.
local function find_attempt(message)
  local size = 100
  for last = length, 1, -size do
    local first = math.max(1, last - size + 1)
    local texts = redis.call('LRANGE', MSGS, first - 1, last - 1)
    for place = #texts, 1, -1 do
      if texts[place]:sub(1, #message.head) == message.head then
        return first + place - 1
      end
    end
  end
end

-- Returns the first message of the call whose id is generated, nil if all have ids of their own.
local function first_generated()
  for number = 0, count - 1 do
    local message = message_at(number)
    if message.own_id == '' then
      return message
    end
  end
end

-- Returns whether a message of the call is known to be stored already.
local function has_known()
  for number = 0, count - 1 do
    if message_at(number).is_known then
      return true
    end
  end
  return false
end

-- Returns the entry of a stored message in the reply.
local function add_stored(entries, seq, text)
  local _, parent_id = parent_of(seq)
  entries[#entries + 1] = seq
  entries[#entries + 1] = parent_id
  entries[#entries + 1] = text or text_at(seq)
end

-- Returns the stored reply of the Idempotency-Key, nil if none is stored.
local function stored_reply(now)
  local stored, expiry = call_own_type('HGET', REPLIES, key), call_own_type('ZSCORE', EXPIRIES, key)
  if not stored or expiry and tonumber(expiry) <= now then
    return nil
  end
  local reply = decode(stored)
  local first, last = parse_count(tostring(reply.first)), parse_count(tostring(reply.last))
  local seqs = type(reply.seqs) == 'table' and reply.seqs or {}
  if first > 0 and last >= first then
    for seq = first, math.min(last, length) do
      seqs[#seqs + 1] = seq
    end
  end
  -- A malformed reply counts as lost.
  if #seqs == 0 then
    return nil
  end
  if reply.fingerprint ~= fingerprint then
    return {'mismatch'}
  end
  local entries = {}
  for _, seq in ipairs(seqs) do
    if type(seq) == 'number' and seq >= 1 and seq <= length then
      add_stored(entries, seq)
    end
  end
  local last_seq = seqs[#seqs]
  return {'replayed', reply.message_count or last_seq, reply.last_seq or last_seq, unpack(entries)}
end

-- Stores the reply of the Idempotency-Key. Deletes expired replies, a few per call, so that no request pays for all.
local function store_reply(now, seqs, visible)
  for _, expired in ipairs(redis.call('ZRANGEBYSCORE', EXPIRIES, '-inf', now, 'LIMIT', 0, 10)) do
    redis.call('HDEL', REPLIES, expired)
    redis.call('ZREM', EXPIRIES, expired)
  end
  local reply = {fingerprint = fingerprint, message_count = visible, last_seq = length}
  if seqs[#seqs] - seqs[1] == #seqs - 1 then
    reply.first, reply.last = seqs[1], seqs[#seqs]
  else
    reply.seqs = seqs
  end
  redis.call('HSET', REPLIES, key, cjson.encode(reply))
  redis.call('ZADD', EXPIRIES, now + reply_seconds, key)
  redis.call('EXPIRE', REPLIES, reply_seconds)
  redis.call('EXPIRE', EXPIRIES, reply_seconds)
end

-- The maximum size of the stored messages that one 'exists' returns.
local MAX_EXISTING_BYTES = 8388608
-- The reply for messages whose ids other messages may have: number, seq and text of each.
local existing, existing_bytes = {'exists'}, 0

-- Returns the seq of a message that is already stored under the id of a new one, nil if none is stored.
local function stored_seq(message, number)
  local seq, text = find_message(message.own_id)
  if not seq then
    if message.own_id:find('^msg_%d+$') then
      answer({'no-place', number})
    end
    return nil
  end
  if is_deleted(seq) then
    answer({'deleted', number})
  end
  if not message.is_known then
    text = text or text_at(seq)
    existing_bytes = existing_bytes + #text
    for _, value in ipairs({number, seq, text}) do
      existing[#existing + 1] = value
    end
    if existing_bytes > MAX_EXISTING_BYTES then
      answer(existing)
    end
  end
  return seq
end

-- Finds places and parents of the messages. Returns the messages to append, the end of the active branch after them,
-- and the seq of each message of the call.
local function plan()
  local planned, seqs, planned_ids = {}, {}, {}
  local tip = active_tip()
  for number = 0, count - 1 do
    local message = message_at(number)
    local seq = message.own_id ~= '' and stored_seq(message, number)
    if not seq then
      seq = length + #planned + 1
      message.seq, message.parent_seq = seq, tip
      if message.parent == 'null' then
        message.parent_seq = 0
      elseif message.parent ~= '' then
        local parent_id = message.parent:sub(2)
        message.parent_seq = planned_ids[parent_id] or find_message(parent_id) or answer({'no-parent', number})
      end
      if message.parent == '' or message.activates then
        tip = seq
      end
      message.id = message.own_id ~= '' and message.own_id or message.head:sub(8) .. seq
      planned_ids[message.id] = seq
      planned[#planned + 1] = message
    end
    seqs[#seqs + 1] = seq
  end
  if #existing > 1 then
    answer(existing)
  end
  return planned, tip, seqs
end

-- Adds a message to the versions of its parent's children.
local function add_version(message, ids)
  local parent = message.parent_seq
  local known = redis.call('HGET', VERSIONS, parent)
  if not known then
    local next_seq = parent + 1
    local is_child = next_seq < message.seq and segment_of(next_seq).first ~= next_seq or next_seq == 1
    known = ''
    if is_child and not is_deleted(next_seq) then
      known = next_seq .. ':' .. (ids[next_seq] or id_of(text_at(next_seq), next_seq)) .. ' '
    end
  else
    known = known .. ' '
  end
  redis.call('HSET', VERSIONS, parent, known .. message.seq .. ':' .. message.id)
end

-- Stores the segment that a message begins.
local function begin_segment(message, ids)
  local parent = message.parent_seq
  local parent_id = parent > 0 and (ids[parent] or id_of(text_at(parent), parent)) or ''
  add_version(message, ids)
  local member = message.seq .. ':' .. parent .. ':' .. depth_of(parent) .. ':' .. parent_id
  redis.call('ZADD', SEGMENTS, message.seq, member)
end

-- Checks the messages to replace; returns whether any of them is not replaced yet.
local function check_replacements()
  local is_pending = false
  for place = FIRST_REPLACEMENT, #ARGV, 3 do
    local seq, sha, new = unpack(ARGV, place, place + 2)
    local text = text_at(tonumber(seq))
    if text ~= new then
      if redis.sha1hex(text) ~= sha then
        answer({'changed', text})
      end
      is_pending = true
    end
  end
  return is_pending
end

-- Returns whether a plan needs the keys of branches: a message whose parent is not the one before, or that leaves the
-- active branch as it is.
local function needs_branches(planned, tip)
  for _, message in ipairs(planned) do
    if message.parent_seq ~= message.seq - 1 then
      return true
    end
  end
  return #planned > 0 and tip ~= planned[#planned].seq
end

-- Returns the state of the message index that a plan needs, nil for none.
local function needed_index(planned, tip)
  if needs_branches(planned, tip) then
    return 'branches'
  end
  for _, message in ipairs(planned) do
    if told_seq(message.id) ~= message.seq then
      return 'ids'
    end
  end
end

-- Appends messages, and returns the ids of their parents by seq.
local function store_messages(planned, ids)
  local texts, parents = {}, {}
  for _, message in ipairs(planned) do
    local parent = message.parent_seq
    local parent_id = parent > 0 and (ids[parent] or id_of(text_at(parent), parent))
    ids[message.seq], parents[message.seq] = message.id, parent_id
    local named = ''
    if parent ~= message.seq - 1 then
      named = parent_id and ',"parent_id":"' .. parent_id .. '"' or ',"parent_id":null'
    end
    local generated = message.own_id == '' and message.seq or ''
    texts[#texts + 1] = message.head .. generated .. '"' .. named .. message.rest
  end
  redis.call('RPUSH', MSGS, unpack(texts))
  return parents
end

-- Updates the message index for appended messages. `length` is still the count before them.
local function index_messages(planned, ids, document, state, tip)
  local was_open = active_tip() == length
  document = create_index(document, state)
  length = length + #planned
  local is_linear = was_open and tip == length
  for _, message in ipairs(planned) do
    index_id(message.id, message.seq)
    if message.parent_seq ~= message.seq - 1 then
      begin_segment(message, ids)
      is_linear = false
    end
  end
  if is_branched() and not is_linear then
    activate(tip)
  end
  return document
end

local function append()
  local document = find_writable_document()
  expect_session(document)
  open_index(document)

  local now
  if key ~= '' then
    -- The clock of Redis, if the user may read it. The clocks of callers differ, and one that is ahead would make every
    -- key expire.
    now = math.floor((clock() or micros) / 1000000)
    local reply = stored_reply(now)
    if reply then
      finish_change(id, decode(document))
      return reply
    end
  elseif repeated then
    local generated = first_generated()
    local seq = generated and find_attempt(generated)
    if seq then
      local entries = {}
      for number = 0, count - 1 do
        local message = message_at(number)
        add_stored(entries, message.own_id ~= '' and find_message(message.own_id) or find_attempt(message) or seq)
        entries[#entries] = false
      end
      finish_change(id, decode(document))
      return {'appended', message_count(), length, unpack(entries)}
    end
  end
  -- An earlier attempt of the same request may have changed the state. It is then found by the ids of its messages, and
  -- nothing is left to do.
  local is_stale = expected ~= '' and expected ~= session_state()
  if is_stale and not repeated and not has_known() then
    return {'stale'}
  end

  local planned, tip, seqs = plan()
  local is_pending = check_replacements() or #planned > 0
  if is_stale and is_pending then
    return {'stale'}
  end
  local state = needed_index(planned, tip)
  if (state or is_branched() and #planned > 0) and not has_index_keys then
    return {'index'}
  end
  if state == 'branches' and is_branched() and redis.call('ZCARD', SEGMENTS) + #planned > MAX_SEGMENTS then
    return {'too-many-branches'}
  end

  local ids, parents, entries, first_new = {}, {}, {}, length + 1
  if #planned > 0 then
    parents = store_messages(planned, ids)
    if state or is_branched() then
      document = index_messages(planned, ids, document, state or index, tip)
    else
      length = length + #planned
    end
  end
  for place = FIRST_REPLACEMENT, #ARGV, 3 do
    redis.call('LSET', MSGS, ARGV[place] - 1, ARGV[place + 2])
  end
  for _, seq in ipairs(seqs) do
    if seq >= first_new then
      entries[#entries + 1] = seq
      entries[#entries + 1] = parents[seq]
      entries[#entries + 1] = false
    else
      add_stored(entries, seq)
    end
  end
  if #planned == 0 and FIRST_REPLACEMENT <= #ARGV then
    -- The time of the activity is all that shows the change.
    update_activity(id, decode(document), math.max(activity_of(id) + 1, micros))
  elseif #planned > 0 then
    update_activity(id, decode(document), micros)
  else
    finish_change(id, decode(document))
  end
  local visible = message_count()
  if key ~= '' and #seqs > 0 then
    store_reply(now, seqs, visible)
  end
  return {'appended', visible, length, unpack(entries)}
end
