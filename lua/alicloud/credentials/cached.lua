--- Keeps a session until shortly before it ends; all callers share one renewal.
--
-- The renewal is a task of its own, which no caller's cancellation or deadline ends: each caller
-- waits for it as long as it can, and all get its result. The next call after that may try again.
--
-- A session is renewed early: the smaller of 15 minutes and a fifth of its life before the end, so
-- that a role of 15 minutes is not renewed with every call. No call fails while a usable session is
-- held. Life is counted by the issuer's own clock if the answer has its time: a wrong clock here
-- must not make a fresh session look spent.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local static = require "alicloud.credentials.static"
local support = require "alicloud.credentials.support"

local M = {}

local EARLY, EARLY_SHARE = 900, 0.2
-- Seconds (by chance, as jitter) for which a usable session is kept after a failed renewal.
local RETRY_MIN, RETRY_MAX = 1, 10

---@class alicloud.credentials.Source
---@field name string
---@field fetch fun(): alicloud.credentials.Session|nil, alicloud.Error?
---@field hosts? fun(): string[]
---@field close? fun()

---@class alicloud.credentials.Explanation
---@field provider string
---@field key_id? string its tail
---@field temporary? boolean
---@field expires_in? number seconds
---@field tried? alicloud.credentials.Tried[]

local Cached = {}
Cached.__index = Cached

local function usable(self)
  return self.current ~= nil and self.runtime.monotonic() < self.ends
end

local function is_same(one, other)
  return one.access_key_id == other.access_key_id and one.security_token == other.security_token
end

local function life_of(self, session)
  if not session.expiration then return math.huge end
  return session.expiration - (session.issued_at or self.runtime.time())
end

local function expired(self)
  return support.fail(("%s gave a session that had ended already"):format(self.source.name), {
    hint = "compare this machine's clock with the issuer's (chronyc tracking, timedatectl)",
  })
end

local function take(self, session)
  local now, life = self.runtime.monotonic(), life_of(self, session)
  if life <= 0 then return expired(self) end
  self.current = session
  self.ends = now + life
  self.due = self.ends - (life < math.huge and math.min(EARLY, life * EARLY_SHARE) or 0)
  return session
end

local function fail(self, err)
  local jitter = RETRY_MIN + self.runtime.random() * (RETRY_MAX - RETRY_MIN)
  self.retry_at = self.runtime.monotonic() + jitter
  return nil, err
end

local function closed(self)
  return support.fail(("the provider %s was closed"):format(self.source.name))
end

-- What a source raises may hold a secret, so it is not shown, unless it is an error object of ours.
local function fetch(self)
  local ok, session, err = guard.call(self.source.fetch)
  if not ok and errors.is_error(session) then return nil, session end
  if not ok then return support.fail(("%s raised an error"):format(self.source.name)) end
  return session, err
end

-- The body of the renewal. However it ends, the next renewal may begin.
local function fly(self)
  local _ <close> = setmetatable({}, { __close = function() self.flight = nil end })
  local session, err = fetch(self)
  if self.closed then
    if session then static.wipe(session) end
    return closed(self)
  end
  if session then session, err = take(self, session) end
  if session then return session end
  return fail(self, err)
end

local function too_late(self, patience)
  return nil, errors.new {
    kind = "credentials", code = "Client.CredentialsProvider", outcome = "not_sent",
    message = ("%s gave no credentials within the %.3g s that were left of the call")
      :format(self.source.name, patience),
    hint = "a longer deadline waits for them",
  }
end

-- The renewal that is under way, or a new one. A forked child does not wait for its parent's.
local flight_of = core.aside(function(self)
  local pid = core.pid()
  if not self.flight or self.pid ~= pid then
    self.flight, self.pid = self.loop.spawn_shared(fly, self), pid
  end
  return self.flight
end)

-- Waits for the renewal.
local function renew(self, patience)
  if self.closed then return closed(self) end
  local flight = flight_of(self)
  if not flight:wait(patience) then return too_late(self, patience) end
  return flight:result()
end

--- The session, renewed if that is due.
---@param patience? number seconds that the caller can wait (for as long as it takes)
---@return alicloud.credentials.Session|nil
---@return alicloud.Error? err
function Cached:get(patience)
  local now = self.runtime.monotonic()
  if self.current and now < self.due then return self.current end
  if usable(self) and (self.flight or now < self.retry_at) then return self.current end
  local session, err = renew(self, patience)
  if not session and usable(self) then return self.current end
  return session, err
end

--- Takes note that the service has refused credentials that should be good: renews them at once.
---@param keys alicloud.Credentials
---@param patience? number seconds that the caller can wait
---@return boolean renewed whether there are other credentials now than the refused ones
function Cached:refuse(keys, patience)
  if self.current and is_same(self.current, keys) then
    self.due = self.runtime.monotonic()
    renew(self, patience)
  end
  return self.current ~= nil and not is_same(self.current, keys)
end

---@return string
function Cached:describe()
  if not self.current then return self.source.name .. " (not asked yet)" end
  return self.current.provider .. " " .. static.tail(self.current.access_key_id)
end

---@return alicloud.credentials.Explanation
function Cached:explain()
  local current = self.current
  if not current then return { provider = self.source.name } end
  local left = self.ends - self.runtime.monotonic()
  return {
    provider = current.provider, key_id = static.tail(current.access_key_id),
    temporary = current.security_token ~= nil, expires_in = left < math.huge and left or nil,
  }
end

--- The hosts that the source asks.
---@return string[]
function Cached:hosts()
  return self.source.hosts and self.source.hosts() or {}
end

---@return boolean
function Cached:holds()
  return usable(self)
end

--- Wipes the session and closes the source. Calls that wait for a renewal get an error.
function Cached:close()
  self.closed = true
  if self.flight then self.flight:cancel() end
  if self.current then static.wipe(self.current) end
  self.current = nil
  if self.source.close then self.source.close() end
end

--- Makes a provider of a source of sessions.
---@param source alicloud.credentials.Source
---@param context alicloud.credentials.Context
---@return alicloud.credentials.Provider
function M.new(source, context)
  return setmetatable({ source = source, runtime = context.runtime, loop = context.loop,
    due = 0, ends = 0, retry_at = 0 }, Cached)
end

return M
