--- The loops of clients without the option `loop`. Clients on one clock share a loop, so that the
--- tasks of one client go on while another one waits.

local blocking = require "alicloud.loop.blocking"
local core = require "alicloud.core"
local schedulers = require "alicloud.loop.scheduler"

local M = {}

local function weak()
  return setmetatable({}, { __mode = "k" })
end

-- A loop is kept while the functions of its clock are in use: those of the machine's always are.
local function new_registry(pid)
  return { pid = pid, by_clock = weak(), by_base = weak() }
end

local registry = new_registry(nil)

-- Tasks that were started before a fork are the parent's: so a child gets loops of its own.
local function own_registry()
  local pid = core.pid()
  if registry.pid ~= pid then registry = new_registry(pid) end
  return registry
end

local function entry(map, key, make)
  local value = map[key]
  if not value then
    value = make()
    map[key] = value
  end
  return value
end

--- The loop over a clock: one for all runtimes with the same functions `monotonic`, `sleep` and
--- `interrupted`.
---@param runtime alicloud.Runtime
---@return alicloud.loop.Loop
function M.of_clock(runtime)
  local by_sleep = entry(own_registry().by_clock, runtime.monotonic, weak)
  local by_signal = entry(by_sleep, runtime.sleep, weak)
  return entry(by_signal, runtime.interrupted, function()
    return schedulers.new(blocking.new(runtime))
  end)
end

--- The loop with tasks over a loop of the user's that has none.
---@param base alicloud.Loop
---@return alicloud.loop.Loop
function M.over(base)
  return entry(own_registry().by_base, base, function() return schedulers.new(base) end)
end

return M
