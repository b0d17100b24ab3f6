-- Behind every script, which stands in operate(), on a cluster.
--
-- Returns {nothing, what the script returns, what has to follow in other slots as index.lua has it}
local succeeded, returned = pcall(operate)
if succeeded or returned == ASK_SETS then
  return {false, succeeded and returned or false, follow_up}
end
error(returned)
