--- A shared store in memory on a clock that moves when it is waited for, and the processes that go
--- to it: each has keys, a session and a loop of its own kind, and may find the store out of reach.

local blocking = require "alicloud.loop.blocking"
local helper = require "spec.helper"
local memory_keys = require "alicloud.dr.store.memory_keys"
local schedulers = require "alicloud.loop.scheduler"
local stores = require "alicloud.dr.store.shared"

local M = {}

M.ADDRESS = "etcd+http://127.0.0.1:2379/dr"

---@class spec.SharedBench: spec.StoreBench
---@field world alicloud.dr.KeyWorld
---@field loop alicloud.loop.Loop
---@field runtime alicloud.Runtime
---@field control table of the clock
---@field warnings string[]
local Bench = {}
Bench.__index = Bench

--- Makes one.
---@param has? { txn?: boolean, cluster?: string } what the keys can do (all)
---@return spec.SharedBench
function M.start(has)
  local warnings = {}
  local runtime, control = helper.runtime { warnings = warnings }
  runtime.boottime = runtime.monotonic
  local bench = setmetatable({ runtime = runtime, control = control, warnings = warnings,
    has = has or {}, loop = schedulers.new(blocking.new(runtime)) }, Bench)
  bench.world = memory_keys.world { now = runtime.boottime, cluster = bench.has.cluster }
  bench.open = function(run, given) return bench:process(run, given) end
  return bench
end

--- Another process's store of a run. Its next call goes wrong as `store.next` says, if it says so
--- for its operation, and every call as `store.always` says.
---@param run? string ("run")
---@param given? table options of the store that are not the usual ones
---@return alicloud.dr.SharedStore
function Bench:process(run, given)
  local store
  local function fault(call)
    if not store then return nil end
    store.asked = (store.asked or 0) + 1
    local next = store.next
    if next and (next.op == nil or next.op == call.op) then
      store.next = nil
      return next.fault, next.seconds
    end
    return store.always
  end
  run = run or "run"
  local options = { run = run, name = M.ADDRESS .. "#" .. run, prefix = "/dr", loop = self.loop,
    runtime = self.runtime }
  for name, value in pairs(given or {}) do options[name] = value end
  options.keys = options.keys or memory_keys.open(self.world, { name = M.ADDRESS,
    loop = self.loop, txn = self.has.txn, faults = fault })
  store = stores.open(options)
  return store
end

--- Lets time pass; sessions are renewed.
---@param seconds number
function Bench:pass(seconds)
  self.loop.sleep(seconds)
end

--- Lets time pass for the store and the machine, while all processes stand still.
---@param seconds number
function Bench:freeze(seconds)
  self.control.elapsed = self.control.elapsed + seconds
end

--- The process is killed: it never asks for anything again.
---@param store alicloud.dr.SharedStore
function Bench:kill(store)
  store.always = "unreachable"
end

--- Ends the session of a process, as the store does when nobody has renewed it.
---@param store alicloud.dr.SharedStore
function Bench:expire(store)
  self.world:expire(store.session.id)
end

--- Values by key, of keys that begin alike.
---@param prefix string
---@return table<string, string>
function Bench:dump(prefix)
  local values = {}
  for _, entry in ipairs(self.world:dump(prefix)) do
    values[entry.key:sub(#prefix + 1)] = entry.value
  end
  return values
end

Bench.__close = function() end

return M
