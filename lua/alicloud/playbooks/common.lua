--- Steps and parameters that the ready playbooks share.

require "alicloud.base.lua_version"
local alicloud = require "alicloud"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"
local ways = require "alicloud.dr.playbook.way"

local M = {}

--- Parameters that several playbooks take.
M.PARAMS = {
  group = { name = "group", type = "id", required = true, help = "the group" },
  region = { name = "region", type = "region", help = "its secondary site; else the client's" },
  to = { name = "to", type = "place",
    help = "zone or region that takes over, where the region alone does not tell" },
  max_rpo = { name = "max_rpo", type = "duration", default = "1h",
    help = "oldest recovery point that is taken; beyond it somebody accepts the loss by name" },
  outage_at = { name = "outage_at", type = "moment",
    help = "since when nothing has been written: the loss is counted to it, the time from it" },
  approvers = { name = "approvers", type = "ids", help = "people who are asked before it begins" },
  approvals = { name = "approvals", type = "integer", help = "how many of them; else all" },
  stop = { name = "stop", type = "command", help = "stops the services where they run" },
  restart = { name = "restart", type = "command",
    help = "starts them there again, if it fails before the point of no return" },
  fence = { name = "fence", type = "choice", values = { "try", "must", "no" }, default = "try",
    help = "stop instances and detach disks of the old side; must: or stop the run" },
  fence_for = { name = "fence_for", type = "duration", default = "1m",
    help = "how long that may take" },
  stop_shared = { name = "stop_shared", type = "ids",
    help = "instances that may be stopped though disks of other groups are on them" },
  attach = { name = "attach", type = "disks", help = "who gets the disks and is started" },
  verify = { name = "verify", type = "command", help = "succeeds once the service is back" },
  verify_for = { name = "verify_for", type = "duration", default = "10m",
    help = "how long that is tried" },
}

local function place_name(place) return place.zone or place.region end

local function side_of(group) return group.to or group.region end

--- Notes that a group is already where it was to go, and that nothing was done.
---@param run alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group
---@param standing table result of `group:standing`
function M.note_standing(run, group, standing)
  run:note(("%s is at %s already (%s → %s, %s): nothing was done"):format(group.id,
    side_of(group), place_name(standing.from), place_name(standing.to), standing.status))
end

local function is_idle(plan) return #plan.attach + #plan.start == 0 end

--- Whether the service still has to be brought up where the group is. Reads only.
---@param group alicloud.dr.Group
---@param attach any
---@return boolean
function M.is_unserved(group, attach)
  local _, err
  if attach then _, err = group:serve { attach = attach, confirm = is_idle } end
  return err ~= nil and err.code == "Client.NotConfirmed"
end

--- Whether the disks of an open group are attached as wanted, and nothing known is left to fence at
--- the old side. Reads only.
---@param group alicloud.dr.Group
---@param params { attach: any, fence: string?, stop_shared: string[]? }
---@return boolean
function M.has_nothing_left(group, params)
  if params.attach and not group:serve { attach = params.attach, confirm = is_idle } then
    return false
  end
  if params.fence == "no" then return true end
  local _, err = group:fence { stop_shared = params.stop_shared, wait_for_cloud = 0,
    confirm = function() return false end }
  return not err or err.code ~= "Client.NotConfirmed"
end

-- Which instances get the disks: as told for this group, else as the run's parameter says.
local function attach_of(own, options) return options.attach or own:peek "attach" end

--- Which instances get the disks, as a text that can be compared.
---@param attach any
---@return string
function M.text_of(attach)
  if type(attach) ~= "table" then return tostring(attach) end
  local parts = {}
  for i, disk in ipairs(tables.keys(attach)) do parts[i] = disk .. "=" .. attach[disk] end
  return table.concat(parts, ",")
end

--- Looks at everything that a move will change, and notes what people should know about it.
---@param own alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group
---@param options alicloud.dr.PreflightOptions
---@return alicloud.dr.MoveReport|nil
---@return alicloud.Error? err
function M.preflight(own, group, options)
  local asked = tables.merged(options)
  asked.attach = attach_of(own, asked)
  asked.stop_shared = own:peek "stop_shared"
  local report, err = group:preflight(asked)
  for _, note in ipairs(report and report.notes or {}) do own:note(note) end
  if report then report.checked = M.text_of(asked.attach) end
  return report, err
end

--- States behind the promotion, where the step `serve` does its own look. A failback begins with an
--- open group.
M.PROMOTED = { failovering = true, failovered = true, failover_failed = true }

local function look_again(own, group, options)
  local standing, err = group:standing()
  if not standing then return nil, err end
  local is_back = options.move == "failback"
  if is_back and not standing.open or not is_back and M.PROMOTED[standing.status] then
    return { checked = M.text_of(attach_of(own, options)) }
  end
  return M.preflight(own, group, options)
end

--- Looks again when the parameter `attach` was corrected after the first look, before a step uses
--- it.
---@param run alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group
---@param found table|nil result of the first look
---@param options alicloud.dr.PreflightOptions
function M.check_corrected(run, group, found, options)
  local count = 1
  while found and found.checked and found.checked ~= M.text_of(attach_of(run, options)) do
    count = count + 1
    found = run:step("check " .. count, function(own) return look_again(own, group, options) end)
  end
end

-- Waits until the service accepts the last synchronization, before production is stopped for it.
local function await_sync(run, group, sync_at)
  run:step("sync interval", function(own)
    local seen, err = group:observe()
    if not seen then return nil, err end
    own.loop.sleep(math.max(0, sync_at - (seen.read_at or own.client.runtime.time())))
    return true
  end)
end

--- The first step of a playbook that moves a group: finds out whether it is there already, else
--- looks at everything that the move will change. The journal keeps the result, so a resumed run
--- uses it.
---@param run alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group
---@param judge fun(standing: table): any, alicloud.Error? result of the step if the group is there
---already; nil, nil: look as for a move
---@param options alicloud.dr.PreflightOptions options that no parameter gives
---@return string|nil outcome "already_there": nothing is to be done, and that was noted; another
---one as `judge` set it; nil: move the group
function M.check(run, group, judge, options)
  local found = run:step("check", function(own)
    local standing, err = group:standing()
    if not standing then return nil, err end
    if standing.outcome == "already_there" then
      local verdict, fault = judge(standing)
      if verdict or fault then return verdict, fault end
    end
    return M.preflight(own, group, options)
  end)
  if found and found.sync_at then await_sync(run, group, found.sync_at) end
  if not found then return nil end
  if not found.outcome then return M.check_corrected(run, group, found, options) end
  if found.outcome == "already_there" then M.note_standing(run, group, found) end
  return found.outcome
end

--- The command that does by hand what the playbook does not do.
---@param verb string
---@param group alicloud.dr.Group
---@param run alicloud.dr.PlaybookRun
---@return string
function M.by_hand(verb, group, run)
  local side = group.to and shell.option("--to", group.to) or shell.option("--region", group.region)
  return shell.command(verb, { group.id }, { side, table.unpack(ways.options(run.way)) })
end

--- The error of a playbook that goes no further with a group, and has not changed it.
---@param group alicloud.dr.Group
---@param code string
---@param message string
---@param hint string?
---@return nil
---@return alicloud.Error
function M.refuse(group, code, message, hint)
  return nil, alicloud.error.new { kind = "state", code = code, outcome = "not_sent",
    group_id = group.id, region = group.region, to = group.to, message = message, hint = hint }
end

--- The error of a planned move whose group is open at its side already.
---@param group alicloud.dr.Group
---@return nil
---@return alicloud.Error
function M.refuse_open(group)
  return M.refuse(group, "OperationDenied.InvalidStatus", ("%s is failed over to %s already; a "
    .. "planned move begins with a group that replicates"):format(group.id, side_of(group)),
    "once its service is up, protect it with `reprotect`; bring the service up: group:serve")
end

--- Waits at a gate for approvals, if approvers are named.
---@param run alicloud.dr.PlaybookRun
function M.approve(run)
  local names = run.params.approvers
  if names then run:gate("approve", { need = run.params.approvals or #names, of = names }) end
end

--- Refuses if the group has been moved since the first look, or may have been: its services may run
--- at the new side.
---@param group alicloud.dr.Group
---@return true|nil
---@return alicloud.Error? err
function M.unmoved(group)
  local standing, err = group:standing()
  if not standing then return nil, err end
  if standing.outcome ~= "already_there" and not standing.unclear then return true end
  return M.refuse(group, "Client.GroupMoved", ("%s %s been moved to %s meanwhile (%s), and its "
    .. "services may run there"):format(group.id, standing.unclear and "may have" or "has",
    side_of(group), standing.status))
end

-- Steps without which a move without loss would stop production in vain.
local NEEDED = tables.set { "fence", "note the stop", "last sync", "promote" }

--- Refuses where stopping production would be in vain: a needed step is left out, or the group has
--- been moved.
---@param group alicloud.dr.Group
---@param own alicloud.dr.PlaybookRun
---@return true|nil
---@return alicloud.Error? err
function M.may_stop(group, own)
  for _, name in ipairs(own:skips()) do
    if NEEDED[name] then
      return M.refuse(group, "Client.LossNotExcluded", ("without %q production would be stopped "
        .. "in vain"):format(name), "resume without that --skip; if the step is left out already, "
        .. "begin a new run with --new")
    end
  end
  return M.unmoved(group)
end

-- Seconds that the look before a stop may take where the failover does not depend on it.
local LOOKING = 60

--- Stops the services of a group by a command of the user, if one is given.
---@param run alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group seen from the site that takes over
---@param command string|function|nil
---@param options alicloud.dr.StepOptions
---@param variables? table ALICLOUD_DR_REGION and so on
function M.stop_services(run, group, command, options, variables)
  if not command then return end
  local goes_on = options.on_error == "continue"
  run:step("stop services", options, function(own)
    local check = goes_on and M.unmoved or M.may_stop
    local ok, err = own.loop.scope(function() return check(group, own) end,
      { timeout = goes_on and LOOKING or nil })
    -- A failover that goes on anyway must not leave the services running because a look failed.
    if not ok and (not goes_on or err.code == "Client.GroupMoved") then return nil, err end
    return own:program(command, tables.merged(variables, { group = group.id }))
  end)
end

--- Waits until the parameter `verify`, if given, says that the service answers.
---@param run alicloud.dr.PlaybookRun
---@param variables table
function M.verify(run, variables)
  if not run.params.verify then return end
  run:verify("service answers", { timeout = run.params.verify_for }, function(own)
    return own:program(run.params.verify, variables)
  end)
end

-- Notes where one site contradicts what was seen at the other.
local function tell_unproven(run, result, err)
  local words = result and result.unproven
  if words then run:note("unproven, the sites do not agree: " .. words) end
  return result, err
end

--- Fences the old side as far as it answers, for at most `fence_for`. A process that resumes before
--- the failover looks again whether the fence holds: people may have brought production up.
---@param run alicloud.dr.PlaybookRun
---@param step string
---@param group alicloud.dr.Group
---@param on_error "continue"|"stop"
---@param at_once boolean? does not wait for a region that does not answer
---@return table|nil result
function M.fence(run, step, group, on_error, at_once)
  return run:step(step, { graceful_only = true, marks = "old_side_fenced", on_error = on_error,
    renewed = true, timeout = run.params.fence_for }, function(own)
    return tell_unproven(own, group:fence { wait_for_cloud = at_once and 0 or nil,
      stop_shared = run.params.stop_shared })
  end)
end

--- Attaches disks and starts instances, if any are named.
---@param run alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group
---@param attach string|table<string, string>|nil
function M.attach(run, group, attach)
  if not attach then return end
  run:step("serve", function(own)
    return tell_unproven(own, group:serve { attach = attach })
  end)
end

--- Attaches disks, starts instances, and waits until the service answers, as far as parameters say.
---@param run alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group
function M.serve(run, group)
  M.attach(run, group, run.params.attach)
  M.verify(run, { group = group.id, region = group.region })
end

return M
