--- A provider that a file configures: the file is read at the first use, and names the real one.

local static = require "alicloud.credentials.static"
local support = require "alicloud.credentials.support"

local M = {}

local Delegate = {}
Delegate.__index = Delegate

--- The keys of the inner provider, under the names of both.
---@param patience? number seconds that the caller can wait
---@return alicloud.Credentials|nil
---@return alicloud.Error? err
function Delegate:get(patience)
  local err
  if not self.inner then
    self.inner, err = self.open()
    if not self.inner then return nil, err end
  end
  local keys
  keys, err = self.inner:get(patience)
  if not keys then return nil, err end
  self.shown = self.rename(keys)
  return self.shown
end

--- Takes note that the service refuses keys. If the file itself holds them, it is read again, since
--- they may have been replaced there.
---@param keys alicloud.Credentials
---@param patience? number seconds that the caller can wait
---@return boolean
function Delegate:refuse(keys, patience)
  if not self.inner then return false end
  if self.inner.refuse then return self.inner:refuse(keys, patience) end
  local fresh = self.open()
  if not fresh then return false end
  local found = fresh:get()
  if not found or found.access_key_id == keys.access_key_id then
    fresh:close()
    return false
  end
  self.inner:close()
  self.inner = fresh
  return true
end

local function known(self)
  if not self.inner then self.inner = self.open() end
  return self.inner
end

--- The hosts that the inner provider asks; reads the file, sends nothing.
---@return string[]
function Delegate:hosts()
  local inner = known(self)
  return inner and inner.hosts and inner:hosts() or {}
end

---@return boolean
function Delegate:holds()
  local inner = known(self)
  return inner ~= nil and inner.holds ~= nil and inner:holds()
end

---@return string
function Delegate:describe()
  if not self.shown then return self.name .. " (not asked yet)" end
  return self.shown.provider .. " " .. static.tail(self.shown.access_key_id)
end

---@return alicloud.credentials.Explanation
function Delegate:explain()
  local about = self.inner and self.inner:explain()
  if not about then return { provider = self.name } end
  about.provider = self.name .. "/" .. about.provider
  return about
end

function Delegate:close()
  if self.inner then self.inner:close() end
  self.inner, self.shown = nil, nil
end

---@param name string
---@param open fun(): alicloud.credentials.Provider|nil, alicloud.Error?
---@return alicloud.credentials.Provider
function M.new(name, open)
  return setmetatable({ name = name, open = open, rename = support.renamer(name) }, Delegate)
end

return M
