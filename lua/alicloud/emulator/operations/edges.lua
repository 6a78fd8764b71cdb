--- ListReplicaEdgeSupported: from which zone replication may go where. The model lets every zone of
-- its world replicate to every other; real edges are fewer.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"
local paging = require "alicloud.emulator.gateway.paging"

local M = {}

local function zones_but(region, azone)
  local zones = core.array {}
  for _, zone in ipairs(region.zones) do
    if zone ~= azone then zones[#zones + 1] = { ZoneId = zone, SupportRtc = true } end
  end
  return zones
end

--- ListReplicaEdgeSupported.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@return table|nil result
---@return alicloud.emulator.Refusal|nil
function M.list(emu, params)
  local source = emu.world.region_by_id[params.RegionId]
  if not source or not source.zones[params.Azone] then
    return nil, errors.refuse("NoSuchResource")
  end
  local page, refusal = paging.read(params, emu.settings)
  if not page then return nil, refusal end
  local found = {}
  for _, region in ipairs(emu.world.regions) do
    local zones = zones_but(region, params.Azone)
    if #zones > 0 then found[#found + 1] = { RegionId = region.id, Zones = zones } end
  end
  local items, cut = paging.cut(found, page, emu.settings)
  return { SupportedRegions = core.array(items), NextToken = cut.NextToken,
    MaxResults = page.limit }
end

return M
