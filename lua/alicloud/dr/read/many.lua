--- Looks at many groups: by a sweep of each region, and by a look at each group that the sweep does
--- not show whole.

local direction = require "alicloud.dr.model.direction"
local sweeps = require "alicloud.dr.read.sweep"

local M = {}

-- So many groups of a client and region are swept together. For one, a look costs as few calls.
local FEWEST = 2

-- Divides groups by client and region.
local function divide(groups)
  local sides, of = {}, {}
  for _, group in ipairs(groups) do
    local regions = of[group.client] or {}
    of[group.client] = regions
    local side = regions[group.region]
    if not side then
      side = { client = group.client, region = group.region, ids = {} }
      regions[group.region], sides[#sides + 1] = side, side
    end
    side.ids[#side.ids + 1] = group.id
  end
  return sides, of
end

-- Kinds of errors of a sweep that a look would meet as well.
local OUT_OF_REACH = { network = true, tls = true, timeout = true, credentials = true }

local function is_out_of_reach(err)
  return err ~= nil and OUT_OF_REACH[err.kind] == true
end

local function look_alone(group, side)
  if side.dark then return nil, side.dark end
  local snapshot, err = group:observe()
  -- If the sweep and one look have failed like this, the region counts as out of reach: a thousand
  -- further looks would each wait as long.
  if is_out_of_reach(side.err) and is_out_of_reach(err) then side.dark = err end
  if side.sweep then side.sweep:suggest(snapshot) end
  return snapshot, err
end

local function look(group, side)
  local sweep = side.sweep
  local snapshot = sweep and sweep:can_decide(group.id) and sweep:snapshot(group.id)
  if snapshot then return direction.towards(snapshot, group.to) end
  return look_alone(group, side)
end

-- Sweeps over one side. The sizes from an earlier sweep tell whether listing all pairs is worth it.
local function sweep_over(side, sizes)
  local regions = sizes[side.client] or {}
  side.sweep, side.err = sweeps.read(side.client, side.region,
    { ids = side.ids, decides = true, sizes = regions[side.region] })
  if not side.sweep then return end
  regions[side.region], sizes[side.client] = side.sweep.sizes, regions
end

local function is_of(listed, side)
  return listed ~= nil and listed.client == side.client and listed.region == side.region
end

--- Looks at each group once.
---@param groups alicloud.dr.Group[]
---@param sizes? table kept between several calls: the sizes of the regions; filled in here
---@param listed? alicloud.dr.Sweep a sweep that has just found the groups; it is used for its
---region
---@return { snapshot: alicloud.dr.Snapshot?, err: alicloud.Error? }[] in the order of the groups
function M.look(groups, sizes, listed)
  local sides, of = divide(groups)
  for _, side in ipairs(sides) do
    if is_of(listed, side) then
      side.sweep = listed
    elseif #side.ids >= FEWEST then
      sweep_over(side, sizes or {})
    end
  end
  local seen = {}
  for i, group in ipairs(groups) do
    local snapshot, err = look(group, of[group.client][group.region])
    seen[i] = { snapshot = snapshot or nil, err = err }
  end
  return seen
end

return M
