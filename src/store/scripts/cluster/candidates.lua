-- End of list.lua on a cluster: returns the next sessions of one scope, or members of its set that are not indexed.
--
-- KEYS: all keys of the scope's index, beginning with its set and the position of indexing
-- ARGV: as in ../list.lua, with one scope
-- Returns {'unindexed', position to continue from, ids}, or
--         {'candidates', {id, microseconds, bucket}}, one more than the limit

-- Maximum number of members that one call indexes. Each is read from its own slot.
local MEMBERS_PER_CALL = 100

local scope = scopes[1]
if not is_indexed(scope) then
  local found = scan_members(scope, MEMBERS_PER_CALL)
  local ids = {}
  for _, id in ipairs(found[2]) do
    if not indexed_activity(scope.name, id) then
      ids[#ids + 1] = id
    end
  end
  return {'unindexed', found[1], ids}
end
local candidates = {}
for index, candidate in ipairs(candidates_after_cursor()) do
  candidates[index] = {candidate.id, candidate.micros, candidate.bucket}
end
return {'candidates', candidates}
