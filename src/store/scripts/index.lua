-- The index on a single Redis: the script that changes a session also updates the index.
--
-- This file and cluster/index.lua define the same functions, which access.lua and the scripts call:
--   is_in_own_set(id)                       whether a set of the caller's volumes contains a session
--   may_belong_to_caller(id, key)           whether a large document may belong to the caller
--   activity_of(id)                         last activity of a session in microseconds, 0 if unknown
--   update_activity(id, document, micros)   records an activity and updates the index
--   update_details(id, document, created)   updates the details of the index; `created` is the time of creation in
--                                           microseconds, or '' if the session is not new. Follows update_activity or
--                                           finish_change
--   finish_change(id, document)             for a repeated change: updates the index again if that is a separate step
--   drop_reply(key)                         drops the stored reply of the request that created a session
--   remove_from_index(id, document)         removes a deleted session from the index
-- This file also defines system_volumes() and add_volume_of(document) for page.lua, and add_to_index() for create.lua.

-- Returns whether a set of the caller's volumes contains a session.
local function is_in_own_set(id)
  for visible in visible_scopes:gmatch('[^\n]+') do
    if redis.pcall('SISMEMBER', members_key(visible), id) == 1 then
      return true
    end
  end
  return false
end

-- Returns the ids of the system volumes: 'default', where the Python version stores system sessions, 'system', where
-- skills are, and the registered ones.
local function system_volumes()
  local volumes = call_own_type('SMEMBERS', SYSTEM_VOLUMES)
  volumes[#volumes + 1] = 'default'
  volumes[#volumes + 1] = 'system'
  return volumes
end

-- Returns whether a set of the system volumes contains a session.
local function is_in_system_set(id)
  for _, volume in ipairs(system_volumes()) do
    if redis.pcall('SISMEMBER', members_key('system:' .. volume), id) == 1 then
      return true
    end
  end
  return false
end

-- Returns whether a document that is too large to be read for this check may belong to the caller.
local function may_belong_to_caller(id)
  return is_in_own_set(id) or is_in_system_set(id)
end

-- Registers the volume of a session if it is a system volume.
local function add_volume_of(document)
  local id = system_volume_of(document)
  if id ~= '' then
    add_system_volume(id)
  end
end

-- Records an activity and updates the index. The activity never decreases, because the clocks of callers differ.
local function update_activity(id, document, micros)
  add_volume_of(document)
  local bucket = bucket_of(document)
  for _, scope in ipairs(scopes_of(document)) do
    if call_own_type('ZADD', recent_key(scope, bucket), 'GT', micros, id) == 1 then
      remove_from_buckets(scope, id, bucket)
    end
  end
end

-- Updates the details of the index.
local function update_details(id, document, created)
  for _, scope in ipairs(scopes_of(document)) do
    put_details(scope, id, created, is_pinned(document))
  end
end

-- Adds a new session to the index. If the client chose its id, the index may contain it: another program deleted that
-- session without its index entries.
local function add_to_index(id, document, micros, is_chosen)
  add_volume_of(document)
  local bucket = bucket_of(document)
  for _, scope in ipairs(scopes_of(document)) do
    call_own_type('ZADD', recent_key(scope, bucket), micros, id)
    if is_chosen then
      remove_from_buckets(scope, id, bucket)
    end
  end
  update_details(id, document, micros)
end

-- Does nothing: the change and its index update are one step.
local function finish_change()
end

-- Drops the stored reply of the request that created a session. Its fingerprint stays, so that a late retry does not
-- create the session again.
local function drop_reply(origin_key)
  local reply_key = call_own_type('GET', origin_key)
  -- Another program may have written the value, so it must name a reply.
  if reply_key and reply_key:find('llmos:reply:', 1, true) == 1 then
    call_own_type('HDEL', reply_key, 'document', 'messages')
  end
end

-- Removes a deleted session from the index.
local function remove_from_index(id, document)
  for _, scope in ipairs(scopes_of(document)) do
    remove_member(scope, id)
  end
end

-- Returns the last activity of a session in microseconds, 0 if unknown.
local function activity_of(id)
  return indexed_activity(ALL, id) or 0
end
