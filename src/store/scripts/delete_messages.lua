-- Deletes messages of a session: their places stay.
local micros, time, message_id, sha, after, every, maximum, expected = unpack(ARGV, 3, 10)
-- KEYS: as in messages.lua
-- ARGV: as in messages.lua, current time in microseconds, the same time as JSON, id of the message or '', SHA-1 that its
--       text must have or '', and without an id: the seq behind which messages of the active branch are deleted, '1' for
--       those of all branches, and the maximum number of messages of one call; 'last seq:activity' that the session must
--       have or ''
-- Returns false, {'index'}, {'rebuild'}, {'read-only'}, {'no-message'}, {'changed'}, {'stale'}, or
--         {'deleted', number of deleted messages, 1 or 0 for more, document, message count, last seq, activity}

-- Returns the text that stays in the place of a message. The first "role" and "timestamp" of a text are its own: those
-- in its content are escaped, and others come later.
local function tombstone(text, seq)
  local head = text:sub(1, 1024)
  local parent = head:match('^{"id":"[^"]*",("parent_id":"[^"]*",)') or head:match('^{"id":"[^"]*",("parent_id":null,)') or ''
  local role = head:match('"role":%s*"(%l+)"') or 'user'
  local written = text:match('"timestamp":%s*("[^"\\]*")') or 'null'
  return '{"id":' .. cjson.encode(id_of(text, seq)) .. ',' .. parent .. '"role":"' .. role .. '","content":"","timestamp":' .. written
    .. ',"traces":null,"artifacts":null,"updated_at":' .. time .. ',"deleted":true}'
end

-- Adds a message to the ranges of deleted ones.
local function mark_deleted(seq)
  local first, last = seq, seq
  local before_first, before_last = deleted_before(seq)
  if before_last == seq - 1 and before_first > 0 then
    redis.call('ZREM', DELETED, before_first .. ':' .. before_last)
    first = before_first
  end
  local after_member = redis.call('ZRANGEBYSCORE', DELETED, seq + 1, seq + 1)[1]
  if after_member then
    local _, after_last = read_range(after_member)
    redis.call('ZREM', DELETED, after_member)
    last = after_last
  end
  redis.call('ZADD', DELETED, first, first .. ':' .. last)
end

-- Removes a message from the versions of its place.
local function remove_version(seq)
  local segment = segment_of(seq)
  local parent = segment.first == seq and segment.parent or seq - 1
  local known = redis.call('HGET', VERSIONS, parent)
  if known then
    local kept = {}
    for version in known:gmatch('%S+') do
      if version:match('^%d+') ~= tostring(seq) then
        kept[#kept + 1] = version
      end
    end
    redis.call('HSET', VERSIONS, parent, table.concat(kept, ' '))
  end
end

local function delete_one(seq)
  local text = text_at(seq)
  remove_version(seq)
  redis.call('LSET', MSGS, seq - 1, tombstone(text, seq))
  mark_deleted(seq)
end

-- Returns the seqs to delete, the last one first, at most one more than the maximum.
local function seqs_after()
  local seqs, seq = {}, every == '1' and length or active_tip()
  local first = tonumber(after) + 1
  maximum = tonumber(maximum)
  while seq >= first and #seqs <= maximum do
    local covered_first, covered_last = 0, 0
    if is_branched() then
      covered_first, covered_last = deleted_before(seq)
    end
    if covered_last >= seq then
      -- On the active branch a range of deleted messages may belong to several segments.
      local segment = segment_of(seq)
      if every == '1' or covered_first > segment.first then
        seq = covered_first - 1
      else
        seq = segment.parent
      end
    else
      seqs[#seqs + 1] = seq
      local segment = every ~= '1' and segment_of(seq)
      seq = segment and segment.first == seq and segment.parent or seq - 1
    end
  end
  return seqs
end

local function delete()
  local document = find_writable_document()
  expect_session(document)
  open_index(document)
  local is_stale = expected ~= '' and expected ~= session_state()
  if is_stale and not repeated then
    return {'stale'}
  end
  local seqs, has_more = {}, false
  if message_id ~= '' then
    local seq, text = find_message(message_id)
    if not seq or is_deleted(seq) then
      if repeated and seq then
        finish_change(id, decode(document))
        return {'deleted', 1, 0, document, message_count(), length, activity_of(id)}
      end
      return {'no-message'}
    end
    if sha ~= '' and redis.sha1hex(text or text_at(seq)) ~= sha then
      return {'changed'}
    end
    seqs = {seq}
  else
    seqs = seqs_after()
    if #seqs > maximum then
      has_more = true
      seqs[#seqs] = nil
    end
  end
  if #seqs > 0 then
    -- Repeated: the first attempt never ran, or another change came after it.
    if is_stale then
      return {'stale'}
    end
    if not has_index_keys then
      return {'index'}
    end
    document = create_index(document, 'branches')
    local tip = active_tip()
    for _, seq in ipairs(seqs) do
      delete_one(seq)
    end
    activate(tip)
    update_activity(id, decode(document), math.max(activity_of(id) + 1, micros))
  else
    finish_change(id, decode(document))
  end
  return {'deleted', #seqs, has_more and 1 or 0, document, message_count(), length, activity_of(id)}
end

return run(delete)
