--- The throwaway tier: the whole life of two groups and three pairs on named blank disks, in both
--- directions. A step that could disturb later ones comes last, or undoes its changes.

local attached = require "alicloud.conformance.cases.throwaway.attached"
local cleanup = require "alicloud.conformance.cleanup"
local copying = require "alicloud.conformance.cases.throwaway.copying"
local disks = require "alicloud.conformance.cases.throwaway.disks"
local ending = require "alicloud.conformance.cases.throwaway.ending"
local guard = require "alicloud.base.guard"
local labs = require "alicloud.conformance.lab"
local moving = require "alicloud.conformance.cases.throwaway.moving"
local ownership = require "alicloud.conformance.ownership"
local setup = require "alicloud.conformance.cases.throwaway.setup"
local tokens = require "alicloud.conformance.cases.throwaway.tokens"

local M = {}

M.mode = "normal"

M.cost = "two to three hours; traffic of blank disks; the secondary disks are overwritten"

M.actions = {
  "ebs:DescribeRegions", "ebs:DescribeDiskReplicaGroups", "ebs:DescribeDiskReplicaPairs",
  "ebs:CreateDiskReplicaPair", "ebs:ModifyDiskReplicaPair", "ebs:StartDiskReplicaPair",
  "ebs:StopDiskReplicaPair", "ebs:FailoverDiskReplicaPair", "ebs:ReprotectDiskReplicaPair",
  "ebs:DeleteDiskReplicaPair", "ebs:CreateDiskReplicaGroup", "ebs:ModifyDiskReplicaGroup",
  "ebs:StartDiskReplicaGroup", "ebs:StopDiskReplicaGroup", "ebs:FailoverDiskReplicaGroup",
  "ebs:ReprotectDiskReplicaGroup", "ebs:DeleteDiskReplicaGroup", "ebs:AddDiskReplicaPair",
  "ebs:RemoveDiskReplicaPair", "ebs:TagResources", "ebs:UntagResources", "ebs:ListTagResources",
  "ecs:DescribeDisks", "ecs:DescribeSnapshots", "ecs:DescribeInstances", "ecs:AttachDisk",
  "ecs:DetachDisk",
}

-- An assumption that no step of this life can show, with the reason.
local function unseen(name, reason)
  return { name = name, look = function() return nil, reason end }
end

local CASES = {
  setup.cases, tokens.begin, copying.of_h, { tokens.check_ages() }, copying.of_g,
  attached.while_stopped, attached.while_normal, { tokens.refused_for_status() },
  copying.stopped_again, tokens.again, copying.member, copying.started_again,
  { tokens.check_ages() }, moving.before, moving.failover, attached.while_failovered,
  moving.reversal, { tokens.check_ages() }, moving.failback, { tokens.check_ages() },
  tokens.ending, ending.cases,
  { unseen("reprotect_again", "needs a group that is reprotect_failed"),
    unseen("site_status", "needs an outage of one region") },
  ending.cleanup,
}

-- An observation belongs to its moment of the life, so a continued run does not make it again. If
-- it fails, the life stops; if it fails again in the continued run, it is left out.
local function at_its_moment(case)
  local key = "seen:" .. case.name
  return { name = case.name, tier = "throwaway", look = function(probe, lab)
    local seen = probe.memory[key]
    lab.life:cite(case.cites or {})
    if seen then return seen.value, seen.text end
    local ok, value, text = guard.call(case.look, probe, lab)
    if not ok then
      value, text = nil, labs.reason(value)
      if not probe.memory["failed:" .. case.name] then
        probe:remember("failed:" .. case.name, true)
        lab.stopped = text
        return nil, text
      end
    end
    probe:remember(key, { value = value, text = text })
    return value, text
  end }
end

---@type alicloud.conformance.Case[]
M.cases = {}
for _, part in ipairs(CASES) do
  for _, case in ipairs(part) do
    M.cases[#M.cases + 1] = case.name and at_its_moment(case) or case
  end
end

--- Checks the disks and plans a new lab, or loads the lab of a run that is continued.
---@param probe alicloud.conformance.Probe
---@param lab alicloud.conformance.Lab
function M.prepare(probe, lab)
  lab.life = labs.new(probe)
  if lab.life then
    lab.stopped = ownership.problem(lab.life, lab.disks) or lab.stopped
    -- A run whose groups and pairs were deleted before its end cannot continue. A finished run only
    -- shows its results again.
    if probe.memory.cleaned and not probe.memory.finished then
      lab.stopped = "what this run had made was deleted; a new run begins anew"
    end
    return
  end
  local ok, plan, problem = guard.call(disks.plan, probe, lab)
  if not ok or not plan then
    lab.stopped = problem or labs.reason(plan)
    return
  end
  lab.life = labs.new(probe, plan)
end

M.finish = cleanup.finish

return M
