-- A program on cqueues: a call parks the coroutine that makes it, and everything else goes on.

local cqueues = require "cqueues"

local function run(client, body)
  local controller, results = cqueues.new(), nil
  controller:wrap(function() results = table.pack(body(client)) end)
  assert(controller:loop())
  return table.unpack(results)
end

return { loop = function() return require("alicloud.loop.cqueues").new() end, run = run }
