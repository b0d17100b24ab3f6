-- Reads cached skills and their counts.
--
-- KEYS: for each volume its cached skills and the counts of its skills
-- ARGV: for each volume the number of ids, then the ids
-- Returns for each id, in order: {the cached skill or false, uses, successes}

-- Lua passes fewer than 8,000 values to a function.
local IDS_PER_CALL = 1000

local function prefixed(prefix, ids)
  local fields = {}
  for index, id in ipairs(ids) do
    fields[index] = prefix .. id
  end
  return fields
end

local entries, argument = {}, 1
for volume = 1, #KEYS / 2 do
  local SKILLS, COUNTS = unpack(KEYS, 2 * volume - 1, 2 * volume)
  local remaining = tonumber(ARGV[argument])
  argument = argument + 1
  while remaining > 0 do
    local ids = {}
    for index = 1, math.min(remaining, IDS_PER_CALL) do
      ids[index] = ARGV[argument]
      argument = argument + 1
    end
    remaining = remaining - #ids
    local cached = call_own_type('HMGET', SKILLS, unpack(ids))
    local uses = call_own_type('HMGET', COUNTS, unpack(prefixed('uses:', ids)))
    local successes = call_own_type('HMGET', COUNTS, unpack(prefixed('successes:', ids)))
    for index = 1, #ids do
      entries[#entries + 1] = {cached[index], parse_count(uses[index]), parse_count(successes[index])}
    end
  end
end
return entries
