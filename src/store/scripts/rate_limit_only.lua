-- Returns what charge.lua charged, before any function that other scripts need is defined.
--
-- KEYS: none
-- ARGV: none
-- Returns {the result of charge_rate_limit(), true}
do
  return {charged, true}
end
