--- A region of many groups for the specs that read them together.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local lab = require "spec.dr.lab"

local M = {}

--- A world of groups that are well but for what is said of them.
---@param groups table[]
---@return table
function M.world(groups)
  local all = { regions = { lab.PRIMARY, lab.SECONDARY }, groups = {} }
  for i, group in ipairs(groups) do
    all.groups[i] = { pairs = 2, status = "normal", recover_point_age = 300,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" }
    for name, value in pairs(group) do all.groups[i][name] = value end
  end
  return all
end

--- Every group that fails over to the region.
---@param bench table of spec.dr.lab
---@return alicloud.dr.Group[]
function M.every_group(bench)
  local list = {}
  for i, id in ipairs(assert(dr.group_ids(bench.client, { site = "backup" }))) do
    list[i] = dr.group(bench.client, id)
  end
  return list
end

--- Groups of several states and sizes, whose client keeps to no rate: time passes for those who
--- wait for the quota.
---@param count integer
---@return table bench
---@return table[] groups as they were described
function M.mixed(count)
  local groups, STATES = {}, { "normal", "stopped", "failovered", "created", "syncing" }
  for i = 1, count do
    groups[i] = { id = ("pg-%02d"):format(i), status = STATES[i % #STATES + 1], pairs = i % 4,
      recover_point_age = 200 * i }
  end
  local bench = lab.new { world = M.world(groups) }
  local emu = bench.emu
  bench.client = alicloud.client { region = lab.SECONDARY, transport = emu.transport,
    runtime = emu.runtime, rate = false, access_key_id = emu.access_key_id,
    access_key_secret = emu.access_key_secret }
  return bench, groups
end

return M
