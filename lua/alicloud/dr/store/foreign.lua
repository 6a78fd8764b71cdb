--- Holds a store that a user has written to the contract of stores (alicloud.dr.journal): what it
--- raises, and a failure without a reason, become an error that names the store and the method.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local private = require "alicloud.dr.store.private"
local schema = require "alicloud.base.schema"

local M = {}

-- The methods without which no run can be journaled.
local NEEDED = { "load", "append", "cut", "reserve", "lease", "mail", "close" }

-- The type or value that a method gives on success. For other methods nil without a reason means
-- that there is nothing, not that they failed.
local GIVES = { load = "string", lease = "table", append = true, cut = true, reserve = true,
  settle = true }

local function failure(name, method, words)
  return private.failure(name, ("its method %s %s"):format(method, words))
end

-- The error for a result that is not the one of success; a reason of another type is put in words.
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
  if not is_given or result == nil and (...) ~= nil then
    return nil, reason_of(name, method, result, (...))
  end
  return result, ...
end

-- A stand-in for a store, or for a lease, whose methods judge what the owner's method gives.
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

-- What `mail` raises is raised, as an error with the names: its callers take no error as a result.
-- A mailbox that cannot be read now gives nil, and is read again later.
local function letters(store, name)
  return function(_, ...)
    local ok, result = guard.call(store.mail, store, ...)
    if not ok then error(failure(name, "mail", "raised: " .. errors.words_of(result)), 0) end
    return result
  end
end

--- Names a method that a store lacks.
---@param store table
---@return string|nil fault in words; nil: it has all that are needed
function M.fault(store)
  for _, name in ipairs(NEEDED) do
    if not schema.callable.test(store[name]) then
      return ("option store: it has no method %s; allowed: a store with %s"):format(name,
        table.concat(NEEDED, ", "))
    end
  end
end

--- Wraps a store: its methods return errors instead of raising them; only `mail` raises its own.
---@param store alicloud.dr.Store without a fault
---@return alicloud.dr.Store
function M.guarded(store)
  local name = type(store.name) == "string" and store.name or "the store"
  local own = of(store, name)
  own.name = name
  own.mail = letters(store, name)
  local lease, lost = own.lease, own.lost
  function own.lease(...)
    local held, err = lease(...)
    return held and of(held, name), err
  end
  -- A store that cannot tell whether the lease was lost counts as having lost it.
  function own.lost(...)
    local why, err = lost(...)
    return why or err
  end
  if not lost then own.lost = nil end
  -- If nobody will tell of a lost lease, it counts as lost.
  local on_lost = own.on_lost
  function own.on_lost(_, listener)
    local _, err = on_lost(nil, listener)
    if err then listener(err) end
  end
  if not on_lost then own.on_lost = nil end
  return own
end

return M
