--- What looks at groups have last seen, for the completion of a shell: it must answer at once, so
--- it asks no service. One small file of this user alone; it may be lost at any time.

local core = require "alicloud.core"
local formats = require "alicloud.base.formats"
local tables = require "alicloud.base.tables"
local user_directory = require "alicloud.base.user_directory"

local M = {}

-- Looks that are kept, the newest first, and what is kept of each.
local MOST_LOOKS, MOST_GROUPS, MOST_BYTES = 16, 1000, 4 * 1024 * 1024

---@class alicloud.cli.SeenGroup
---@field id string
---@field name? string
---@field from? string zone or region
---@field to? string zone or region

---@class alicloud.cli.Look
---@field scope string whose groups they are: a hash
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

-- The service that is asked and the keys that it is asked with, of which none is kept.
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

-- The file may be anything, and what is read of it is typed into a shell.
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

-- What an older look has seen that this one was not about.
local function add_older(groups, older)
  local known = {}
  for _, group in ipairs(groups) do known[group.id] = true end
  for _, group in ipairs(older and older.groups or {}) do
    if not known[group.id] then groups[#groups + 1] = group end
  end
end

-- The looks that stay beside a new one, and the one that it takes the place of.
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

--- Keeps what a look has seen. Where it cannot be written, nobody misses it.
---@param asked { endpoint: string?, profile: string? } as it was typed
---@param getenv fun(name: string): string|nil
---@param region string
---@param snapshots alicloud.dr.Snapshot[]
---@param is_whole boolean every group of the region was looked at
function M.keep(asked, getenv, region, snapshots, is_whole)
  -- What is played shows ids that are nobody's.
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

--- The looks at what is asked for, the newest first.
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

--- The regions of looks, and their zones.
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
