-- End of every script on a single Redis: charges the rate limit, then runs operate().
--
-- Returns {the result of charge_rate_limit(), the result of operate()}; only the first if the limit is exceeded
local charged = charge_rate_limit()
if charged and charged[1] == 'limited' then
  return {charged}
end
return {charged, operate()}
