--- Attaches the disks of the open site to the instances that take over after a failover, and starts
--- those instances. It reads everything before the first call, and does only what is not done yet.
--- After a failover these are the secondary disks; after a reversal, the disks of the source.

local attachment = require "alicloud.dr.read.attachment"
local changes = require "alicloud.dr.change"
local compute = require "alicloud.dr.actions.compute"
local direction = require "alicloud.dr.model.direction"
local failures = require "alicloud.dr.change.failures"
local group_reads = require "alicloud.dr.read.groups"
local part_set = require "alicloud.dr.model.part_set"
local replication_change = require "alicloud.dr.actions.replication_change"
local schema = require "alicloud.base.schema"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"
local transitions = require "alicloud.dr.model.transition"

local M = {}

---@class alicloud.dr.ServeOptions: alicloud.dr.WaitOptions
---@field attach string|table<string, string> one instance for all disks, or the instance of each by
---the id of its disk
---@field start? boolean start the instances (true)
---@field force? alicloud.dr.Force[] Client.PairSetIncomplete: serve the disks of the pairs that are
---listed, though there may be more; other codes are for a failover
---@field confirm? fun(plan: alicloud.dr.ServePlan): boolean
---@field timeout? number|string for each attach and each start (10m)

---@class alicloud.dr.ServePlan
---@field region string
---@field attach { disk: alicloud.dr.DiskUse, instance: string, from: alicloud.dr.DiskHost[] }[]
---from: stopped instances from which the disk is detached first
---@field start { id: string, status: string }[]

---@class alicloud.dr.ServeResult
---@field outcome "serving"|"already_serving"
---@field group_id string
---@field region string
---@field attached string[] disks that were attached by this
---@field started string[] instances that were started by this
---@field unmapped string[] secondary disks for which no instance was given
---@field data_ready_at number? unix seconds by the server's clock, of the last look
---@field old_side_fenced boolean|nil nil: not known
---@field old_side alicloud.dr.SideUse the disks of the other side, as seen at the end
---@field unseen string? as of a failover: there may be disks that were not served
---@field unproven string? how the other site contradicts what was seen here, in words
---@field elapsed number seconds
---@field request_ids string[]

local WORDS = transitions.words("ecs", "DescribeDisks", "serve", "attaching")

local function secondary_disks(snapshot)
  local set, list = {}, {}
  for _, pair in ipairs(snapshot.pairs) do
    if pair.destination_disk then
      set[pair.destination_disk], list[#list + 1] = pair.id, pair.destination_disk
    end
  end
  table.sort(list)
  return set, list
end

local function mapping_of(given, list)
  if type(given) == "table" then return given end
  local mapping = {}
  for _, disk in ipairs(list) do mapping[disk] = given end
  return mapping
end

local function unknown_disk(mapping, set, snapshot)
  for disk in pairs(mapping) do
    if not set[disk] then
      return { code = "InvalidDiskId.NotFound",
        message = ("attach: %s is no secondary disk of %s%s"):format(schema.show(disk),
          snapshot.group_id, schema.did_you_mean(disk, set)) }
    end
  end
  return nil
end

-- Forbids the service at the source of the group if it may run at the destination, or if the other
-- region does not answer: this site may not know yet that the other one was opened.
local function problem_beside(change, found)
  local there = attachment.of_side_at_once(change.group.client, found.here, "to")
  local why = found.far and not found.there and found.far .. " does not answer"
    or not there.known and there.why
  if why then
    return { kind = "state", code = "Client.OldSideUnknown", retryable = true, side = there,
      message = "the service may run at the other side: " .. why,
      hint = "wait until that side answers, so that two sides never write" }
  end
  local names, passes = attachment.in_use(there, "stopped")
  return names and { kind = "state", code = "Client.OldSideInUse", side = there, passes = passes,
    message = "the other side is in use: " .. names,
    hint = "stop what runs there, so that two sides never write" } or nil
end

-- Seconds for which a list may lack an object that exists, or be stale.
local BRIEFLY = 20

local function not_open(snapshot)
  return { kind = "state", code = "OperationDenied.InvalidStatus",
    passes = states.TRANSITIONAL[snapshot.status] or BRIEFLY,
    message = ("the disks of %s are not open in %s: %s"):format(snapshot.group_id,
      snapshot.side or snapshot.region, snapshots.state(snapshot)),
    hint = ("serve it where it is copied from, %s; to serve it here, fail it over first: "
      .. "group:failover"):format(direction.name(snapshot, snapshot.from)) }
end

local function problem_of_group(change, found)
  local snapshot = found.here
  local problem, unproven = replication_change.problem_once_open(found)
  problem = problem or direction.problem(snapshot)
  if problem or snapshots.is_failovered(snapshot) then return problem, unproven end
  if direction.standing(snapshot) == "source" then return problem_beside(change, found) end
  return not_open(snapshot), unproven
end

local AT_ONCE, LOOK_SECONDS = { seconds = 0 }, 10

local function look_once_more(group)
  local client = group.client:outlasting(AT_ONCE)
  local seen = group_reads.read(client, group.id, group.region, { deadline = LOOK_SECONDS })
  return seen and direction.towards(seen, group.to)
end

-- Looks whether somebody has cancelled the failover while disks are attached here: replication
-- would overwrite them. A look that fails holds nothing up, since the group was seen open before.
local function problem_meanwhile(change)
  local _, problem = change:until_passed(function()
    local seen = look_once_more(change.group)
    if not seen or seen.role ~= "secondary" or seen.status == "failovered" then return nil end
    change:emit { event = "looked", snapshot = seen }
    return seen, not_open(seen)
  end)
  return problem
end

local USABLE = { In_use = true, Available = true, Attaching = true }

-- Whether a disk is attached to nothing but stopped instances: then it may be moved to another one.
local function lies_idle(disk)
  for _, host in ipairs(disk.hosts) do
    if host.status ~= "Stopped" then return false end
  end
  return disk.status == "In_use" and #disk.hosts > 0
end

-- Code, words, and whether (or for how many seconds) the problem may pass. The compute service
-- shows the opened disks only some time after the failover.
local function problem_of_disk(disk, wanted, host)
  if not disk.status then
    return "InvalidDiskId.NotFound", ("disk %s is not listed"):format(disk.id), true
  end
  if not USABLE[disk.status] then
    return "IncorrectDiskStatus", attachment.describe(disk), attachment.PASSING[disk.status]
  end
  local elsewhere = #disk.hosts > 0 or disk.status == "In_use"
  if elsewhere and not attachment.is_on(disk, wanted) and not lies_idle(disk) then
    return "InvalidDisk.InUse", ("%s, not on %s"):format(attachment.describe(disk), wanted)
  end
  if not host then
    return "InvalidInstanceId.NotFound", ("instance %s is not listed"):format(wanted), BRIEFLY
  end
  if host.zone and disk.zone and host.zone ~= disk.zone then
    return "ResourcesNotInSameZone", ("disk %s is in %s, instance %s in %s"):format(disk.id,
      disk.zone, wanted, host.zone)
  end
  return nil
end

local STARTABLE = { Running = true, Stopped = true, Starting = true, Pending = true }

local function problem_of_host(id, host, start)
  if not start or STARTABLE[host.status] then return nil end
  return { kind = "state", code = "IncorrectInstanceStatus", retryable = true,
    passes = host.status == "Stopping",
    message = ("%s is %s; it can be started once it is Stopped"):format(id, tostring(host.status)) }
end

local function plan_of(disks, mapping, hosts, start)
  local plan, starting = { attach = {}, start = {} }, {}
  for _, disk in ipairs(disks) do
    local id = mapping[disk.id]
    local code, message, passes = problem_of_disk(disk, id, hosts[id])
    if code then
      return nil, { kind = "state", code = code, message = message, passes = passes }
    end
    local problem = problem_of_host(id, hosts[id], start)
    if problem then return nil, problem end
    local is_moved = disk.status == "In_use" and not attachment.is_on(disk, id)
    if disk.status ~= "In_use" or is_moved then
      plan.attach[#plan.attach + 1] = { disk = disk, instance = id,
        from = is_moved and disk.hosts or {} }
    end
    if start and hosts[id].status ~= "Running" and not starting[id] then
      starting[id] = true
      plan.start[#plan.start + 1] = { id = id, status = hosts[id].status }
    end
  end
  return plan
end

local function read_new_side(change, snapshot, mapping)
  local wanted, ids, seen = {}, {}, {}
  for disk, instance in pairs(mapping) do
    wanted[#wanted + 1] = { id = disk }
    if not seen[instance] then seen[instance], ids[#ids + 1] = true, instance end
  end
  table.sort(wanted, function(a, b) return a.id < b.id end)
  table.sort(ids)
  local side = attachment.read(change.group.client, snapshot.to.region, wanted)
  if side.err then return nil, side.err end
  local hosts, err = attachment.instances(change.group.client, snapshot.to.region, ids)
  if not hosts then return nil, err end
  return side, hosts
end

-- Detaches the disks that are attached to other, stopped instances.
local function free(change, plan)
  local jobs = {}
  for _, job in ipairs(plan.attach) do
    for _, host in ipairs(job.from) do
      jobs[#jobs + 1] = { disk = job.disk, instance = host.id }
    end
  end
  local _, err, seen = compute.detach_all(change, plan.region, jobs)
  if err then return nil, err end
  for _, job in ipairs(plan.attach) do job.disk = seen[job.disk.id] or job.disk end
  return true
end

local function is_idle(result)
  return #result.attached + #result.started == 0
end

-- Whether the group still is open here.
local function is_open_still(change, result)
  local problem = problem_meanwhile(change)
  if not problem then return true end
  if not is_idle(result) then
    problem.outcome = "accepted"
    problem.message = problem.message .. "; others have changed that while disks were attached here"
    problem.hint = "stop what runs here and detach the disks, then " .. problem.hint
  end
  return failures.forbidden(change, problem)
end

local function attach_all(change, plan, result)
  local ok, fault = free(change, plan)
  if not ok then return nil, fault end
  return compute.attach_all(change, plan, result)
end

local function carry_out(change, plan, result)
  local ok, err = attach_all(change, plan, result)
  if ok and #plan.attach > 0 and #plan.start > 0 then ok, err = is_open_still(change, result) end
  if not ok then return nil, err end
  return compute.start_all(change, plan, result)
end

-- The plan for the new side, once no problem is left that passes by itself.
local function look_at_side(change, snapshot, mapping, problem_of_plan)
  local err
  local found, obstacle = change:until_passed(function()
    local side, hosts = read_new_side(change, snapshot, mapping)
    if not side then
      err = hosts
      return nil
    end
    local plan, problem = plan_of(side.disks, mapping, hosts, change.options.start ~= false)
    if plan then plan.read_at = side.read_at end
    return plan, problem or problem_of_plan and problem_of_plan(plan)
  end)
  return found, obstacle, err
end

local function finish(change, snapshot, mapping, result)
  local plan, problem, err = look_at_side(change, snapshot, mapping, function(plan)
    return compute.undone(change, plan, result, "Client.ServeUndone")
  end)
  if err then
    err.done_so_far = result
    return nil, err
  end
  if problem then
    problem.outcome, problem.done_so_far = "accepted", result
    return failures.forbidden(change, problem)
  end
  local open, closed = true, nil
  if not is_idle(result) then open, closed = is_open_still(change, result) end
  if not open then
    closed.done_so_far = result
    return nil, closed
  end
  result.data_ready_at, result.elapsed = plan.read_at, change:elapsed()
  result.old_side = attachment.of_side_at_once(change.group.client, snapshot, "from")
  if result.old_side.known then
    result.old_side_fenced = attachment.in_use(result.old_side, "stopped") == nil
  end
  change:emit { event = "done", result = result, snapshot = snapshot }
  return result
end

-- The group, once no problem is left that passes by itself: a look may be from before the failover.
local function look_at_group(change)
  local err, unproven, unseen
  local found, problem = change:until_passed(function()
    local seen, obstacle
    seen, err = replication_change.look(change, change.options.force)
    if not seen then return nil end
    unseen = part_set.overruled(seen.here, change.options.force) and part_set.unseen(seen.here)
    if unseen then seen.here = part_set.as_listed(seen.here) end
    obstacle, unproven = problem_of_group(change, seen)
    return seen, obstacle
  end)
  if not found then return nil, err end
  if problem and problem.code == part_set.CODE then problem.forcible = { problem.code } end
  if problem then return failures.forbidden(change, problem) end
  return found, unproven, unseen
end

local function prepare(change)
  local found, unproven, unseen = look_at_group(change)
  if not found then return nil, unproven end
  local snapshot = found.here.role == "primary" and direction.turned(found.here) or found.here
  local set, list = secondary_disks(snapshot)
  local mapping = mapping_of(change.options.attach, list)
  local problem = unknown_disk(mapping, set, snapshot)
  if problem then return failures.forbidden(change, problem) end
  local unmapped = {}
  for _, disk in ipairs(list) do
    if not mapping[disk] then unmapped[#unmapped + 1] = disk end
  end
  return snapshot, mapping, { unmapped = unmapped, unproven = unproven, unseen = unseen }
end

local function decide(change, snapshot, mapping)
  local plan, problem, err = look_at_side(change, snapshot, mapping)
  if err then return failures.unreadable(change, err) end
  if problem then return failures.forbidden(change, problem) end
  plan.region = snapshot.to.region
  local confirm = change.options.confirm
  if not confirm then return plan end
  if not confirm(plan) then return failures.not_confirmed(change) end
  local closed = problem_meanwhile(change)
  if closed then return failures.forbidden(change, closed) end
  return plan
end

local function serve(change, before)
  local snapshot, mapping, facts = prepare(change)
  if not snapshot then return nil, mapping --[[@as alicloud.Error]] end
  local plan, err = decide(change, snapshot, mapping)
  if not plan then return nil, err end
  local idle = #plan.attach + #plan.start == 0
  local result = { outcome = idle and "already_serving" or "serving", group_id = change.group.id,
    region = plan.region, attached = before.attached or {}, started = before.started or {},
    unmapped = facts.unmapped, unproven = facts.unproven, unseen = facts.unseen,
    request_ids = change.request_ids }
  local ok
  ok, err = carry_out(change, plan, result)
  if not ok then
    err.done_so_far = result
    return nil, err
  end
  return finish(change, snapshot, mapping, result)
end

--- Attaches the secondary disks and starts the instances.
---@param group alicloud.dr.Group
---@param options table durations in seconds, defaults filled in
---@return alicloud.dr.ServeResult|nil
---@return alicloud.Error? err `done_so_far` says what was done before it failed
function M.run(group, options)
  local change = changes.new(group, WORDS, options)
  local result, err = serve(change, {})
  if not result and change.misled then return serve(change, err.done_so_far) end
  return result, err
end

return M
