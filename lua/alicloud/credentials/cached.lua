--- Keeps a session until shortly before it ends, and renews it once however many ask.
--
-- A session is renewed early: the smaller of 15 minutes and a fifth of its life before the end, so
-- that a role of 15 minutes is not renewed with every call. Nobody fails while a usable session is
-- held. Life is counted from the issuer's own clock where it tells the time: a wrong clock here
-- must not make a fresh session look spent.

local static = require "alicloud.credentials.static"
local support = require "alicloud.credentials.support"

local M = {}

local EARLY, EARLY_SHARE = 900, 0.2
-- After a failed renewal the next one waits this long, so that a crowd does not follow a crowd.
local RETRY_MIN, RETRY_MAX = 1, 10
-- Who waits for somebody else's renewal looks this often, and gives it up after this long.
local LOOK, PATIENCE = 0.02, 5

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
  self.failure = nil
  return session
end

local function fail(self, err)
  self.failure = err
  local jitter = RETRY_MIN + self.runtime.random() * (RETRY_MAX - RETRY_MIN)
  self.retry_at = self.runtime.monotonic() + jitter
  return nil, err
end

local function renew(self)
  local flight = {}
  self.flight, self.failure = flight, nil
  -- However this ends, by an error or with its coroutine, the next one may try.
  local _ <close> = setmetatable({}, { __close = function()
    if self.flight == flight then self.flight = nil end
  end })
  local session, err = self.source.fetch()
  if session then session, err = take(self, session) end
  if session then return session end
  return fail(self, err)
end

-- Somebody else is at it.
local function await(self)
  local ends = self.runtime.monotonic() + PATIENCE
  while self.flight and self.runtime.monotonic() < ends do self.loop.sleep(LOOK) end
  if usable(self) then return self.current end
  if self.failure and not self.flight then return nil, self.failure end
  return renew(self)
end

--- The session, renewed if that is due.
---@return alicloud.credentials.Session|nil
---@return alicloud.Error? err
function Cached:get()
  local now = self.runtime.monotonic()
  if self.current and now < self.due then return self.current end
  if self.flight then
    if usable(self) then return self.current end
    return await(self)
  end
  if usable(self) and now < self.retry_at then return self.current end
  local session, err = renew(self)
  if not session and usable(self) then return self.current end
  return session, err
end

--- The service has refused these credentials though they should be good: renews them at once.
---@param keys alicloud.Credentials
---@return boolean renewed whether others than the refused ones are here now
function Cached:refuse(keys)
  if self.current and is_same(self.current, keys) then
    self.due = self.runtime.monotonic()
    if self.flight then await(self) else renew(self) end
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

--- Whom the source asks.
---@return string[]
function Cached:hosts()
  return self.source.hosts and self.source.hosts() or {}
end

---@return boolean
function Cached:holds()
  return usable(self)
end

--- Wipes what is held and closes the source.
function Cached:close()
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
