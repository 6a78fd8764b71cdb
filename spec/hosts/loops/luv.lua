-- A program on libuv: a call suspends the coroutine that makes it until the loop has its answer.

local uv = require "luv"

local function run(client, body)
  local ok, results
  coroutine.wrap(function()
    ok, results = pcall(function() return table.pack(body(client)) end)
  end)()
  uv.run()
  assert(ok, results)
  return table.unpack(results)
end

return { loop = function() return require("alicloud.loop.luv").new() end, run = run }
