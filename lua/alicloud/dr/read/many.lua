--- Looks at many groups: what a sweep shows of them, and of those of which it says nothing what a
--- look of their own does.

local direction = require "alicloud.dr.model.direction"
local sweeps = require "alicloud.dr.read.sweep"

local M = {}

-- So many groups of one client and region are looked at together: one alone costs no more calls.
local FEWEST = 2

-- Groups by what they are swept with.
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

local function look(group, sweep)
  local snapshot = sweep and sweep:can_decide(group.id) and sweep:snapshot(group.id)
  if snapshot then return direction.towards(snapshot, group.to) end
  return group:observe()
end

--- Looks at each. What could not be read together is read alone.
---@param groups alicloud.dr.Group[]
---@return { snapshot: alicloud.dr.Snapshot?, err: alicloud.Error? }[] in their order
function M.look(groups)
  local sides, of = divide(groups)
  for _, side in ipairs(sides) do
    if #side.ids >= FEWEST then
      side.sweep = sweeps.read(side.client, side.region, { ids = side.ids, decides = true })
    end
  end
  local seen = {}
  for i, group in ipairs(groups) do
    local snapshot, err = look(group, of[group.client][group.region].sweep)
    seen[i] = { snapshot = snapshot or nil, err = err }
  end
  return seen
end

return M
