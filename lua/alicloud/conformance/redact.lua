--- Makes answers fit to be shown: what is kept is listed, all other texts become pseudonyms that
--- are the same wherever the original was.

local core = require "alicloud.core"
local tables = require "alicloud.base.tables"

local M = {}

-- Fields whose texts say nothing about the account.
local KEPT = {
  RequestId = true, Code = true, Status = true, Site = true, RegionId = true, ZoneId = true,
  SourceRegionId = true, SourceZoneId = true, DestinationRegionId = true, DestinationZoneId = true,
  PrimaryRegion = true, PrimaryZone = true, StandbyRegion = true, StandbyZone = true,
  ResourceType = true, ChargeType = true, StatusMessage = true, Category = true,
  IdentityType = true, RegionName = true, DiskCategory = true, Recommend = true, Portable = true,
}

-- Keys of an object that are not fields but what somebody has named.
local MADE_OF_NAMES = { TagKeys = true, TagValues = true }

local KINDS = { { "^pg%-drill", "drill" }, { "^pg%-", "pg" }, { "^pair%-", "pair" },
  { "^d%-", "d" }, { "^i%-", "i" }, { "^LTAI", "key" }, { "^STS%.", "key" },
  { "^%d%d%d%d%d%d+$", "acct" } }

local function kind_of(text)
  for _, kind in ipairs(KINDS) do
    if text:find(kind[1]) then return kind[2] end
  end
  return "text"
end

local function pseudonym(self, text)
  if text == "" then return text end
  local known = self.names[text]
  if known then return known end
  local kind = kind_of(text)
  self.counts[kind] = (self.counts[kind] or 0) + 1
  known = ("%s-%03d"):format(kind, self.counts[kind])
  self.names[text] = known
  self.originals[#self.originals + 1] = text
  table.sort(self.originals, function(a, b) return #a > #b end)
  return known
end

-- What the service repeats of a signed request has the key's id in it.
local function shortened(text)
  local cut = text:find("server string to sign", 1, true)
    or text:find("server StringToSign", 1, true) or text:find("server canonical", 1, true)
  return cut and text:sub(1, cut - 1):gsub("%s+$", "") .. " …" or text
end

local WORTH = 5

--- A text of the service's own, without what is the account's.
local function message(self, text)
  text = shortened(text)
  for _, original in ipairs(self.originals) do
    if #original >= WORTH then
      local at = 1
      while true do
        local first, last = text:find(original, at, true)
        if not first then break end
        local word = self.names[original]
        text, at = text:sub(1, first - 1) .. word .. text:sub(last + 1), first + #word
      end
    end
  end
  for _, kind in ipairs(KINDS) do
    local shape = kind[1]:gsub("^%^", ""):gsub("%$$", "")
    if kind[2] ~= "acct" then shape = shape .. "[%w%-]+" end
    text = text:gsub("%f[%w]" .. shape, function(found) return pseudonym(self, found) end)
  end
  return (text:gsub("acs:[^%s\"',]+", "acs:…"))
end

local walk

local function walk_object(self, value)
  local copy = {}
  for _, name in ipairs(tables.keys(value)) do
    copy[name] = walk(self, value[name], name)
  end
  return copy
end

function walk(self, value, name)
  if type(value) == "table" then
    if not core.is_array(value) then return walk_object(self, value) end
    local list = core.array {}
    for i, item in ipairs(value) do list[i] = walk(self, item, name) end
    return list
  end
  if type(value) ~= "string" then return value end
  if KEPT[name] and not MADE_OF_NAMES[name] or value:find "^%d%d?%d?%d?$" then return value end
  if name == "Message" then return message(self, value) end
  if name == "NextToken" then return value == "" and "" or "…" end
  return pseudonym(self, value)
end

--- Makes a function that redacts answers and messages of one run.
---@return fun(value: any): any
function M.new()
  local self = { names = {}, counts = {}, originals = {} }
  return function(value)
    if type(value) == "string" then return message(self, value) end
    return walk(self, value)
  end
end

return M
