-- Turns of a session: a model answers one message at a time. Shared by begin_turn.lua and commit_turn.lua.
--
-- llmos:turn:{id} is a hash, the current or last turn:
--   id, operation ('submit', 'edit', 'regenerate' or 'continue'), status, model, message_id of the answer, user_message_id
--   and user_seq of the message that is answered, base: the number of parts that a continued message had, appended: '1' if the message was
--   stored with the beginning, key: name of the
--   key of its Idempotency-Key, client: name by which its caller's turns are counted, owner: the secret of the producer,
--   seq: the last entry of the log, bytes of the log, beat, started, deadline, ended: milliseconds, stopped_by, error: code
--   of the failure
-- llmos:turn-log:{id}:{turn} is a stream with the entries 1-0, 2-0, … without gaps: k 'c' and d: chunks, one per line; the
--   last one k 'f', s: the status, d: the closing chunks
-- The document of a session with an active turn has the member active_turn, behind message_index.
--
-- KEYS: as in messages.lua, then the turn, its log, and for begin_turn.lua the key of the Idempotency-Key, if there is one
local TURN, LOG, TURN_KEY = KEYS[FURTHER_KEYS], KEYS[FURTHER_KEYS + 1], KEYS[FURTHER_KEYS + 2]
local ACTIVE = {reserved = true, streaming = true, stopping = true}
-- A turn's record is kept this long, in seconds.
local RECORD_SECONDS = 86400

-- Returns the clock of Redis in milliseconds; that of the caller if the user may not read it.
local function now_millis(of_caller)
  return math.floor((clock() or tonumber(of_caller) * 1000) / 1000)
end

-- Returns fields of the turn by name.
local function turn_fields(...)
  local values, fields = call_own_type('HMGET', TURN, ...), {}
  for place, name in ipairs({...}) do
    fields[name] = values[place] or nil
  end
  return fields
end

-- Returns whether the turn has lost its producer.
local function is_dead(turn, now, lease)
  return now - parse_count(turn.beat) >= lease or now >= parse_count(turn.deadline)
end

-- The beginning of a document before the member active_turn: message_index, if it is there, is the first member.
local WITH_INDEX, WITHOUT_INDEX = '^(%s*{%s*"message_index":%s*"%l+"%s*,)', '^(%s*{)'
local ACTIVE_TURN = '%s*"active_turn":%s*{[^{}]*}%s*,'

-- Replaces what matches behind the beginning of a document. The ids in `text` contain no '%'.
local function replace_behind_begin(document, pattern, text)
  local changed, count = document:gsub(WITH_INDEX .. pattern, '%1' .. text, 1)
  if count == 0 then
    changed = document:gsub(WITHOUT_INDEX .. pattern, '%1' .. text, 1)
  end
  return changed
end

-- Stores the document with this member active_turn, nil for none.
local function set_active_turn(active)
  local document = redis.call('GET', DOC)
  local changed = replace_behind_begin(document, ACTIVE_TURN, '')
  if active then
    changed = replace_behind_begin(changed, '', '"active_turn":' .. active .. ',')
  end
  if changed ~= document then
    redis.call('SET', DOC, changed, 'KEEPTTL')
  end
end
