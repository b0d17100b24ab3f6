-- Parsing of the times in documents.

-- Parses RFC 3339 as the Python version wrote it. Returns microseconds, 0 for any other text.
local function parse_time(text)
  if type(text) ~= 'string' then
    return 0
  end
  local year, month, day, hour, minute, second, fraction =
    text:match('^(%d%d%d%d)-(%d%d)-(%d%d)[T ](%d%d):(%d%d):(%d%d)%.?(%d*)')
  if not year then
    return 0
  end
  -- Days since 1970 in the Gregorian calendar, counting years from March.
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  local days = 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
  local micros = tonumber((fraction .. '000000'):sub(1, 6))
  return ((days * 24 + hour) * 60 + minute) * 60000000 + second * 1000000 + micros
end
