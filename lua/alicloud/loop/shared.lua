--- The loops of clients that were given none. Clients on one clock share a loop, so that what one
--- of them has started goes on while another one waits.

local blocking = require "alicloud.loop.blocking"
local core = require "alicloud.core"
local schedulers = require "alicloud.loop.scheduler"

local M = {}

local function weak()
  return setmetatable({}, { __mode = "k" })
end

-- A loop is kept for as long as somebody has the functions that it goes by: for those of the
-- machine, for ever.
local function new_registry(pid)
  return { pid = pid, by_clock = weak(), by_base = weak() }
end

local registry = new_registry(nil)

-- What was started before a fork is the parent's: a client of the child must not carry it on.
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

--- The loop over a clock: one for all whose runtimes tell the time, sleep and are interrupted by
--- the same functions.
---@param runtime alicloud.Runtime
---@return alicloud.loop.Loop
function M.of_clock(runtime)
  local by_sleep = entry(own_registry().by_clock, runtime.monotonic, weak)
  local by_signal = entry(by_sleep, runtime.sleep, weak)
  return entry(by_signal, runtime.interrupted, function()
    return schedulers.new(blocking.new(runtime))
  end)
end

--- The loop with tasks over one of the host's that has none.
---@param base alicloud.Loop
---@return alicloud.loop.Loop
function M.over(base)
  return entry(own_registry().by_base, base, function() return schedulers.new(base) end)
end

return M
