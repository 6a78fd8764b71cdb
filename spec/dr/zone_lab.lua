--- A laboratory for a group whose two sites lie in one region, with the machines of both zones.

local after = require "spec.dr.after_lab"
local dr = require "alicloud.dr"

local M = { ID = after.ID, REGION = "cn-hangzhou", G = "cn-hangzhou-g", H = "cn-hangzhou-h" }

--- A world with one group from zone g to zone h.
---@param changes? table as for spec.dr.after_lab
---@return table
function M.world(changes)
  local world = after.world(changes)
  local h = M.REGION .. "/" .. M.H
  world.regions = { { id = M.REGION, zones = { M.G, M.H } } }
  world.groups[1].destination = h
  world.instances = { world.instances[1], { id = "i-new", place = h, status = "Stopped" } }
  return world
end

--- A laboratory with that world.
---@param changes? table
---@param given? table more for lab.new
---@return spec.dr.Lab
function M.new(changes, given)
  local all = { world = M.world(changes) }
  for name, value in pairs(given or {}) do all[name] = value end
  return require("spec.dr.lab").new(all)
end

--- The group at one of its sides.
---@param bench spec.dr.Lab
---@param to? string zone; nil: none is said
---@return alicloud.dr.Group
function M.group(bench, to)
  return dr.group(bench.client, M.ID, { region = M.REGION, to = to })
end

return M
