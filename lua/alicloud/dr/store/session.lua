--- Sessions in a shared store: keys written with one vanish when it ends. A process holds all its
--- locks with a single session, and renews it (an etcd lease).
---
--- A session shows that its process lives; it is no right to send. A deposed leader of the store
--- may confirm one that is over, and a store may end one early. The holder takes it for lost a
--- second before its time in the store, by a clock that runs while the machine sleeps
--- (CLOCK_BOOTTIME).

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"

local M = {}

--- Seconds for which a session lives without being renewed, by default.
M.TTL = 15

-- Seconds that are taken off, since the store has another clock.
local MARGIN = 1
local LONGEST_PAUSE, AFTER_FAILURE = 4, 0.5
-- Seconds within which the session is ended in the store, even after an interruption.
local ENDING = 10

---@class alicloud.dr.Session
---@field id string
---@field ttl number seconds
---@field held_until number runtime.boottime in seconds at which it counts as lost
---@field keys alicloud.dr.Keys
---@field loop alicloud.loop.Loop
---@field runtime alicloud.Runtime
---@field locks table<string, true> keys of locks that were written with it
---@field listeners fun(err: alicloud.Error)[]
---@field fault alicloud.Error? why it was lost
---@field scope alicloud.Scope? scope of the current renewal
---@field closed boolean?
---@field pid integer the process that began it
local Session = {}
Session.__index = Session

-- Marks the session as lost and calls the listeners, once.
local function lose(session, why)
  if session.fault or session.closed then return end
  session.fault = errors.new { kind = "journal", code = "Client.JournalLost", outcome = "not_sent",
    message = ("%s: %s"):format(session.keys.name, why),
    hint = "nothing more is sent or written here; whoever has the run now goes on with it" }
  for _, listener in ipairs(session.listeners) do guard.call(listener, session.fault) end
end

local function renew(session)
  local asked_at = session.runtime.boottime()
  local ttl, err = session.keys:renew(session.id)
  if ttl then
    session.held_until = math.max(session.held_until, asked_at + ttl - MARGIN)
  elseif ttl == false then
    lose(session, "the session is over there")
  end
  return ttl ~= nil, err
end

-- Renews until the session is closed or lost. It is shielded: after an interruption the process may
-- still have to clear up, and needs its locks for that.
local function keep_alive(session)
  local loop, bounds = session.loop, { shield = true, timeout = session.ttl + LONGEST_PAUSE }
  while not session:lost() and not session.closed do
    loop.scope(function(scope)
      session.scope = scope
      local known, err = renew(session)
      session.last_error = err
      loop.sleep(known and math.min(session.ttl / 4, LONGEST_PAUSE) or AFTER_FAILURE)
    end, bounds)
  end
end

--- Begins a session, and spawns the task that renews it.
---@param keys alicloud.dr.Keys
---@param options { loop: alicloud.loop.Loop, runtime: alicloud.Runtime, ttl?: integer }
---@return alicloud.dr.Session|nil
---@return alicloud.Error? err
function M.open(keys, options)
  local asked_at = options.runtime.boottime()
  local granted, err = keys:session(options.ttl or M.TTL)
  if not granted then return nil, err end
  local session = setmetatable({
    id = granted.id, ttl = granted.ttl, held_until = asked_at + granted.ttl - MARGIN, keys = keys,
    loop = options.loop, runtime = options.runtime, locks = {}, listeners = {}, pid = core.pid(),
  }, Session)
  options.loop.spawn_shared(keep_alive, session)
  return session
end

--- Why the session is lost; nil while it is held. In a forked child it is always lost: the locks
--- are the parent's.
---@return alicloud.Error|nil
function Session:lost()
  if core.pid() ~= self.pid then lose(self, "the session is that of the parent process") end
  if not self.fault and self.runtime.boottime() >= self.held_until then
    local why = self.last_error and ": " .. self.last_error.message or ""
    lose(self, "the session could not be renewed in time" .. why)
  end
  return self.fault
end

--- Adds a listener that is called when the session is lost.
---@param listener fun(err: alicloud.Error)
function Session:on_lost(listener)
  self.listeners[#self.listeners + 1] = listener
end

--- Removes a listener.
---@param listener fun(err: alicloud.Error)
function Session:forget(listener)
  for i, known in ipairs(self.listeners) do
    if known == listener then return table.remove(self.listeners, i) end
  end
end

--- Ends the session; the store deletes the keys that were written with it. Does nothing in a forked
--- child.
function Session:close()
  if self.closed or core.pid() ~= self.pid then return end
  self.closed = true
  if self.scope then self.scope:cancel() end
  self.loop.scope(function() self.keys:revoke(self.id) end, { shield = true, timeout = ENDING })
end

return M
