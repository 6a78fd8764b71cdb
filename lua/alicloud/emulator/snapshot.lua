--- A world written back as a description, to be looked at, kept in a file, or loaded again.
-- A failover that is under way is written as the statuses it has reached, without the rest of it.

local core = require "alicloud.core"
local state = require "alicloud.emulator.state"

local M = {}

local SIDES = { "source", "destination", "initial_source", "initial_destination" }

local function write_places(about, record)
  for _, side in ipairs(SIDES) do
    local place = record[side]
    if place then about[side] = place.region .. "/" .. place.zone end
  end
end

local function write_recover_point(about, point)
  if point then about.recover_point = point else about.recover_point_age = false end
end

local function describe_pair(pair, listed_in)
  local about = {
    id = pair.id, name = pair.name, description = pair.description, status = pair.status,
    status_message = pair.status_message, source_disk = pair.source_disk,
    destination_disk = pair.destination_disk, rpo = pair.rpo, bandwidth = pair.bandwidth,
    rtc = pair.rtc, created = pair.created, tags = pair.tags,
    resource_group = pair.resource_group ~= "" and pair.resource_group or nil,
    group = pair.group_id ~= listed_in and pair.group_id or nil,
  }
  write_places(about, pair)
  if pair.own_recover_point then write_recover_point(about, pair.recover_point) end
  return about
end

local function describe_group(group, now)
  state.settle(group, now)
  local members = core.array {}
  for index, pair in ipairs(group.pairs) do members[index] = describe_pair(pair, group.id) end
  local about = {
    id = group.id, name = group.name, description = group.description, status = group.status,
    rpo = group.rpo, failover_seconds = group.failover_seconds, bandwidth = group.bandwidth,
    rtc = group.rtc, tags = group.tags, pairs = members,
    resource_group = group.resource_group ~= "" and group.resource_group or nil,
  }
  write_places(about, group)
  write_recover_point(about, state.recover_point(group, now))
  return about
end

local function describe_region(region)
  return { id = region.id, name = region.name, zones = core.array { table.unpack(region.zones) } }
end

--- Writes a world back as a description.
---@param world alicloud.emulator.World
---@param now number  unix seconds
---@return table description  see `alicloud.emulator.world`
function M.describe(world, now)
  local about = { regions = core.array {}, groups = core.array {}, pairs = core.array {} }
  local listed = {}
  for index, region in ipairs(world.regions) do about.regions[index] = describe_region(region) end
  for index, group in ipairs(world.groups) do
    about.groups[index] = describe_group(group, now)
    for _, pair in ipairs(group.pairs) do listed[pair.id] = true end
  end
  for _, pair in ipairs(world.pairs) do
    if not listed[pair.id] then
      about.pairs[#about.pairs + 1] = describe_pair(pair, nil)
    end
  end
  return about
end

return M
