--- A drill: copies the last recovery point to new disks, runs your check, and always clears the
--- drill, also after a failed check and in the process that resumes a killed run.
---
---     alicloud-dr run drill group=pg-orders region=cn-shanghai check='./check-disks.sh'
---
--- The check sees ALICLOUD_DR_DISKS, the drill's disks with commas between; its last output is kept
--- as evidence. RTO counts to the passed check, RPO to the accepted call. The disks of a drill are
--- billed until it is cleared, so drills that others have left open are noted with their age.

require "alicloud.base.lua_version"
local alicloud = require "alicloud"
local common = require "alicloud.playbooks.common"
local dr = require "alicloud.dr"

local given = common.PARAMS

local PARAMS = {
  given.group, given.region, given.to, given.max_rpo, given.approvers, given.approvals,
  { name = "check", type = "command", help = "looks at the disks; fails if they are no good" },
  { name = "check_for", type = "duration", default = "30m", help = "how long it may take" },
}

local function list_open(run, group)
  local drills, err = group:drills()
  if not drills then return nil, err end
  for _, drill in ipairs(drills) do
    run:note(("%s is open: %s"):format(drill.id, drill.warning or drill.status))
  end
  return { open = #drills }
end

-- A failed start may have left a drill: the result then holds its id, so that it is cleared.
local function start(group)
  local made, err = group:start_drill {}
  if made or not err.drill_id then return made, err end
  return { drill_id = err.drill_id, why = tostring(err) }
end

local function look_at(run, group, made)
  if made.why then return nil, made.why end
  local ids = {}
  for i, disk in ipairs(made.disks) do ids[i] = disk.disk end
  if not run.params.check then return true end
  return run:program(run.params.check,
    { group = group.id, drill = made.drill_id, disks = table.concat(ids, ",") }, { keep = true })
end

local function verdict(why)
  return why and alicloud.error.new { kind = "state", code = "Client.DrillCheckFailed",
    message = "the disks are no good: " .. tostring(why.message or why),
    hint = "the drill is cleared; begin another one with --new" }
end

return dr.playbook("drill", { kind = "drill", params = PARAMS,
  summary = "Rehearse on copies of the disks, and clear them away." }, function(run)
  local params = run.params
  local group = run:group(params.group, { region = params.region, to = params.to })

  run:step("check", function() return group:precheck { max_rpo = params.max_rpo } end)
  run:step("open before", function(own) return list_open(own, group) end)
  common.approve(run)
  local made = run:step("start drill", { critical = true }, function() return start(group) end)
  local good, why = run:step("check the disks",
    { timeout = params.check_for, on_error = "continue",
      marks = params.check and "verified" or nil },
    function(own) return look_at(own, group, made) end)
  run:step("clear", { critical = true }, function()
    return group:clear_drill(made.drill_id, { detach = true })
  end)
  run:step("open after", { on_error = "continue" },
    function(own) return list_open(own, group) end)
  run:step("verdict", function() return good ~= nil, verdict(why) end)
end)
