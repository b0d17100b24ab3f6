-- Sends requests with the method, body and token given after `--`, and prints the figures as one line of JSON.
function init(args)
  wrk.method = args[1]
  if args[3] then
    wrk.headers['Authorization'] = 'Bearer ' .. args[3]
  end
  if args[2] ~= '' then
    wrk.body = args[2]
    wrk.headers['Content-Type'] = 'application/json'
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"p50":%d,"p99":%d,"errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
