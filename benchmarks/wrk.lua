-- Sends the requests of a file, one after the other: method, path and body, each in a
-- line of its own. Answers with one line of JSON.

local requests, position, token = {}, 0, nil

function setup(thread)
  the_thread = thread
end

function init(arguments)
  token = arguments[2]
  local headers = { ["Content-Type"] = "application/json" }
  if token then headers["Authorization"] = "Bearer " .. token end
  local lines = {}
  for line in io.lines(arguments[1]) do lines[#lines + 1] = line end
  for at = 1, #lines, 3 do
    local body = lines[at + 2]
    if body == "" then body = nil end
    requests[#requests + 1] = wrk.format(lines[at], lines[at + 1], headers, body)
  end
end

function request()
  position = position + 1
  return requests[(position - 1) % #requests + 1]
end

function done(summary, latency, all)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, '
      .. '"p50": %d, "p95": %d, "p99": %d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
