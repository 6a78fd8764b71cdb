--- Observes what is refused while a disk is attached. This needs an instance at each side; the run
--- attaches its disks to them and detaches them again.

local copying = require "alicloud.conformance.cases.throwaway.copying"
local errors = require "alicloud.base.error"
local setup = require "alicloud.conformance.cases.throwaway.setup"

local M = {}

local step = copying.step
local EVERY, LIMIT = 2, 600

local function ask_ecs(region) return { token = false, region = region } end

local function disk_of(life, region, id)
  local answer, err = life.probe:call("ecs:DescribeDisks", { RegionId = region, DiskIds = { id } },
    { region = region })
  if not answer then life:stop("ecs:DescribeDisks: " .. errors.text_of(err)) end
  return answer.Disks.Disk[1] or life:stop(("disk %s is gone"):format(id))
end

local function wait_disk(life, name, region, id, wanted, since)
  local seconds = life:once("disk:" .. name, function()
    while disk_of(life, region, id).Status ~= wanted do
      if life.probe:now() - since > LIMIT then
        life:stop(("disk %s is not %s"):format(id, wanted))
      end
      life.probe:sleep(EVERY)
    end
    return life.probe:now() - since
  end)
  life:sample(name, wanted == "In_use" and "attach" or "detach", seconds)
end

-- AttachDisk has no token: if an answer was lost, the disk's record shows whether it is attached.
local function refusal_of(life, change, region, disk, instance)
  if not change.code or not change.doubt then return change.code end
  return disk_of(life, region, disk).InstanceId ~= instance and change.code or nil
end

--- Attaches a disk.
---@param life alicloud.conformance.Lab
---@param name string
---@param region string
---@param disk string
---@param instance string
---@return string|nil code of a refusal
local function attach(life, name, region, disk, instance)
  local change = life:change("attach_" .. name, "ecs:AttachDisk",
    { DiskId = disk, InstanceId = instance }, ask_ecs(region))
  local code = life:once("attached:" .. name, function()
    return { code = refusal_of(life, change, region, disk, instance) }
  end).code
  if not code then wait_disk(life, "attach_" .. name, region, disk, "In_use", change.at) end
  return code
end

local function detach(life, name, region, disk, instance)
  local change = life:must("detach_" .. name, "ecs:DetachDisk",
    { DiskId = disk, InstanceId = instance }, ask_ecs(region))
  wait_disk(life, "detach_" .. name, region, disk, "Available", change.at)
end

local function instance_status(life, name, region, id)
  return life:once("instance:" .. name, function()
    local answer = life.probe:call("ecs:DescribeInstances",
      { RegionId = region, InstanceIds = { id } }, { region = region })
    local found = answer and answer.Instances.Instance[1]
    return found and found.Status or "unknown"
  end)
end

local NO_TARGET = "needs an instance at the recovery side (--instance-target)"
local NO_SOURCE = "needs a running instance at the production side (--instance-source)"

local attach_stopped = step("attach a secondary disk while stopped", function(life)
  if not life.instance_target then return end
  attach(life, "stopped", life.destination.region, life.disks[1].destination,
    life.instance_target)
end)

local function attached_while_stopped(life)
  local kept = life.probe.memory["once:attached:stopped"]
  return kept ~= nil and not kept.value.code, kept and kept.value.code
end

local standby_attached = { name = "standby_attached", look = function(_, lab)
  local life = lab.life
  if not life.instance_target then return nil, NO_TARGET end
  local is_attached, code = attached_while_stopped(life)
  if not is_attached then return nil, "AttachDisk was refused with " .. code end
  local status = instance_status(life, "target", life.destination.region, life.instance_target)
  local start = life:change("start_attached", "ebs:StartDiskReplicaGroup",
    setup.of(life, "g", life.source.region))
  if start.code and start.code ~= "OperationDenied.StandbyDeviceAttached" then
    return nil, "refused with " .. start.code
  end
  if not start.code then
    return status == "Stopped" and "running" or "never", "the instance is " .. status
  end
  if status == "Stopped" then return "any" end
  return nil, ("the instance is %s; one that is stopped would tell"):format(status)
end }

local start_g = step("start group g", function(life)
  if attached_while_stopped(life) then
    detach(life, "stopped", life.destination.region, life.disks[1].destination,
      life.instance_target)
  end
  local started = life.probe.memory["did:start_attached"]
  if started and not started.code then
    life:wait("start_attached", "group", setup.id(life, "g"), "normal")
  else
    -- After an early failover this is the first copy, so it is not measured as a later one.
    local early = life.probe.memory["did:early_failover"]
    copying.start(life, "start_g", "g", not (early and not early.code) and "sync" or nil)
  end
end)

local ATTACHED = { ["true true"] = "any", ["true false"] = "idle", ["false false"] = "failovered",
  ["false true"] = "only while it runs" }

local attach_secondary = { name = "attach_secondary", cites = { "attach_stopped" },
  look = function(_, lab)
  local life = lab.life
  if not life.instance_target then return nil, NO_TARGET end
  local stopped, refused = attached_while_stopped(life)
  local disk = life.disks[1].destination
  local code = attach(life, "normal", life.destination.region, disk, life.instance_target)
  if not code then detach(life, "normal", life.destination.region, disk, life.instance_target) end
  for _, text in ipairs { refused or "", code or "" } do
    if text:find "Instance" then return nil, "AttachDisk was refused with " .. text end
  end
  return ATTACHED[("%s %s"):format(stopped, code == nil)],
    ("stopped: %s; normal: %s"):format(refused or "taken", code or "taken")
end }

local busy_primary = { name = "busy_primary", look = function(_, lab)
  local life = lab.life
  if not life.instance_source then return nil, NO_SOURCE end
  local region = life.source.region
  local status = instance_status(life, "source", region, life.instance_source)
  if status ~= "Running" then return nil, ("the instance is %s, not Running"):format(status) end
  local disk = life.disks[1].source
  local code = attach(life, "busy", region, disk, life.instance_source)
  if code then return nil, "AttachDisk was refused with " .. code end
  local change = life:change("reprotect_busy", "ebs:ReprotectDiskReplicaGroup",
    setup.of(life, "g", life.destination.region, { ReverseReplicate = true }))
  detach(life, "busy", region, disk, life.instance_source)
  if not change.code then return "allow" end
  return change.code:find "^OperationDenied" and "refuse" or nil, "refused with " .. change.code
end }

M.while_stopped = { attach_stopped, standby_attached, start_g }
M.while_normal = { attach_secondary }
M.while_failovered = { busy_primary }

return M
