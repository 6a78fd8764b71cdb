--- Fleets for the specs of the ready playbook: many groups of one pair, what breaks them, and how
--- many have moved.

local scene = require "spec.playbooks.scene"
local stages = require "spec.dr.playbook.stage"
local worlds = require "spec.worlds"

local M = {}

--- A group that is not ready.
M.BROKEN = { status = "created" }

--- A stage with groups pg-01, pg-02 and so on.
---@param count integer
---@param changes? table<integer, table> fields of groups
---@param given? table more for spec.dr.lab
---@return spec.dr.Stage
function M.stage(count, changes, given)
  local all = { world = worlds.of_groups(count, changes) }
  for name, value in pairs(given or {}) do all[name] = value end
  return stages.new(all)
end

--- Runs the playbook for all groups of Shanghai.
---@param stage spec.dr.Stage
---@param more? table parameters
---@param options? table as for dr.run
---@return table|nil result
---@return table|nil err
function M.run(stage, more, options)
  return scene.run("fleet", stage, { groups = "all", region = "cn-shanghai" }, more, options)
end

--- How many changes had an effect.
---@param stage spec.dr.Stage
---@return integer
function M.moved(stage)
  return #stage.bench:ledger()
end

--- How many groups are open.
---@param stage spec.dr.Stage
---@return integer
function M.opened(stage)
  local count = 0
  for _, group in ipairs(stage.bench.emu.world.groups) do
    if stage.bench.emu:group(group.id).status == "failovered" then count = count + 1 end
  end
  return count
end

--- A fault: the failover of a group is refused once.
---@param id string
---@return table
function M.forbidden(id)
  return { match = { action = "FailoverDiskReplicaGroup", group = id, count = 1 },
    effect = { error = { code = "Forbidden", status = 403 } } }
end

--- A fault: a pair of a group fails, however often it is failed over.
---@param id string
---@return table
function M.partial(id)
  return { match = { action = "FailoverDiskReplicaGroup", group = id, count = 100 },
    effect = { partial = 1 } }
end

return M
