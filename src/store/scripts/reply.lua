-- End of every script on a single Redis.
--
-- Returns {the result of charge_rate_limit(), the result of operate()}; only the first if the limit is exceeded
return {charged, operate()}
