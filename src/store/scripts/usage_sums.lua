-- Sums of usage: 'turns input output cached reasoning dollars units', whole numbers. Tokens are input (with cached ones),
-- output (with reasoning), cached input and reasoning; `units` are the 10^-12 dollars below one dollar.
local MEASURES, ONE_DOLLAR, MAX_SUM = 7, 1000000000000, 1000000000000000

-- Returns the numbers of a text; missing ones are 0.
local function parse_sums(text)
  local sums = {}
  for number in (text or ''):gmatch('%d+') do
    sums[#sums + 1] = tonumber(number)
  end
  for place = 1, MEASURES do
    sums[place] = math.min(sums[place] or 0, MAX_SUM)
  end
  return sums
end

-- Adds an amount of dollars to another one. Returns dollars and units.
local function add_amounts(dollars, units, more_dollars, more_units)
  local sum = units + more_units
  return dollars + more_dollars + math.floor(sum / ONE_DOLLAR), sum % ONE_DOLLAR
end

-- Adds sums to a field of a hash.
local function add_to_field(key, field, more)
  local sums = parse_sums(call_own_type('HGET', key, field))
  local dollars, units = add_amounts(sums[6], sums[7], more[6], more[7])
  local words = {}
  for place = 1, 5 do
    words[place] = string.format('%.0f', math.min(sums[place] + more[place], MAX_SUM))
  end
  words[6], words[7] = string.format('%.0f', math.min(dollars, MAX_SUM)), string.format('%.0f', units)
  redis.call('HSET', key, field, table.concat(words, ' '))
end

-- Adds sums to a day of a hash, and deletes the days before `oldest` of a hash with many days.
local function add_to_day(key, day, more, oldest)
  add_to_field(key, day, more)
  if redis.call('HLEN', key) > 400 then
    for _, field in ipairs(redis.call('HKEYS', key)) do
      if field < oldest then
        redis.call('HDEL', key, field)
      end
    end
  end
end
