--- What the ready playbooks have in common, written with what every playbook may use.

local M = {}

--- Parameters that several of them take.
M.PARAMS = {
  group = { name = "group", type = "id", required = true, help = "the group" },
  region = { name = "region", type = "region", help = "its secondary site; else the client's" },
  max_rpo = { name = "max_rpo", type = "duration", default = "1h",
    help = "oldest recovery point that is taken; beyond it somebody accepts the loss by name" },
  approvers = { name = "approvers", type = "ids", help = "people who are asked before it begins" },
  approvals = { name = "approvals", type = "integer", help = "how many of them; else all" },
  stop = { name = "stop", type = "command", help = "stops the services where they run" },
  attach = { name = "attach", type = "disks", help = "who gets the disks and is started" },
  verify = { name = "verify", type = "command", help = "succeeds once the service is back" },
  verify_for = { name = "verify_for", type = "duration", default = "10m",
    help = "how long that is tried" },
}

--- Waits for people, if any are named.
---@param run alicloud.dr.PlaybookRun
function M.approve(run)
  local names = run.params.approvers
  if names then run:gate("approve", { need = run.params.approvals or #names, of = names }) end
end

--- Runs a command of the user, if there is one; a program sees ALICLOUD_DR_GROUP and so on.
---@param run alicloud.dr.PlaybookRun
---@param step string
---@param command string|function|nil
---@param options alicloud.dr.StepOptions
---@param variables table
function M.command(run, step, command, options, variables)
  if not command then return end
  options.plan = false
  run:step(step, options, function(own) return own:program(command, variables) end)
end

--- Waits until the service answers, if somebody can tell.
---@param run alicloud.dr.PlaybookRun
---@param variables table
function M.verify(run, variables)
  local params = run.params
  if not params.verify then return end
  run:verify("service answers", { timeout = params.verify_for, plan = false }, function(own)
    return own:program(params.verify, variables)
  end)
end

--- Attaches disks and starts instances, if any are named, and waits until the service answers.
---@param run alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group
function M.serve(run, group)
  local params = run.params
  if params.attach then
    run:step("serve", { plan = false }, function()
      return group:serve { attach = params.attach }
    end)
  end
  M.verify(run, { group = group.id, region = group.region })
end

-- What was written after the stop would be lost: nothing was, if the sync began after it and the
-- old side has stood still since.
local function proof(group, synced, stopped_at)
  local held, err = group:fence { detach = false, confirm = function() return false end }
  if not held then return nil, "the old side does not stand still any more: " .. tostring(err) end
  if (synced.recover_point or 0) < stopped_at then
    return nil, ("the recovery point %s is older than the stop at %d"):format(
      tostring(synced.recover_point), stopped_at)
  end
  return { stopped_at = stopped_at, recover_point = synced.recover_point,
    seen_at = held.old_side_fenced_at }
end

-- A recovery point gets older while nothing writes; that is no loss.
local function promote(run, group, proven)
  local result, err = group:failover {}
  if not result then return nil, err end
  if (result.recover_point or 0) < proven.stopped_at then
    run:note(("failed over to a recovery point of %s, the service had stopped at %d"):format(
      tostring(result.recover_point), proven.stopped_at))
    return result
  end
  result.recover_point_age, result.rpo = result.rpo, 0
  return result
end

--- Moves a group to its secondary site without losing a byte: services stopped, old side fenced,
--- one last synchronization that is newer than the stop, failover.
---@param run alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group at the site that takes over
function M.move_without_loss(run, group)
  M.command(run, "stop services", run.params.stop, { timeout = "15m" }, { group = group.id })
  run:step("fence", { marks = "old_side_fenced", plan = false }, function()
    return group:fence {}
  end)
  local stopped_at = run:step("note the stop", { plan = false }, function()
    return math.ceil(assert(group:look()).read_at)
  end)
  run:step("stop replication", { plan = false, undo = function() return group:start {} end },
    function() return group:stop {} end)
  local synced = run:step("last sync", { plan = false }, function()
    return group:start { one_shot = true }
  end)
  local proven = run:step("prove no loss", { plan = false }, function()
    return proof(group, synced, stopped_at)
  end)
  run:step("promote", { point_of_no_return = true, plan = false }, function(own)
    return promote(own, group, proven)
  end)
end

return M
