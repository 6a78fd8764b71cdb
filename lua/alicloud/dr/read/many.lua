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

-- Of a sweep that failed, what a look of one's own would meet as well.
local OUT_OF_REACH = { network = true, tls = true, timeout = true, credentials = true }

local function is_out_of_reach(err)
  return err ~= nil and OUT_OF_REACH[err.kind] == true
end

local function look_alone(group, side)
  if side.dark then return nil, side.dark end
  local snapshot, err = group:observe()
  -- After a whole sweep one look is proof enough: a thousand more would each wait as long.
  if is_out_of_reach(side.err) and is_out_of_reach(err) then side.dark = err end
  return snapshot, err
end

local function look(group, side)
  local sweep = side.sweep
  local snapshot = sweep and sweep:can_decide(group.id) and sweep:snapshot(group.id)
  if snapshot then return direction.towards(snapshot, group.to) end
  return look_alone(group, side)
end

-- How large a side is tells whether listing its pairs is worth it.
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

--- Looks at each. What could not be read together is read alone.
---@param groups alicloud.dr.Group[]
---@param sizes? table for whoever looks several times: what a look has learned of the regions
---@param listed? alicloud.dr.Sweep a whole side that was read just now, to find out who is there:
---it is not listed once more
---@return { snapshot: alicloud.dr.Snapshot?, err: alicloud.Error? }[] in their order
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
