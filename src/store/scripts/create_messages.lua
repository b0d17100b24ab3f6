-- Messages of a new session, on a single Redis (create.lua) and on a cluster (cluster/create.lua).

-- Returns the messages that a session was created with, as they are now.
local function first_messages(key, count)
  count = parse_count(count)
  return count > 0 and redis.call('LRANGE', key, 0, count - 1) or {}
end

-- Stores messages, and the ids of those that do not tell their seq. Calls take 1,000 arguments at most.
local function store_messages(messages, ids, first, count)
  local last = first + count - 1
  for from = first, last, 1000 do
    redis.call('RPUSH', messages, unpack(ARGV, from, math.min(from + 999, last)))
  end
  if last < #ARGV then
    redis.call('HSET', ids, '', 'complete')
  end
  for from = last + 1, #ARGV, 1000 do
    redis.call('HSET', ids, unpack(ARGV, from, math.min(from + 999, #ARGV)))
  end
end

