-- End of list.lua on a cluster: returns the next sessions of one scope, or members of its set that are not indexed.
--
-- KEYS: all keys of the scope's index, beginning with its set and the position of indexing
-- ARGV: as in ../list.lua, with one scope
-- Returns {'unindexed', position to continue from, ids}, {'too-many'} if there are more pinned sessions than the limit,
--         or {'candidates', {id, microseconds, bucket}, number of sessions in the buckets or 0}, one candidate more than
--         the limit

-- Maximum number of members that one call indexes. Each is read from its own slot.
local MEMBERS_PER_CALL = 100

local scope = scopes[1]
if must_index(scope) then
  local found = scan_members(scope, MEMBERS_PER_CALL)
  local ids = {}
  for _, id in ipairs(found[2]) do
    if not contains(scope, id) then
      ids[#ids + 1] = id
    end
  end
  return {'unindexed', found[1], ids}
end
local found, candidates = candidates_after_cursor(), {}
if not found then
  return {'too-many'}
end
for index, candidate in ipairs(found) do
  candidates[index] = {candidate.id, candidate.micros, candidate.bucket}
end
return {'candidates', candidates, with_total and count_sessions(scope) or 0}
