--- Undoes a fence: attaches its disks where they were, under their device names if those are known,
--- and starts the instances that ran. It touches only what stood there before the fence, and does
--- only what is not done yet.
---
--- It is for a move that ends before the group is opened elsewhere. After that it is refused, since
--- two sites would write.

local attachment = require "alicloud.dr.read.attachment"
local change_options = require "alicloud.dr.change.options"
local changes = require "alicloud.dr.change"
local compute = require "alicloud.dr.actions.compute"
local failures = require "alicloud.dr.change.failures"
local formats = require "alicloud.base.formats"
local part_set = require "alicloud.dr.model.part_set"
local replication_change = require "alicloud.dr.actions.replication_change"
local schema = require "alicloud.base.schema"
local transitions = require "alicloud.dr.model.transition"

local M = {}

---@class alicloud.dr.UnfenceOptions: alicloud.dr.WaitOptions
---@field fenced alicloud.dr.Fenced the result of the fence, or `done_so_far` of its error; may be
---left out in a playbook: then it is the fence of the same run
---@field confirm? fun(plan: alicloud.dr.UnfencePlan): boolean
---@field timeout? number|string for each attach and each start (10m)

--- The attachments and instance statuses of a side before it was fenced.
---@class alicloud.dr.Fenced
---@field group_id string
---@field region string
---@field before alicloud.dr.FencedDisk[]

---@class alicloud.dr.FencedDisk
---@field disk string
---@field instance string
---@field status string of the instance
---@field device string? name under which the disk was attached

---@class alicloud.dr.UnfencePlan
---@field region string
---@field attach { disk: alicloud.dr.DiskUse, instance: string, device: string? }[]
---@field start { id: string, status: string }[]

---@class alicloud.dr.UnfenceResult
---@field outcome "unfenced"|"already_unfenced"
---@field group_id string
---@field region string
---@field attached string[] disks that were attached by this
---@field started string[] instances that were started by this
---@field side alicloud.dr.SideUse as seen at the end
---@field elapsed number seconds
---@field request_ids string[]

local WORDS = transitions.words("ecs", "DescribeDisks", "unfence", "bringing back")

local function is_use(use)
  return type(use) == "table" and formats.ID.test(use.disk) and formats.ID.test(use.instance)
end

local FENCED = schema.rule("what group:fence returned, or done_so_far of its error",
  function(value)
    if type(value) ~= "table" or type(value.before) ~= "table" then return false end
    for _, use in ipairs(value.before) do
      if not is_use(use) then return false end
    end
    return formats.ID.test(value.group_id) and formats.REGION.test(value.region)
  end)

--- What group:unfence takes.
M.OPTIONS = change_options.without_token { fenced = FENCED }

local OPENED = { failovering = true, failovered = true, failover_failed = true }
local RAN = { Running = true, Starting = true, Pending = true }

-- Forbids it if the group is another one, is opened at its other site, or has been reversed.
local function problem_of_group(snapshot, fenced)
  if fenced.group_id ~= snapshot.group_id then
    return { code = "Client.WrongGroup", message = ("what was fenced is of %s, not of %s"):format(
      fenced.group_id, snapshot.group_id) }
  end
  if OPENED[snapshot.status] or snapshot.status:find "^reprotect" then
    return { kind = "state", code = "Client.AlreadyOpened", snapshot = snapshot,
      message = ("%s is %s: it is opened at its other site, or on the way there; a second site "
        .. "that writes would be one too many"):format(snapshot.group_id, snapshot.status),
      hint = "go on with the failover: finish it, then attach the disks there, group:serve" }
  end
  local sources = {}
  for _, pair in ipairs(snapshot.pairs) do sources[pair.source_disk or ""] = true end
  for _, use in ipairs(fenced.before) do
    if not sources[use.disk] then
      return { kind = "state", code = "Client.WorldChanged", snapshot = snapshot,
        message = ("%s is no disk that %s is copied from now"):format(use.disk,
          snapshot.group_id), hint = "look at the group: it may go the other way by now; then its "
          .. "service comes up where it is copied from" }
    end
  end
  return nil
end

local function wanted_disks(fenced)
  local list, seen = {}, {}
  for _, use in ipairs(fenced.before) do
    if not seen[use.disk] then seen[use.disk], list[#list + 1] = true, { id = use.disk } end
  end
  return list
end

local function disk_in(side, id)
  for _, disk in ipairs(side.disks) do
    if disk.id == id then return disk end
  end
end

-- Seconds for which a list may lack an object that exists.
local BRIEFLY = 20

local function problem_of_disk(disk, use, disks_before)
  if not disk.status then
    return { code = "InvalidDiskId.NotFound", passes = BRIEFLY,
      message = ("disk %s is not listed"):format(disk.id) }
  end
  for _, host in ipairs(disk.hosts) do
    if not disks_before[host.id] then
      return { kind = "state", code = "InvalidDisk.InUse", message = ("%s, not on %s"):format(
        attachment.describe(disk), use.instance), hint = "find out who has attached it there" }
    end
  end
  return nil
end

-- The instances that each disk was attached to.
local function hosts_before(fenced)
  local by_disk = {}
  for _, use in ipairs(fenced.before) do
    by_disk[use.disk] = by_disk[use.disk] or {}
    by_disk[use.disk][use.instance] = true
  end
  return by_disk
end

local function plan_starts(plan, fenced, hosts)
  local seen = {}
  for _, use in ipairs(fenced.before) do
    local host = hosts[use.instance]
    if not host then
      return { code = "InvalidInstanceId.NotFound", passes = BRIEFLY,
        message = ("instance %s is not listed"):format(use.instance) }
    end
    if RAN[use.status] and host.status ~= "Running" and not seen[use.instance] then
      seen[use.instance] = true
      plan.start[#plan.start + 1] = { id = use.instance, status = host.status }
    end
  end
  return nil
end

local function plan_of(fenced, side, hosts)
  local plan, before = { region = fenced.region, attach = {}, start = {} }, hosts_before(fenced)
  for _, use in ipairs(fenced.before) do
    local disk = disk_in(side, use.disk)
    local problem = problem_of_disk(disk, use, before[use.disk])
    if problem then return nil, problem end
    if not attachment.is_on(disk, use.instance) or disk.status ~= "In_use" then
      plan.attach[#plan.attach + 1] = { disk = disk, instance = use.instance,
        device = use.device }
    end
  end
  local problem = plan_starts(plan, fenced, hosts)
  if problem then return nil, problem end
  return plan
end

local function read(change, fenced)
  local client = change.group.client
  local side = attachment.read(client, fenced.region, wanted_disks(fenced))
  if side.err then return nil, side.err end
  local ids, seen = {}, {}
  for _, use in ipairs(fenced.before) do
    if not seen[use.instance] then seen[use.instance], ids[#ids + 1] = true, use.instance end
  end
  local hosts, err = attachment.instances(client, fenced.region, ids)
  if not hosts then return nil, err end
  return side, hosts
end

-- The plan for the side, once no problem is left that passes by itself.
local function look_at_side(change, fenced, problem_of_plan)
  local err
  local found, obstacle = change:until_passed(function()
    local side, hosts = read(change, fenced)
    if not side then
      err = hosts
      return nil
    end
    local plan, problem = plan_of(fenced, side, hosts)
    if plan then plan.side = side end
    return plan, problem or problem_of_plan and problem_of_plan(plan)
  end)
  return found, obstacle, err
end

-- The set of pairs need not be whole where each disk that was fenced is listed: only those come
-- back.
local function problem_of_world(found, fenced)
  local problem = replication_change.problem_of_world(found)
  local is_part = problem and problem.code == part_set.CODE
  return not (is_part and not problem_of_group(found.here, fenced)) and problem or nil
end

local function look_at_group(change, fenced)
  local err
  local found, problem = change:until_passed(function()
    local seen
    seen, err = replication_change.look(change)
    return seen, seen and (problem_of_world(seen, fenced)
      or replication_change.problem_of_side(seen.here, "bring it back from")
      or problem_of_group(seen.here, fenced))
  end)
  if not found then return nil, err end
  if not problem then return true end
  problem.snapshot = found.here
  return failures.forbidden(change, problem)
end

local function decide(change, fenced)
  local ok, fault = look_at_group(change, fenced)
  if not ok then return nil, fault end
  local plan, problem, err = look_at_side(change, fenced)
  if err then return failures.unreadable(change, err) end
  if problem then return failures.forbidden(change, problem) end
  return plan
end

-- Waits for detaches that the fence has begun.
local function end_detaching(change, plan)
  local jobs, known = {}, {}
  for _, job in ipairs(plan.attach) do
    local id = job.disk.id
    if job.disk.status == "Detaching" and not known[id] then
      known[id], jobs[#jobs + 1] = true, { disk = job.disk, instance = job.instance }
    end
  end
  local _, err, seen = compute.detach_all(change, plan.region, jobs)
  if err then return nil, err end
  for _, job in ipairs(plan.attach) do job.disk = seen[job.disk.id] or job.disk end
  return true
end

local function attach_all(change, plan, result)
  local ok, fault = end_detaching(change, plan)
  if not ok then return nil, fault end
  return compute.attach_all(change, plan, result)
end

-- Waits for stops that the fence has begun, then starts the instances.
local function start_all(change, plan, result)
  local stopping = {}
  for _, instance in ipairs(plan.start) do
    if instance.status == "Stopping" then stopping[#stopping + 1] = instance end
  end
  local _, err, seen = compute.stop_all(change, plan.region, stopping, false)
  if err then return nil, err end
  for i, instance in ipairs(plan.start) do plan.start[i] = seen[instance.id] or instance end
  return compute.start_all(change, plan, result)
end

local function carry_out(change, plan, result)
  local ok, err = attach_all(change, plan, result)
  if not ok then return nil, err end
  return start_all(change, plan, result)
end

-- The last look decides whether it is a success.
local function finish(change, fenced, result)
  local plan, problem, err = look_at_side(change, fenced, function(plan)
    return compute.undone(change, plan, result, "Client.UnfenceUndone")
  end)
  if err then return nil, err end
  if problem then
    problem.outcome = "accepted"
    return failures.forbidden(change, problem)
  end
  result.side, result.elapsed = plan.side, change:elapsed()
  change:emit { event = "done", result = result }
  return result
end

local function bring_back(change, fenced, before)
  local options = change.options
  local plan, err = decide(change, fenced)
  if not plan then return nil, err end
  local idle = #plan.attach + #plan.start == 0
  if not idle and options.confirm and not options.confirm(plan) then
    return failures.not_confirmed(change)
  end
  local result = { outcome = idle and "already_unfenced" or "unfenced",
    group_id = change.group.id, region = plan.region, attached = before.attached or {},
    started = before.started or {}, request_ids = change.request_ids }
  local ok
  ok, err = carry_out(change, plan, result)
  if ok then ok, err = finish(change, fenced, result) end
  if not ok then
    err.done_so_far = result
    return nil, err
  end
  return ok
end

--- Brings back what a fence has stopped and detached.
---@param group alicloud.dr.Group in the region that the group was to move to
---@param options table durations in seconds, defaults filled in
---@return alicloud.dr.UnfenceResult|nil
---@return alicloud.Error? err `done_so_far` says what was done before it failed
function M.run(group, options)
  local change, fenced = changes.new(group, WORDS, options), options.fenced
  local result, err = bring_back(change, fenced, {})
  if not result and change.misled then
    return bring_back(change, fenced, err.done_so_far)
  end
  return result, err
end

return M
