-- The index on a cluster, where other nodes hold it: what has to follow there is returned with the answer, and
-- what the session's own slot has to know of it stands beside its document.

-- Whether a session stands in sets of the caller's volumes, which other nodes hold: '1' or '0' as they said, or ''
-- before they were asked.
local standing = pop_argument()

-- What has to follow in other slots: nothing, {'enter', id, microseconds, bucket, the system's volume or '', scopes}
-- or {'forget', id, scopes}; or what has to be asked there first, {'ask-sets', id}.
local follow_up = {}

-- Thrown where the sets have to be asked first; nothing has been written then.
local ASK_SETS = {}
local function expect_standing(id)
  if standing == '' then
    follow_up = {'ask-sets', id}
    error(ASK_SETS)
  end
end

-- Whether a session stands in a set of the caller's volumes.
local function is_in_own_set(id)
  expect_standing(id)
  return standing == '1'
end

-- Whether a document that is too large to be read only for that may be one of the caller's. Asking the sets, as
-- for what says nothing of a volume, would tell by its time that it is there. The volume stands near one end of
-- it; within a JSON string no quote ends "volume", and whatever this finds, the document itself is judged when it
-- is read.
local function may_concern_caller(id, key)
  local says_whose = false
  for _, part in ipairs({redis.call('GETRANGE', key, 0, 2047), redis.call('GETRANGE', key, -2048, -1)}) do
    local volume = part:match('"volume":%s*"(%l+)"')
    local volume_id = part:match('"volume_id":%s*"([^"]*)"')
    if volume == 'system' or volume and volume_id and is_visible(volume .. ':' .. volume_id) then
      return true
    end
    says_whose = says_whose or volume
  end
  return not says_whose and is_in_own_set(id)
end

local function activity_key(id)
  return 'llmos:activity:' .. tag(id)
end

-- The microseconds of the last activity of a session, 0 where that is not known.
local function activity_of(id)
  local kept = own('GET', activity_key(id))
  return kept and #kept <= 16 and kept:find('^%d+$') and tonumber(kept) or 0
end

-- Has the index follow a session that changed, or changed before and was not followed.
local function complete(id, document)
  local micros, system_volume = string.format('%.0f', activity_of(id)), system_volume_of(document)
  follow_up = {'enter', id, micros, bucket_of(document), system_volume, unpack(scopes_of(document))}
end

-- Notes activity on a session. Each is later than the one before, whatever the clock of the caller says: what
-- follows may overtake what follows an earlier one.
local function touch(id, document, micros)
  local before = activity_of(id)
  micros = tonumber(micros)
  if micros <= before then
    micros = before + 1
  end
  redis.call('SET', activity_key(id), string.format('%.0f', micros))
  complete(id, document)
end

-- Forgets what the Idempotency-Key answered that created a session. That it did stays: it is no key to delete.
local function forget_answer(origin_key)
  own('HDEL', origin_key, 'document', 'message')
  table.remove(KEYS, 5)
end

-- Has the index forget a session that is gone.
local function forget(id, document)
  follow_up = {'forget', id, unpack(scopes_of(document))}
end
