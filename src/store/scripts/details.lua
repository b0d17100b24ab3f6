-- The details of the index of a scope: session ids by their creation, and the pinned sessions. An append does not change
-- them. The set of pinned sessions also contains COMPLETE, once both keys contain every member of the scope's set.
local COMPLETE = ''

local function created_key(scope)
  return 'llmos:created:' .. tag(scope)
end

local function pinned_key(scope)
  return 'llmos:pinned:' .. tag(scope)
end

local function is_pinned(document)
  return document.pinned == true
end

-- Puts a session into the details of a scope's index; `created` is '' if the index contains its creation already.
local function put_details(scope, id, created, pinned)
  if created ~= '' then
    call_own_type('ZADD', created_key(scope), created, id)
  end
  if pinned then
    call_own_type('SADD', pinned_key(scope), id)
  elseif created == '' then
    call_own_type('SREM', pinned_key(scope), id)
  end
end

-- Removes a deleted session from a scope's set and index.
local function remove_member(scope, id)
  -- A value that is not a set contains no id.
  if redis.pcall('SREM', members_key(scope), id) == 1 and count_indexed(scope, -1) <= 0 then
    redis.call('DEL', indexed_key(scope), created_key(scope), pinned_key(scope))
  end
  remove_from_buckets(scope, id)
  call_own_type('ZREM', created_key(scope), id)
  call_own_type('SREM', pinned_key(scope), id)
end

-- Returns whether the index by creation contains every member, as far as counts can show.
local function has_creations(scope, members)
  return call_own_type('ZCARD', created_key(scope)) >= redis.call('SCARD', members)
end

-- Records that the details of the index contain all members of a scope's set.
local function set_complete(scope, members)
  if redis.call('SCARD', members) > 0 and has_creations(scope, members) then
    call_own_type('SADD', pinned_key(scope), COMPLETE)
  end
end
