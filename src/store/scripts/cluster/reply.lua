-- End of every script on a cluster: runs operate(). The rate limit is charged by a separate call, in its own slot.
--
-- Returns {false, the result of operate(), the follow-up in other slots as described in cluster/index.lua}
local succeeded, returned = pcall(operate)
if succeeded or returned == QUERY_MEMBERSHIP then
  return {false, succeeded and returned or false, follow_up}
end
error(returned)
