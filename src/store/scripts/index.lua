-- The index where one Redis holds all: kept by the script that changes a session.

-- Whether a session stands in a set of the caller's volumes.
local function is_in_own_set(id)
  for visible in visible_scopes:gmatch('[^\n]+') do
    if redis.pcall('SISMEMBER', members_key(visible), id) == 1 then
      return true
    end
  end
  return false
end

-- The ids of the system's volumes: where the Python version, and where skills, keep what is the system's, and
-- those that were noted.
local function system_volumes()
  local volumes = own('SMEMBERS', SYSTEM_VOLUMES)
  volumes[#volumes + 1] = 'default'
  volumes[#volumes + 1] = 'system'
  return volumes
end

-- Whether a session stands in a set of the system's volumes.
local function is_in_systems_set(id)
  for _, volume in ipairs(system_volumes()) do
    if redis.pcall('SISMEMBER', members_key('system:' .. volume), id) == 1 then
      return true
    end
  end
  return false
end

-- Whether a document that is too large to be read only for that may be one of the caller's.
local function may_concern_caller(id)
  return is_in_own_set(id) or is_in_systems_set(id)
end

-- Notes the system's volume that a session is in, if it is in one.
local function note_volume_of(document)
  local id = system_volume_of(document)
  if id ~= '' then
    note_system_volume(id)
  end
end

-- Notes activity on a session. It never goes back in time, whatever the clock of the caller does.
local function touch(id, document, micros)
  note_volume_of(document)
  local bucket = bucket_of(document)
  for _, scope in ipairs(scopes_of(document)) do
    if own('ZADD', recent_key(scope, bucket), 'GT', micros, id) == 1 then
      remove_from_buckets(scope, id, bucket)
    end
  end
end

-- What a repetition of a change has to do again: nothing, because one step did all.
local function complete()
end

-- Forgets what the Idempotency-Key answered that created a session. That it did stays, so that a late repetition
-- does not create the session again.
local function forget_answer(origin_key)
  local reply_key = own('GET', origin_key)
  -- What stands there is believed only where it names a reply: what is no hash there is dropped.
  if reply_key and reply_key:find('llmos:reply:', 1, true) == 1 then
    own('HDEL', reply_key, 'document', 'message')
  end
end

-- Forgets a session that is gone.
local function forget(id, document)
  for _, scope in ipairs(scopes_of(document)) do
    forget_member(scope, id)
  end
end

-- The microseconds of the last activity of a session that was asked for by its id, 0 where it is
-- not known.
local function activity_of(id)
  return indexed_activity(ALL, id) or 0
end
