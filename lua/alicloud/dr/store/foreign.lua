--- A store of somebody's own, kept to its contract (alicloud.dr.journal): what it raises, and a
--- failure without a reason, become an error that names the store and the method.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local private = require "alicloud.dr.store.private"
local schema = require "alicloud.base.schema"

local M = {}

-- Without these no run can be kept.
local NEEDED = { "load", "append", "cut", "reserve", "lease", "mail", "close" }

-- What a method gives where all is well. Of the others nil says that there is nothing.
local GIVES = { load = "string", lease = "table", append = true, cut = true, reserve = true,
  settle = true }

local function failure(name, method, words)
  return private.failure(name, ("its method %s %s"):format(method, words))
end

-- A reason that is no error of ours says why in its own words.
local function reason_of(name, method, result, reason)
  if result or reason == nil then
    local wanted = GIVES[method] == true and "true" or "a " .. GIVES[method]
    return failure(name, method, ("gave %s; allowed: %s, or nil and a reason"):format(
      schema.show(result), wanted))
  end
  return errors.is_error(reason) and reason
    or failure(name, method, "failed: " .. errors.words_of(reason))
end

local function judge(name, method, ok, result, ...)
  if not ok then return nil, failure(name, method, "raised: " .. errors.words_of(result)) end
  local wanted = GIVES[method]
  local is_given = not wanted or result and (wanted == true or type(result) == wanted)
  if not is_given then return nil, reason_of(name, method, result, (...)) end
  return result, ...
end

-- A lease is let go of in the same way.
local function of(owner, name)
  return setmetatable({}, { __index = function(own, field)
    local value = owner[field]
    if not schema.callable.test(value) then return value end
    local function method(_, ...)
      return judge(name, field, guard.call(value, owner, ...))
    end
    rawset(own, field, method)
    return method
  end })
end

-- What has no way to say that it failed.
local function loudly(call)
  return function(...)
    local result, err = call(...)
    if result == nil and err ~= nil then error(err, 0) end
    return result
  end
end

--- Which method a store lacks.
---@param store table
---@return string|nil in words
function M.fault(store)
  for _, name in ipairs(NEEDED) do
    if not schema.callable.test(store[name]) then
      return ("option store: it has no method %s; allowed: a store with %s"):format(name,
        table.concat(NEEDED, ", "))
    end
  end
end

--- A store that raises nothing but what ends a run.
---@param store alicloud.dr.Store without a fault
---@return alicloud.dr.Store
function M.guarded(store)
  local name = type(store.name) == "string" and store.name or "the store"
  local own = of(store, name)
  own.name = name
  own.mail = loudly(own.mail)
  local lease, lost = own.lease, own.lost
  function own.lease(...)
    local held, err = lease(...)
    return held and of(held, name), err
  end
  -- Who cannot tell whether it was lost has lost it.
  function own.lost(...)
    local why, err = lost(...)
    return why or err
  end
  if not lost then own.lost = nil end
  return own
end

return M
