-- Behind every script, which stands in operate(), where one Redis holds all: runs it where its caller's limit
-- allows that.
--
-- Returns {allowance as count_request has it, what the script returns}
local allowance = count_request()
if allowance and allowance[1] == 'limited' then
  return {allowance}
end
return {allowance, operate()}
