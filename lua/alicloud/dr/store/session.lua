--- What a process holds its locks by in a shared store: keys that vanish when it does. One session
--- is renewed for all its locks.
---
--- A session is a sign of life, no permission to send: a leader of the store that was deposed may
--- confirm it, and may end it early. It is over for its holder a second before it can be for the
--- store, by a clock that goes on while the machine sleeps (CLOCK_BOOTTIME).

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"

local M = {}

--- Seconds that a session lives without a renewal, unless told otherwise.
M.TTL = 15

-- Counted off, because the store's clock is another one.
local MARGIN = 1
local LONGEST_PAUSE, AFTER_FAILURE = 4, 0.5
-- For which the store is told of the end, also by whoever is interrupted.
local ENDING = 10

---@class alicloud.dr.Session
---@field id string
---@field ttl number seconds
---@field held_until number seconds of runtime.boottime
---@field keys alicloud.dr.Keys
---@field loop alicloud.loop.Loop
---@field runtime alicloud.Runtime
---@field locks table<string, true> keys that were written with it
---@field listeners fun(err: alicloud.Error)[]
---@field fault alicloud.Error? why it is lost
---@field scope alicloud.Scope? of the renewal that goes on
---@field closed boolean?
---@field pid integer of the process that has begun it
local Session = {}
Session.__index = Session

-- Whoever listens is told once.
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

-- Whoever is interrupted has something to clear up, for which he needs his locks: it goes on until
-- the session is closed.
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

--- Begins a session, and a task of the loop that renews it.
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

--- Why it is lost; nil while it is held. A child that was forked has never had it: what it took
--- for its own would be its parent's.
---@return alicloud.Error|nil
function Session:lost()
  if core.pid() ~= self.pid then lose(self, "the session is that of the parent process") end
  if not self.fault and self.runtime.boottime() >= self.held_until then
    local why = self.last_error and ": " .. self.last_error.message or ""
    lose(self, "the session could not be renewed in time" .. why)
  end
  return self.fault
end

--- Tells when it is lost.
---@param listener fun(err: alicloud.Error)
function Session:on_lost(listener)
  self.listeners[#self.listeners + 1] = listener
end

--- Tells him no more.
---@param listener fun(err: alicloud.Error)
function Session:forget(listener)
  for i, known in ipairs(self.listeners) do
    if known == listener then return table.remove(self.listeners, i) end
  end
end

--- Ends it, and with it all that was written with it. In a child that was forked it is the
--- parent's.
function Session:close()
  if self.closed or core.pid() ~= self.pid then return end
  self.closed = true
  if self.scope then self.scope:cancel() end
  self.loop.scope(function() self.keys:revoke(self.id) end, { shield = true, timeout = ENDING })
end

return M
