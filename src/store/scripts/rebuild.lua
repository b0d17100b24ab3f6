-- Stores a message index that was rebuilt from the messages.
local count, state, visible = unpack(ARGV, 3, 5)
local FIRST_LIST = 6
-- KEYS: as in messages.lua
-- ARGV: as in messages.lua, the message count that it was made of, 'ids' or 'branches', number of messages on the
--       active branch without deleted ones, and five lists, each with its length before it: ids and seqs, segments, segments of the
--       active branch, ranges of deleted messages, parents and versions
-- Returns false, {'changed'} if there are more messages now, or {'rebuilt'}, also if another call rebuilt the index

local place = FIRST_LIST
local function next_list()
  local size = tonumber(ARGV[place])
  local first = place + 1
  place = first + size
  return first, place - 1
end

-- Adds to a hash or a sorted set; calls take 1,000 arguments at most.
local function add(command, key, first, last)
  for from = first, last, 1000 do
    local arguments = {}
    for argument = from, math.min(from + 999, last) do
      if command == 'ZADD' then
        arguments[#arguments + 1] = ARGV[argument]:match('^%d+')
      end
      arguments[#arguments + 1] = ARGV[argument]
    end
    redis.call(command, key, unpack(arguments))
  end
end

-- Replaces a hash or a sorted set.
local function store(command, key, first, last)
  redis.call('DEL', key)
  add(command, key, first, last)
end

local document = find_document(id, DOC)
if not document then
  return false
end
length = redis.call('LLEN', MSGS)
index = index_of(document)
if index and has_whole_index() then
  -- Another call rebuilt it, or only ids were missing. It is newer than the messages that were scanned: some may have been
  -- deleted since. Their ids never change.
  add('HSET', IDS, next_list())
  return {'rebuilt'}
end
if length ~= tonumber(count) then
  return {'changed'}
end
redis.call('SET', DOC, with_index(document, state), 'KEEPTTL')
store('HSET', IDS, next_list())
if state == 'branches' then
  store('ZADD', SEGMENTS, next_list())
  store('ZADD', PATH, next_list())
  store('ZADD', DELETED, next_list())
  store('HSET', VERSIONS, next_list())
  redis.call('DEL', STATE)
  redis.call('HSET', STATE, 'tip', '', 'count', length, 'visible', visible)
end
return {'rebuilt'}
