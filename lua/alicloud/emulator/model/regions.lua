--- Regions: which one a request reaches, how its condition is set, and how late its reads are.

local state = require "alicloud.emulator.model.state"
local transitions = require "alicloud.emulator.model.transitions"

local M = {}

---@alias alicloud.emulator.RegionState "up"|"down"|"blackhole"|"failing"|"overloaded"|"maintenance"

local function region_of_host(host)
  return host:match("^%a+%-?%a*%.([%w-]+)%.aliyuncs%.com")
    or host:match("^ecs%-([%w-]+)%.aliyuncs%.com") or false
end

-- Cache: region id by host name, false for none. Its limit keeps made-up host names from filling
-- the memory.
local KNOWN_HOSTS, known_count = {}, 0
local KNOWN_LIMIT = 256

local function of_host(world, host)
  local id = KNOWN_HOSTS[host]
  if id == nil then
    id = region_of_host(host)
    if known_count < KNOWN_LIMIT then
      KNOWN_HOSTS[host], known_count = id, known_count + 1
    end
  end
  return id and world.region_by_id[id]
end

--- The region whose endpoint a request reached; where only one endpoint serves all, the region that
--- the request names.
---@param world alicloud.emulator.World
---@param call alicloud.emulator.Call
---@return alicloud.emulator.Region|nil
function M.of(world, call)
  return world.region_by_id[call.endpoint_region] or of_host(world, call.host)
    or world.region_by_id[call.params.RegionId]
end

--- Sets the condition of a region.
---@param world alicloud.emulator.World
---@param region alicloud.emulator.Region
---@param condition alicloud.emulator.RegionState
---@param now number
function M.set(world, region, condition, now)
  local was = state.is_dark(region)
  region.state = condition
  local is = state.is_dark(region)
  if was == is then return end
  transitions.halt(world, region.id, now, is)
  if is then region.dark_since, region.back_at = now, nil else region.back_at = now end
end

-- Seconds after an outage until a region shows the changes that were made during it.
local LEARNS = 30

--- The moment whose state a region shows with the switch `site_status` = "own": the start of its
--- outage, during it and shortly after it; else now.
---@param region alicloud.emulator.Region
---@param now number
---@return number at  unix seconds
function M.knows_of(region, now)
  local since, back = region.dark_since, region.back_at
  if not since or back and now - back >= LEARNS then return now end
  return since
end

return M
