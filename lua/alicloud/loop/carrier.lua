--- `resume` and `wrap` for coroutines inside a task that wait, such as generators.
--
-- A wait in such a coroutine yields to the code that resumed it, which has to pass the yield on to
-- the scheduler. These two do; in all else they are those of the standard library.

local M = {}

---@class alicloud.loop.Carrier
---@field resume fun(co: thread, ...): boolean, any
---@field wrap fun(body: function): function
---@field carries fun(self: table, co: thread): boolean whether waits in it reach the task

-- Whether a yielded value is a wait, and not one of the generator's own.
local function is_wait(value)
  return type(value) == "table" and rawget(value, "scheduler") ~= nil
end

---@param current fun(): alicloud.Task? the task that runs
---@return alicloud.loop.Carrier
function M.new(current)
  local carried = setmetatable({}, { __mode = "k" })
  local carrier = {}

  local function is_carried()
    local task, running = current(), coroutine.running()
    return task ~= nil and (running == task.coroutine or carried[running] == true)
  end

  local function pass(co, ok, value, ...)
    if ok and is_wait(value) and coroutine.status(co) == "suspended" then
      return pass(co, coroutine.resume(co, coroutine.yield(value)))
    end
    carried[co] = nil
    return ok, value, ...
  end

  function carrier.resume(co, ...)
    if not is_carried() then return coroutine.resume(co, ...) end
    carried[co] = true
    return pass(co, coroutine.resume(co, ...))
  end

  local function results(co, ok, value, ...)
    if ok then return value, ... end
    coroutine.close(co)
    error(value, 0)
  end

  function carrier.wrap(body)
    local co = coroutine.create(body)
    return function(...) return results(co, carrier.resume(co, ...)) end
  end

  function carrier:carries(co) return carried[co] == true end

  return carrier
end

return M
