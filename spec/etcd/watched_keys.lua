--- The primitives of a shared store, watched: what a controller tries to write is told to a
--- history, and it is killed or stands still at a point that was named beforehand.

local core = require "alicloud.core"
local posix = require "spec.posix"

local M = {}

---@class spec.Trap where a controller is struck
---@field signal "KILL"|"STOP"
---@field when "before"|"after" the transaction
---@field nth? integer which append; or
---@field record? string plain text in a record of it

-- What is appended to a run, if it is that.
local function append_of(txn)
  local first = txn.put and txn.put[1]
  local run, seq = (first and first.key or ""):match "/runs/([^/]+)/rec/(%d+)$"
  if not run then return nil end
  local lines = {}
  for i, record in ipairs(txn.put) do lines[i] = record.value end
  return { run = core.percent_decode(run), first = math.tointeger(tonumber(seq)), lines = lines,
    fence = txn.when[1].created }
end

local function is_struck(trap, append, count)
  if not trap or trap.sprung then return false end
  if trap.nth then return count == trap.nth end
  return table.concat(append.lines):find(trap.record, 1, true) ~= nil
end

local function spring(trap, tell)
  trap.sprung = true
  tell { type = "struck", signal = trap.signal }
  posix.kill(core.process().pid, trap.signal)
end

--- Watches keys.
---@param keys alicloud.dr.Keys
---@param tell fun(event: table)
---@param trap? spec.Trap
---@return alicloud.dr.Keys
function M.new(keys, tell, trap)
  local count = 0
  local function txn(_, given)
    local append = append_of(given)
    if not append then return keys:txn(given) end
    count = count + 1
    local struck = is_struck(trap, append, count)
    append.type, append.n, append.at = "try", count, core.boottime()
    tell(append)
    if struck and trap.when == "before" then spring(trap, tell) end
    local done, found = keys:txn(given)
    if struck and trap.when == "after" then spring(trap, tell) end
    return done, found
  end
  return setmetatable({ name = keys.name, txn = txn }, { __index = function(_, name)
    local method = keys[name]
    if type(method) ~= "function" then return method end
    return function(_, ...) return method(keys, ...) end
  end })
end

return M
