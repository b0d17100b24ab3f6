-- Makes the branch of a message the active one.
local micros, message_id, expected = unpack(ARGV, 3, 5)
-- KEYS: as in messages.lua
-- ARGV: as in messages.lua, current time in microseconds, id of the message, 'last seq:activity' that the
--       session must have or ''
-- Returns false, {'index'}, {'rebuild'}, {'read-only'}, {'no-message'}, {'stale'}, or
--         {'active', document, message count, last seq, activity}

-- Returns the newest message behind a message, or that message itself; deleted ones do not count.
local function newest_behind(seq)
  if not is_branched() then
    return length
  end
  -- The segments behind the message, each with the seq that its part of the branch begins at.
  local own = segment_of(seq)
  local firsts, behind = {own.first}, {[own.first] = seq}
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', SEGMENTS, '(' .. own.first, '+inf')) do
    local segment = read_segment(member)
    firsts[#firsts + 1] = segment.first
    local parent = segment.parent
    if parent >= own.first then
      -- The segment that contains the parent is the last one that begins at or before it.
      local low, high = 1, #firsts - 1
      while low < high do
        local middle = math.ceil((low + high) / 2)
        if firsts[middle] <= parent then
          low = middle
        else
          high = middle - 1
        end
      end
      local begin = behind[firsts[low]]
      if begin and parent >= begin then
        behind[segment.first] = segment.first
      end
    end
  end
  for place = #firsts, 1, -1 do
    local begin = behind[firsts[place]]
    local last = firsts[place + 1] and firsts[place + 1] - 1 or length
    while begin and last >= begin do
      local deleted_first, deleted_last = deleted_before(last)
      if deleted_last < last then
        return last
      end
      last = deleted_first - 1
    end
  end
  return seq
end

local function switch()
  local document = find_writable_document()
  expect_session(document)
  open_index(document)
  local is_stale = expected ~= '' and expected ~= session_state()
  if is_stale and not repeated then
    return {'stale'}
  end
  local seq = find_message(message_id)
  if not seq or is_deleted(seq) then
    return {'no-message'}
  end
  local tip = newest_behind(seq)
  if tip ~= active_tip() then
    -- Repeated: the first attempt never ran, or another change came after it.
    if is_stale then
      return {'stale'}
    end
    activate(tip)
    update_activity(id, decode(document), math.max(activity_of(id) + 1, micros))
  else
    finish_change(id, decode(document))
  end
  return {'active', document, message_count(), length, activity_of(id)}
end

return run(switch)
