-- The index on a cluster: other slots store it. The script returns the follow-up that updates it. The slot of the
-- session stores its last activity beside the document.
--
-- Defines the functions that are listed in ../index.lua.

-- Whether sets of the caller's volumes, in other slots, contain the session: '1' or '0', '' if they were not queried.
local membership = pop_argument()

-- The follow-up in other slots (cluster/steps.rs): nothing, {'put', id, microseconds, bucket, id of the system
-- volume or '', details, microseconds of the creation or '', scopes}, {'remove', id, scopes}, or
-- {'query-membership', id}. After the last one the script runs again. The details are '1' for a pinned session, '0' for
-- another one, or '' if they did not change.
local follow_up = {}

-- Thrown if the sets must be queried first. Nothing has been written then.
local QUERY_MEMBERSHIP = {}
local function require_membership(id)
  if membership == '' then
    follow_up = {'query-membership', id}
    error(QUERY_MEMBERSHIP)
  end
end

-- Returns whether a set of the caller's volumes contains a session.
local function is_in_own_set(id)
  require_membership(id)
  return membership == '1'
end

-- Returns whether a document that is too large to be read for this check may belong to the caller. Querying the sets
-- would reveal by its time that the session exists, so the volume is searched near both ends of the document. A JSON
-- string cannot contain the unescaped text "volume". The result is only a filter: the document is checked when it is
-- read.
local function may_belong_to_caller(id, key)
  local has_volume = false
  for _, part in ipairs({redis.call('GETRANGE', key, 0, 2047), redis.call('GETRANGE', key, -2048, -1)}) do
    local volume = part:match('"volume":%s*"(%l+)"')
    local volume_id = part:match('"volume_id":%s*"([^"]*)"')
    if volume == 'system' or volume and volume_id and is_visible(volume .. ':' .. volume_id) then
      return true
    end
    has_volume = has_volume or volume
  end
  return not has_volume and is_in_own_set(id)
end

local function activity_key(id)
  return 'llmos:activity:' .. tag(id)
end

-- Returns the last activity of a session in microseconds, 0 if unknown.
local function activity_of(id)
  local stored = call_own_type('GET', activity_key(id))
  return stored and #stored <= 16 and stored:find('^%d+$') and tonumber(stored) or 0
end

-- Requests an index update for a session that changed, or whose earlier change was not followed up.
local function finish_change(id, document)
  local micros, system_volume = string.format('%.0f', activity_of(id)), system_volume_of(document)
  follow_up = {'put', id, micros, bucket_of(document), system_volume, '', '', unpack(scopes_of(document))}
end

-- Adds the details to the follow-up.
local function update_details(_, document, created)
  follow_up[6], follow_up[7] = is_pinned(document) and '1' or '0', created
end

-- Records an activity and requests an index update. Each activity is later than the one before, even if the clock of the
-- caller is behind: a follow-up may overtake an earlier one.
local function update_activity(id, document, micros)
  local before = activity_of(id)
  micros = tonumber(micros)
  if micros <= before then
    micros = before + 1
  end
  redis.call('SET', activity_key(id), string.format('%.0f', micros))
  finish_change(id, document)
end

-- Drops the stored reply of the request that created a session. The key itself stays: it is removed from KEYS, so that
-- delete.lua does not delete it.
local function drop_reply(origin_key)
  call_own_type('HDEL', origin_key, 'document', 'messages')
  table.remove(KEYS, 5)
end

-- Requests the removal of a deleted session from the index.
local function remove_from_index(id, document)
  follow_up = {'remove', id, unpack(scopes_of(document))}
end
