-- Ends a turn: stores the answer, the last entry of the log and the status, in one step. A call without the secret of the
-- producer ends a turn that has lost its producer.
local turn_id, owner, entry_seq, status, failure, closing, caller_millis, lease, log_millis, forced = unpack(ARGV, #ARGV - 9)
for _ = 1, 10 do
  pop_argument()
end
entry_seq = tonumber(entry_seq)
-- KEYS: as in turn.lua
-- ARGV: as in append.lua without an Idempotency-Key, with at most one message or replacement; then the id of the turn, the
--       secret of the producer or '', the number of the last entry (without a secret that of the last known entry), the
--       status, the code of the failure or '', the closing chunks, current time, lease and time that the log is kept in
--       milliseconds, '1' if a turn without a secret is ended before its lease is over
-- Returns as append.lua, or {'superseded'}, {'already', status}, {'fenced'}, {'gap', last entry}, {'alive'},
--         {'moved', last entry}

-- Returns the reply if the turn cannot be ended.
local function refusal(turn, now)
  if not turn.id then
    -- The record is lost.
    set_active_turn(nil)
  end
  if turn.id ~= turn_id then
    return {'superseded'}
  end
  if not ACTIVE[turn.status] then
    return {'already', turn.status}
  end
  local last = parse_count(turn.seq)
  if owner ~= '' then
    if turn.owner ~= owner then
      return {'fenced'}
    end
    if entry_seq ~= last + 1 then
      return {'gap', last}
    end
    return nil
  end
  if forced ~= '1' and not is_dead(turn, now, tonumber(lease)) then
    return {'alive'}
  end
  if entry_seq ~= last then
    return {'moved', last}
  end
  entry_seq = last + 1
end

-- Returns whether a message is on the active branch.
local function is_active(seq)
  if not is_branched() then
    return true
  end
  local tip, segment = active_tip(), segment_of(seq)
  if not redis.call('ZSCORE', PATH, segment.member) then
    return false
  end
  local above = redis.call('ZRANGEBYSCORE', PATH, '(' .. segment.first, '+inf', 'LIMIT', 0, 1)[1]
  return seq <= (above and read_segment(above).parent or tip)
end

local function commit()
  local document = find_writable_document()
  open_index(document)
  local now = now_millis(caller_millis)
  local turn = turn_fields('id', 'owner', 'status', 'operation', 'seq', 'beat', 'deadline', 'key', 'appended', 'user_seq')
  local refused = refusal(turn, now)
  if refused then
    return refused
  end
  local has_message = count > 0 or FIRST_REPLACEMENT <= #ARGV
  if count > 0 and turn.operation == 'submit' and turn.appended == '1' then
    if is_active(parse_count(turn.user_seq)) then
      -- Behind what was appended meanwhile, so that nothing is hidden.
      ARGV[FIRST_MESSAGE + 3] = ''
    else
      -- Another branch was made the active one meanwhile.
      ARGV[FIRST_MESSAGE + 4] = '0'
    end
  end
  local stored = append()
  if stored[1] ~= 'appended' then
    return stored
  end
  redis.call('XADD', LOG, entry_seq .. '-0', 'k', 'f', 's', status, 'd', closing)
  redis.call('PEXPIRE', LOG, log_millis)
  redis.call('HSET', TURN, 'status', status, 'seq', entry_seq, 'ended', now, 'owner', '', 'error', failure)
  redis.call('EXPIRE', TURN, RECORD_SECONDS)
  local has_failed = status == 'failed' or status == 'abandoned'
  if turn.key and turn.key ~= '' and has_failed and (not has_message or turn.operation == 'continue') then
    -- Nothing new of the answer is kept as a message of its own, so the same request may ask again.
    redis.call('DEL', turn.key)
  end
  set_active_turn(nil)
  return stored
end

return run(commit)
