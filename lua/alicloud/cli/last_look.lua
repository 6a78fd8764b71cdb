--- Keeps what the last looks at groups have seen, so that completion answers without the service.
--- It is one small file of this user, which may be lost at any time.

local core = require "alicloud.core"
local formats = require "alicloud.base.formats"
local tables = require "alicloud.base.tables"
local user_directory = require "alicloud.base.user_directory"

local M = {}

-- Most looks in the file, groups of a look, and bytes that are read.
local MOST_LOOKS, MOST_GROUPS, MOST_BYTES = 16, 1000, 4 * 1024 * 1024

---@class alicloud.cli.SeenGroup
---@field id string
---@field name? string
---@field from? string zone or region
---@field to? string zone or region

---@class alicloud.cli.Look
---@field scope string digest of the endpoint and the key or profile with which was asked
---@field region string
---@field groups alicloud.cli.SeenGroup[]

local function path_in(cache)
  return cache .. "/alicloud-dr/last-look.json"
end

local function some(...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if value and value ~= "" then return value end
  end
  return ""
end

-- A digest of the service and the key that are asked with; it reveals neither.
local function scope_of(asked, getenv)
  local endpoint = some(asked.endpoint, getenv "ALIBABA_CLOUD_ENDPOINT_EBS",
    getenv "ALIBABA_CLOUD_ENDPOINT")
  local key = not asked.profile and getenv "ALIBABA_CLOUD_ACCESS_KEY_ID" or ""
  local profile = some(asked.profile, key == "" and getenv "ALIBABA_CLOUD_PROFILE" or "")
  return core.sha256(table.concat({ endpoint, profile, key }, "\0")):sub(1, 16)
end

local function is_place(value)
  return value == nil or formats.PLACE.test(value)
end

local function is_name(value)
  return value == nil or type(value) == "string" and formats.PARAMETER.group_name.test(value)
end

-- Groups of the file are checked: it may hold anything, and its words are typed into a shell.
local function is_group(group)
  return type(group) == "table" and formats.ID.test(group.id) and is_name(group.name)
    and is_place(group.from) and is_place(group.to)
end

local function is_look(look)
  if type(look) ~= "table" or type(look.scope) ~= "string" or not formats.REGION.test(look.region)
    or type(look.groups) ~= "table" then return false end
  for _, group in ipairs(look.groups) do
    if not is_group(group) then return false end
  end
  return true
end

local function read(path)
  local file <close> = core.open_file(path, "read")
  local about = file and file:stat()
  if not about or not about.own then return {} end
  local looks = core.decode(file:read(0, MOST_BYTES) or "")
  local good = {}
  for _, look in ipairs(type(looks) == "table" and looks or {}) do
    if is_look(look) then good[#good + 1] = look end
  end
  return good
end

local function place_of(where)
  return where and some(where.zone, where.region) or nil
end

local function seen_group(snapshot)
  local group = { id = snapshot.group_id, name = snapshot.name ~= "" and snapshot.name or nil,
    from = place_of(snapshot.from), to = place_of(snapshot.to) }
  if not is_name(group.name) then group.name = nil end
  return is_group(group) and snapshot.role ~= "absent" and group or nil
end

-- Adds groups of an older look that this one did not ask for.
local function add_older(groups, older)
  local known = {}
  for _, group in ipairs(groups) do known[group.id] = true end
  for _, group in ipairs(older and older.groups or {}) do
    if not known[group.id] then groups[#groups + 1] = group end
  end
end

-- The looks to keep beside a new one, and the one of the same region that it replaces.
local function apart(looks, scope, region)
  local others, older = {}, nil
  for _, look in ipairs(looks) do
    if look.scope == scope and look.region == region then
      older = look
    elseif #others < MOST_LOOKS - 1 then
      others[#others + 1] = look
    end
  end
  return others, older
end

--- Writes down what a look has seen; a failure is ignored.
---@param asked { endpoint: string?, profile: string? } options as they were typed
---@param getenv fun(name: string): string|nil
---@param region string
---@param snapshots alicloud.dr.Snapshot[]
---@param is_whole boolean every group of the region was looked at: older ones are dropped
function M.keep(asked, getenv, region, snapshots, is_whole)
  -- The ids in a recording are pseudonyms.
  if asked.replay then return end
  local cache = user_directory.cache(getenv)
  if not cache then return end
  local scope, groups = scope_of(asked, getenv), {}
  for _, snapshot in ipairs(snapshots) do groups[#groups + 1] = seen_group(snapshot) end
  local looks, older = apart(read(path_in(cache)), scope, region)
  if not is_whole then add_older(groups, older) end
  groups = table.move(groups, 1, math.min(#groups, MOST_GROUPS), 1, core.array {})
  table.insert(looks, 1, { scope = scope, region = region, groups = groups })
  core.make_directory(cache)
  core.make_directory((path_in(cache):match "^(.*)/"))
  core.write_file(path_in(cache), core.encode(core.array(looks)), "private")
end

--- The looks at the same service with the same key or profile, the newest first.
---@param asked { endpoint: string?, profile: string? }
---@param getenv fun(name: string): string|nil
---@return alicloud.cli.Look[]
function M.looks(asked, getenv)
  local cache, scope, found = user_directory.cache(getenv), scope_of(asked, getenv), {}
  for _, look in ipairs(cache and read(path_in(cache)) or {}) do
    if look.scope == scope then found[#found + 1] = look end
  end
  return found
end

--- The regions that looks have seen, with their zones if asked for.
---@param looks alicloud.cli.Look[]
---@param with_zones boolean
---@return string[]
function M.places(looks, with_zones)
  local seen = {}
  local function add(place)
    if not place then return end
    local region, zone = formats.region_of(place)
    seen[region] = true
    if zone and with_zones then seen[zone] = true end
  end
  for _, look in ipairs(looks) do
    seen[look.region] = true
    for _, group in ipairs(look.groups) do
      add(group.from)
      add(group.to)
    end
  end
  return tables.keys(seen)
end

return M
