-- Reads the sums of a volume.
local from, to, max_rows = ARGV[1], ARGV[2], tonumber(ARGV[3])
-- KEYS: the sums by day; or those of some days by model or by session
-- ARGV: first and last day for sums by day, else '' twice; the most rows
-- Returns {'rows', name and sums of each row, …}, or {'too-many'}
local rows, names = {}, {}
for _, key in ipairs(KEYS) do
  if from == '' and redis.call('TYPE', key).ok == 'hash' and redis.call('HLEN', key) > max_rows then
    return {'too-many'}
  end
  local fields = call_own_type('HGETALL', key) or {}
  for place = 1, #fields, 2 do
    local name = fields[place]
    if from == '' or (name >= from and name <= to) then
      local sums = parse_sums(fields[place + 1])
      local row = rows[name]
      if row then
        for measure = 1, 5 do
          row[measure] = row[measure] + sums[measure]
        end
        row[6], row[7] = add_amounts(row[6], row[7], sums[6], sums[7])
      else
        names[#names + 1] = name
        rows[name] = sums
      end
    end
  end
  if #names > max_rows then
    return {'too-many'}
  end
end
local reply = {'rows'}
for _, name in ipairs(names) do
  local words = {}
  for place = 1, MEASURES do
    words[place] = string.format('%.0f', rows[name][place])
  end
  reply[#reply + 1] = name
  reply[#reply + 1] = table.concat(words, ' ')
end
return reply
