--- Several providers in order. The first that gives credentials is the one that is asked from then
--- on; while none does, every call begins at the front again.

local lazy = require "alicloud.base.lazy"
local providers = require "alicloud.call.provider"
local support = require "alicloud.credentials.support"

local env = lazy.module "alicloud.credentials.env"

local M = {}

---@class alicloud.credentials.Tried
---@field provider string
---@field reason string why it gave no credentials
---@field absent boolean it is not set up

---@class alicloud.credentials.Link
---@field name string
---@field provider? alicloud.credentials.Provider
---@field open? fun(): alicloud.credentials.Provider makes it when its turn comes
---@field borrowed? boolean its maker closes it, not the chain

local Chain = {}
Chain.__index = Chain

local function ask(self, link, patience)
  link.provider = link.provider or link.open()
  return providers.get(link.provider, patience, patience and self.context.loop)
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

-- A provider that is set up and does not work comes first: that is what to mend.
local function hint_of(self, tried)
  for _, entry in ipairs(tried) do
    if not entry.absent and entry.hint then return entry.hint end
  end
  return HINTS[self.name] or HINTS.default
end

-- If a profile was asked for by name, the environment was not meant.
local function near_misses(self)
  return self.name ~= "profile" and env.near_misses(self.context.runtime) or {}
end

local function none(self, tried)
  local reasons, near = {}, near_misses(self)
  for i, entry in ipairs(tried) do reasons[i] = entry.provider .. ": " .. entry.reason end
  table.move(env.near_miss_words(near), 1, #near, #reasons + 1, reasons)
  return support.fail("no credentials: " .. table.concat(reasons, "; "), {
    code = "Client.MissingCredentials", tried = tried, near_misses = near, absent = true,
    hint = hint_of(self, tried),
  })
end

-- A provider was meant, but cannot be read: no other is asked in its place.
local function stop(self, link, tried, err)
  return support.fail(("%s: %s"):format(link.name, err.message), { code = err.code,
    hint = err.hint, tried = tried, near_misses = near_misses(self), ends_chain = true })
end

-- Warns of providers that are set up, do not work, and were passed over.
local function warn_of_broken(self, winner)
  for _, entry in ipairs(self.tried) do
    if not entry.absent then
      self.context.warn(("credentials: %s does not work (%s); using %s"):format(entry.provider,
        entry.reason, winner))
    end
  end
end

local function walk(self, patience)
  local tried, clock = {}, self.context.runtime.monotonic
  local ends = clock() + (patience or math.huge)
  for _, link in ipairs(self.links) do
    local keys, err = ask(self, link, patience and ends - clock())
    if keys then
      local first = self.pinned == nil
      self.pinned, self.tried = link, tried
      if first then warn_of_broken(self, link.name) end
      return self.rename(keys)
    end
    -- If time ran out for one provider, the next is not asked: it would be another identity.
    if clock() >= ends then return nil, err end
    tried[#tried + 1] = note(link, err)
    self.tried = tried
    if err.ends_chain then return stop(self, link, tried, err) end
  end
  return none(self, tried)
end

---@param patience? number seconds that the caller can wait
---@return alicloud.Credentials|nil
---@return alicloud.Error? err
function Chain:get(patience)
  if not self.pinned then return walk(self, patience) end
  local keys, err = ask(self, self.pinned, patience)
  if not keys then return nil, err end
  return self.rename(keys)
end

---@param keys alicloud.Credentials
---@param patience? number seconds that the caller can wait
---@return boolean
function Chain:refuse(keys, patience)
  local provider = self.pinned and self.pinned.provider
  return provider ~= nil and providers.refuse(provider, keys, patience)
end

--- The hosts that the chosen provider asks. Before one is chosen: those of all providers up to the
--- first that has credentials without a request.
---@return string[]
function Chain:hosts()
  local links, list = self.pinned and { self.pinned } or self.links, {}
  for _, link in ipairs(links) do
    link.provider = link.provider or link.open()
    local hosts = providers.hosts(link.provider)
    table.move(hosts, 1, #hosts, #list + 1, list)
    if providers.holds(link.provider) then break end
  end
  return list
end

---@return boolean
function Chain:holds()
  local provider = self.pinned and self.pinned.provider
  return provider ~= nil and providers.holds(provider)
end

---@return string
function Chain:describe()
  local provider = self.pinned and self.pinned.provider
  if not provider then return self.name .. " (not asked yet)" end
  return provider.describe and providers.describe(provider) or self.pinned.name
end

---@return alicloud.credentials.Explanation
function Chain:explain()
  local link = self.pinned
  local about = { provider = link and link.name or self.name }
  about = link and providers.explain(link.provider) or about
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
