-- Begins a turn, and appends the user's message or replaces the message that is continued, in one step.
local operation, turn_id, owner, message_id, model, base, caller_millis, lease, duration, log_millis, entry, head, user_id,
  edited, renamed, key_fingerprint, key_seconds, client, has_budget = unpack(ARGV, #ARGV - 18)
for _ = 1, 19 do
  pop_argument()
end
if key_fingerprint == '' then
  -- Another key may be in its place.
  TURN_KEY = nil
end
-- KEYS: as in turn.lua
-- ARGV: as in append.lua without an Idempotency-Key, with at most one message or replacement; then the operation, id and
--       secret of the turn, id of the answer, model, number of parts of the continued message, current time, lease,
--       longest duration and time that the log is kept in milliseconds, first entry of the log, id of the message that
--       must be the newest one or '', id of the message that is answered or '' for the appended one, id of the message
--       that is edited or '', its new id, fingerprint of the request with an Idempotency-Key or '', seconds to keep the
--       Idempotency-Key, name by which the caller's turns are counted, '0' if their limits allow no further one
-- Returns as append.lua, or {'turn-replayed', turn, id of the answer}, {'busy', turn, status, id of the answer}, {'dead', turn},
--         {'no-message'}, {'mismatch'}, {'no-budget'}

-- Returns the newest message of the active branch that is not deleted.
local function newest()
  local seq = active_tip()
  while seq > 0 and is_deleted(seq) do
    seq = parent_of(seq)
  end
  return seq
end

-- Replaces an id in the member that names the versions beside a message.
local function rename_version(parent, seq, from, to)
  local versions = redis.call('HGET', VERSIONS, parent)
  if versions then
    local words = {}
    for word in versions:gmatch('[^ ]+') do
      words[#words + 1] = word == seq .. ':' .. from and seq .. ':' .. to or word
    end
    redis.call('HSET', VERSIONS, parent, table.concat(words, ' '))
  end
end

-- Gives a stored message another id, so that a new version of it can have its id.
local function rename(seq, from, to)
  local parent = parent_of(seq)
  local text = text_at(seq)
  local quoted = from:gsub('%p', '%%%0')
  redis.call('LSET', MSGS, seq - 1, (text:gsub('"id":%s*"' .. quoted .. '"', '"id":"' .. to .. '"', 1)))
  redis.call('HDEL', IDS, from)
  index_id(to, seq)
  rename_version(parent, seq, from, to)
  for _, member in ipairs(redis.call('ZRANGE', SEGMENTS, 0, -1)) do
    local segment = read_segment(member)
    if segment.parent == seq then
      local changed = segment.first .. ':' .. seq .. ':' .. segment.depth .. ':' .. to
      redis.call('ZREM', SEGMENTS, member)
      redis.call('ZADD', SEGMENTS, segment.first, changed)
      if redis.call('ZREM', PATH, member) == 1 then
        redis.call('ZADD', PATH, segment.first, changed)
      end
      local child = text_at(segment.first)
      local renamed_child = child:gsub('"parent_id":%s*"' .. quoted .. '"', '"parent_id":"' .. to .. '"', 1)
      redis.call('LSET', MSGS, segment.first - 1, renamed_child)
    end
  end
end

-- Returns the reply if the turn cannot begin.
local function refusal(now)
  if TURN_KEY then
    local stored = call_own_type('GET', TURN_KEY)
    local own_id = count > 0 and ARGV[FIRST_MESSAGE] or ''
    -- A session with this id was deleted since.
    local is_outdated = length == 0 or own_id ~= '' and not find_message(own_id)
    if stored and not is_outdated then
      local known, fingerprint, answer_id = stored:match('^(%S+) (%S*) ?(%S*)$')
      if fingerprint ~= key_fingerprint then
        return {'mismatch'}
      end
      return {'turn-replayed', known, answer_id}
    end
  end
  local turn = turn_fields('id', 'status', 'beat', 'deadline', 'message_id')
  if turn.id == turn_id then
    -- An earlier attempt of this call began the turn.
    return {'turn-replayed', turn_id, message_id}
  end
  if ACTIVE[turn.status] then
    if is_dead(turn, now, tonumber(lease)) then
      return {'dead', turn.id}
    end
    return {'busy', turn.id, turn.status, turn.message_id}
  end
  if head ~= '' then
    local seq = newest()
    if seq == 0 or id_of(text_at(seq), seq) ~= head then
      return {'stale'}
    end
  end
end

local function begin()
  local document = find_writable_document()
  expect_session(document)
  open_index(document)
  local now = now_millis(caller_millis)
  local refused = refusal(now)
  if refused then
    return refused
  end
  if has_budget == '0' then
    return {'no-budget'}
  end
  if edited ~= '' then
    local seq = find_message(edited)
    if not seq or is_deleted(seq) then
      return {'no-message'}
    end
    if not has_index_keys then
      return {'index'}
    end
    if is_branched() and redis.call('ZCARD', SEGMENTS) >= MAX_SEGMENTS then
      return {'too-many-branches'}
    end
    document = create_index(document, 'branches')
    rename(seq, edited, renamed)
  end
  if user_id ~= '' then
    local seq = find_message(user_id)
    if not seq or is_deleted(seq) then
      return {'no-message'}
    end
  end
  local stored = append()
  if stored[1] ~= 'appended' then
    return stored
  end
  local user_seq = user_id ~= '' and find_message(user_id) or stored[4]
  user_id = id_of(text_at(user_seq), user_seq)
  redis.call('DEL', TURN)
  redis.call('HSET', TURN, 'id', turn_id, 'operation', operation, 'status', 'reserved', 'model', model,
    'message_id', message_id, 'user_message_id', user_id, 'user_seq', user_seq, 'base', base, 'key', TURN_KEY or '',
    'appended', stored[6] == false and '1' or '0',
    'client', client, 'owner', owner, 'seq', 1, 'bytes', #entry, 'beat', now, 'started', now, 'deadline', now + duration)
  redis.call('EXPIRE', TURN, RECORD_SECONDS)
  redis.call('DEL', LOG)
  redis.call('XADD', LOG, '1-0', 'k', 'c', 'd', entry)
  redis.call('PEXPIRE', LOG, log_millis)
  if TURN_KEY then
    redis.call('SET', TURN_KEY, turn_id .. ' ' .. key_fingerprint .. ' ' .. message_id, 'EX', key_seconds)
  end
  set_active_turn('{"id":"' .. turn_id .. '","message_id":"' .. message_id .. '","user_message_id":"' .. user_id
    .. '","user_seq":' .. user_seq .. '}')
  return stored
end

return run(begin)
