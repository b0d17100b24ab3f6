-- Charges the rate limit, in the slot of the caller.
--
-- KEYS: the rate limit of the caller (the envelope names it as well)
-- ARGV: none
-- Returns the result of charge_rate_limit()
return charge_rate_limit()
