-- The same with poll, which this library has too; the program has a rhythm of its own besides.

local core = require "alicloud.core"

local RHYTHM = 0.25

local function run(client, body)
  local pollable = client:pollable()
  local fd, over = pollable:pollfd(), false
  local task = client.loop.spawn(function()
    local _ <close> = setmetatable({}, { __close = function() over = true end })
    return body(client)
  end)
  while not over do
    core.poll(fd, pollable:events(), math.min(pollable:timeout() or RHYTHM, RHYTHM))
    pollable:step()
  end
  return task:result()
end

return { loop = function() end, run = run }
