-- Start of every script on a single Redis: charges the rate limit. On a cluster a separate call does that, in its own
-- slot.
local charged = charge_rate_limit()
if charged and charged[1] == 'limited' then
  return {charged}
end
