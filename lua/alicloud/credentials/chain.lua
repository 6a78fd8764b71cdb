--- Several providers in order. The first that gives credentials is the one that is asked from then
--- on; while none does, every call begins at the front again.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local support = require "alicloud.credentials.support"

local M = {}

---@class alicloud.credentials.Tried
---@field provider string
---@field reason string why it was passed over
---@field absent boolean nobody has set it up

---@class alicloud.credentials.Link
---@field name string
---@field provider? alicloud.credentials.Provider
---@field open? fun(): alicloud.credentials.Provider makes it when its turn comes
---@field borrowed? boolean somebody else closes it

local Chain = {}
Chain.__index = Chain

local function ask(link)
  link.provider = link.provider or link.open()
  local ok, keys, err = guard.call(link.provider.get, link.provider)
  if ok and keys then return keys end
  if ok and errors.is_error(err) then return nil, err end
  return support.fail "the provider raised an error or gave nothing"
end

local function note(link, err)
  return { provider = link.name, reason = err.message, absent = err.absent == true,
    hint = err.hint }
end

local HINTS = {
  profile = "`aliyun configure --profile NAME` makes such a profile; `alicloud-dr whoami --profile "
    .. "NAME` shows what is tried",
  default = "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or a profile "
    .. "with `aliyun configure`; `alicloud-dr whoami` shows what is tried",
}

local function none(tried, name)
  local reasons = {}
  for i, entry in ipairs(tried) do reasons[i] = entry.provider .. ": " .. entry.reason end
  return support.fail("no credentials: " .. table.concat(reasons, "; "), {
    code = "Client.MissingCredentials", tried = tried, absent = true,
    hint = HINTS[name] or HINTS.default,
  })
end

-- What somebody has set up and does not work must not be passed over in silence.
local function warn_of_broken(self, winner)
  for _, entry in ipairs(self.tried) do
    if not entry.absent then
      self.context.warn(("credentials: %s does not work (%s); using %s"):format(entry.provider,
        entry.reason, winner))
    end
  end
end

local function walk(self)
  local tried = {}
  for _, link in ipairs(self.links) do
    local keys, err = ask(link)
    if keys then
      local first = self.pinned == nil
      self.pinned, self.tried = link, tried
      if first then warn_of_broken(self, link.name) end
      return self.rename(keys)
    end
    tried[#tried + 1] = note(link, err)
  end
  self.tried = tried
  return none(tried, self.name)
end

---@return alicloud.Credentials|nil
---@return alicloud.Error? err
function Chain:get()
  if not self.pinned then return walk(self) end
  local keys, err = self.pinned.provider:get()
  if not keys then return nil, err end
  return self.rename(keys)
end

---@param keys alicloud.Credentials
---@return boolean
function Chain:refuse(keys)
  local provider = self.pinned and self.pinned.provider
  return provider ~= nil and provider.refuse ~= nil and provider:refuse(keys)
end

--- Whom the winner asks; while nobody has won, whom those may ask who come before the first that
--- has credentials by itself.
---@return string[]
function Chain:hosts()
  local links, list = self.pinned and { self.pinned } or self.links, {}
  for _, link in ipairs(links) do
    link.provider = link.provider or link.open()
    local provider = link.provider
    local hosts = provider.hosts and provider:hosts() or {}
    table.move(hosts, 1, #hosts, #list + 1, list)
    if provider.holds and provider:holds() then break end
  end
  return list
end

---@return boolean
function Chain:holds()
  local provider = self.pinned and self.pinned.provider
  return provider ~= nil and provider.holds ~= nil and provider:holds()
end

---@return string
function Chain:describe()
  local provider = self.pinned and self.pinned.provider
  if not provider then return self.name .. " (not asked yet)" end
  return provider.describe and provider:describe() or self.pinned.name
end

---@return alicloud.credentials.Explanation
function Chain:explain()
  local link = self.pinned
  local about = { provider = link and link.name or self.name }
  if link and link.provider.explain then about = link.provider:explain() end
  about.tried = self.tried
  return about
end

function Chain:close()
  for _, link in ipairs(self.links) do
    local provider = not link.borrowed and link.provider
    if provider and provider.close then provider:close() end
  end
end

--- Makes a chain of open providers.
---@param name string
---@param links alicloud.credentials.Link[]
---@param context alicloud.credentials.Context
---@return alicloud.credentials.Provider
function M.new(name, links, context)
  return setmetatable({ name = name, links = links, context = context, tried = {},
    rename = support.renamer(name) }, Chain)
end

return M
