--- Changes of disks and instances: attach, detach, start, stop. None of these calls carries a
--- token, so each change looks first and does only what is not done yet, and looks again after a
--- call in doubt. Several changes of a kind are made together, with one listing for all.
--- Source: Elastic Compute Service, AttachDisk, DetachDisk, StartInstance, StopInstance.

local attachment = require "alicloud.dr.read.attachment"
local changes = require "alicloud.dr.change"
local tables = require "alicloud.base.tables"
local together = require "alicloud.dr.change.together"
local transitions = require "alicloud.dr.model.transition"

local M = {}

local DETACH = transitions.words("ecs", "DetachDisk", "fence", "detaching of the disk")
local ATTACH = transitions.words("ecs", "AttachDisk", "serve", "attaching of the disk")
local STOP = transitions.words("ecs", "StopInstance", "fence", "stopping of the instance")
local START = transitions.words("ecs", "StartInstance", "serve", "start of the instance")

-- A disk in words: its instances by id, and its status.
local function describe_disk(seen)
  local ids = {}
  for i, host in ipairs(seen.hosts) do ids[i] = host.id end
  local place = #ids > 0 and " on " .. table.concat(ids, " and ") or ""
  return ("%s%s (%s)"):format(seen.id, place, seen.status or "not listed")
end

-- Makes a function that reads disks by id; disks that the region does not list are left out.
local function disks_reader(group, region)
  return function(ids, options)
    local wanted, found = {}, {}
    for i, id in ipairs(ids) do wanted[i] = { id = id } end
    local disks, err, meta = attachment.disks(group.client, region, wanted, options.deadline)
    if not disks then return nil, err end
    for _, disk in ipairs(disks) do
      disk.read_at = meta and meta.server_time
      if disk.status then found[disk.id] = disk end
    end
    return found
  end
end

local function instances_reader(group, region)
  return function(ids)
    local list, err = attachment.instances(group.client, region, ids)
    if not list then return nil, err end
    local found = {}
    for id, record in pairs(list) do
      found[id] = record.status and { id = id, status = record.status, name = record.name,
        zone = record.zone }
    end
    return found
  end
end

-- Makes a function that reads one object; if it is not listed, only its id is known.
local function one_of(read, id)
  return function(options)
    local found, err = read({ id }, options)
    if not found then return nil, err end
    return found[id] or { id = id }
  end
end

local function disk_reader(group, region, id)
  local read = one_of(disks_reader(group, region), id)
  return function(options)
    local disk, err = read(options)
    if disk then disk.hosts = disk.hosts or {} end
    return disk, err
  end
end

local function instance_reader(group, region, id)
  return one_of(instances_reader(group, region), id)
end

local function describe_instance(seen)
  return ("%s is %s"):format(seen.id, seen.status or "not listed")
end

-- Whether two looks show the same status and, of a disk, the same instances.
local function is_same(earlier, later)
  local same = earlier.status == later.status
  return same and (not earlier.hosts or describe_disk(earlier) == describe_disk(later))
end

-- The phase by a status: "completed" if wanted, "in_progress" if moving, "not_started" if as
-- before, else "conflict".
local function judge_status(seen, wanted, moving, before, words_of)
  local text = words_of(seen)
  if seen.status == nil then return "unknown", text end
  if seen.status == wanted then return "completed", text end
  if moving[seen.status] then return "in_progress", text end
  return seen.status == before and "not_started" or "conflict", text
end

-- Whether somebody has attached the disk to an instance that it was not on.
local function is_taken(seen, before)
  for _, host in ipairs(seen.hosts) do
    if not before[host.id] then return true end
  end
  return false
end

local function judge_detach(intent, seen)
  if is_taken(seen, intent.before) then return "conflict", describe_disk(seen) end
  -- A disk that is being attached can be detached once it is attached.
  if seen.status == "Attaching" then return "unknown", describe_disk(seen) end
  -- Detached from this instance; it may still be attached to others.
  local left = seen.status == "In_use" and #seen.hosts > 0
  if left and not attachment.is_on(seen, intent.instance) then
    return "completed", describe_disk(seen)
  end
  return judge_status(seen, "Available", attachment.FREE_SOON, "In_use", describe_disk)
end

local function judge_attach(intent, seen)
  if #seen.hosts > 0 and not attachment.is_on(seen, intent.instance) then
    return "conflict", describe_disk(seen)
  end
  -- A disk that is being detached or made can be attached once it is free.
  if attachment.FREE_SOON[seen.status] then return "unknown", describe_disk(seen) end
  return judge_status(seen, "In_use", { Attaching = true }, "Available", describe_disk)
end

local function judge_stop(_, seen)
  return judge_status(seen, "Stopped", { Stopping = true }, "Running", describe_instance)
end

local function judge_start(_, seen)
  return judge_status(seen, "Running", { Starting = true, Pending = true }, "Stopped",
    describe_instance)
end

local function target_of(words, region, target)
  target.words, target.regions, target.takes_region = words, { region }, false
  target.unjournaled, target.same = true, is_same
  return target
end

local function detaching(group, region, disk, instance)
  local before = {}
  for _, host in ipairs(disk.hosts) do before[host.id] = true end
  return target_of(DETACH, region, {
    id = disk.id, params = { InstanceId = instance, DiskId = disk.id }, judge = judge_detach,
    intent = { instance = instance, before = before },
    read = disk_reader(group, region, disk.id),
    describe = describe_disk, under_way = attachment.FREE_SOON[disk.status],
  })
end

local function attaching(group, region, disk, instance, device)
  return target_of(ATTACH, region, {
    id = disk.id, params = { InstanceId = instance, DiskId = disk.id, Device = device },
    judge = judge_attach, intent = { instance = instance },
    read = disk_reader(group, region, disk.id),
    describe = describe_disk, under_way = disk.status == "Attaching",
  })
end

local function stopping(group, region, instance, force)
  return target_of(STOP, region, {
    id = instance.id, params = { InstanceId = instance.id, ForceStop = force or nil },
    judge = judge_stop, intent = {}, read = instance_reader(group, region, instance.id),
    describe = describe_instance, under_way = instance.status == "Stopping",
  })
end

local ON_ITS_WAY_UP = { Starting = true, Pending = true }

local function starting(group, region, instance)
  return target_of(START, region, {
    id = instance.id, params = { InstanceId = instance.id }, judge = judge_start, intent = {},
    read = instance_reader(group, region, instance.id), describe = describe_instance,
    under_way = ON_ITS_WAY_UP[instance.status],
  })
end

local function apply(group, options, target)
  local change = changes.new(group, target.words, options)
  local seen, err
  if target.under_way then
    seen, err = change:join(target)
  else
    seen, err = change:apply(target)
  end
  return seen, err, change
end

--- Detaches a disk from an instance and waits until it is.
---@param group alicloud.dr.Group
---@param options alicloud.dr.CheckedOptions
---@param region string
---@param disk alicloud.dr.DiskUse as read, attached or detaching
---@param instance string
---@return table|nil seen
---@return alicloud.Error? err
---@return alicloud.dr.Change change
function M.detach(group, options, region, disk, instance)
  return apply(group, options, detaching(group, region, disk, instance))
end

local function apply_all(whole, targets, read, may_be_made)
  local made = {}
  local result, err = together.apply(targets, function(target, put_off)
    if may_be_made and not may_be_made(target, put_off) then return nil end
    made[#made + 1] = changes.new(whole.group, target.words, whole.options)
    return made[#made]
  end, read)
  for _, change in ipairs(made) do whole:add_attempts_of(change) end
  return result, err
end

local function change_instances(whole, region, instances, make)
  local targets, done = {}, {}
  for i, instance in ipairs(instances) do targets[i] = make(instance) end
  local result, err = apply_all(whole, targets, instances_reader(whole.group, region))
  for _, instance in ipairs(instances) do
    if result.done[instance.id] then done[#done + 1] = instance.id end
  end
  return done, err, result.done
end

--- Stops instances and waits until all are stopped.
---@param whole alicloud.dr.Change the change that these are parts of
---@param region string
---@param instances { id: string, status: string }[]
---@param force boolean cut the power
---@return string[] done ids of the stopped instances
---@return alicloud.Error? err
---@return table<string, table> seen looks that showed instances stopped, by id
function M.stop_all(whole, region, instances, force)
  return change_instances(whole, region, instances, function(instance)
    return stopping(whole.group, region, instance, force)
  end)
end

--- Starts the instances of a plan and waits until all run.
---@param whole alicloud.dr.Change the change that these are parts of
---@param plan { region: string, start: { id: string, status: string }[] }
---@param result { started: string[] } gets the ids of those that were started
---@return true|nil
---@return alicloud.Error? err
function M.start_all(whole, plan, result)
  local started, err = change_instances(whole, plan.region, plan.start, function(instance)
    return starting(whole.group, plan.region, instance)
  end)
  table.move(started, 1, #started, #result.started + 1, result.started)
  if err then return nil, err end
  return true
end

---@class alicloud.dr.DiskJob
---@field disk alicloud.dr.DiskUse as read
---@field instance string|nil nil: only wait until the disk is free, e.g. for a detach under way
---@field device string? device name to attach it under; nil: the service chooses one

-- The jobs that can be done at the same time: one for each disk, and one for each instance if
-- `alone_on_instance`, in their order.
local function next_wave(jobs, alone_on_instance)
  local wave, taken = {}, {}
  for _, job in ipairs(jobs) do
    local instance = alone_on_instance and job.instance or job
    if not (taken[job.disk.id] or taken[instance]) then wave[#wave + 1] = job end
    taken[job.disk.id], taken[instance] = true, true
  end
  return wave
end

-- The jobs that are left after a wave, in the same order; those done are added to `done`.
local function left_of(jobs, wave, seen, done)
  local in_wave, left = {}, {}
  for _, job in ipairs(wave) do in_wave[job] = true end
  for _, job in ipairs(jobs) do
    local is_done = in_wave[job] and seen[job.disk.id]
    local list = is_done and done or left
    list[#list + 1] = job
  end
  return left
end

local function change_disks(whole, region, jobs, given)
  local latest, done = {}, {}
  while #jobs > 0 do
    local wave, targets = next_wave(jobs, given.alone_on_instance), {}
    for i, job in ipairs(wave) do
      targets[i] = given.target(job, latest[job.disk.id] or job.disk)
    end
    local result, err = apply_all(whole, targets, disks_reader(whole.group, region),
      given.limit and given.limit())
    jobs = left_of(jobs, wave, result.done, done)
    for id, seen in pairs(result.done) do latest[id] = seen end
    if err then return done, err, latest end
  end
  return done, nil, latest
end

-- How many disks of one instance the service detaches at a time is limited, but not documented.
local TOO_MANY = { DisksDetachingOnEcsExceeded = true }

-- After one such refusal the other disks of the instance wait until those under way are done.
local function limit_of_instances()
  local last = {}
  return function(target, put_off)
    local instance = target.params.InstanceId
    if not instance then return true end
    local before = last[instance]
    last[instance] = target.id
    target.put_off = before and TOO_MANY
    return not (before and put_off[before])
  end
end

--- Detaches disks from instances and waits until all are detached.
---@param whole alicloud.dr.Change the change that these are parts of
---@param region string
---@param jobs alicloud.dr.DiskJob[] one for each disk and instance
---@return alicloud.dr.DiskJob[] done
---@return alicloud.Error? err
---@return table<string, alicloud.dr.DiskUse> seen latest looks at the detached disks, by id
function M.detach_all(whole, region, jobs)
  return change_disks(whole, region, jobs, { limit = limit_of_instances,
    target = function(job, disk)
      return detaching(whole.group, region, disk, job.instance)
    end })
end

-- Whether a job has no device name. Then the service chooses one by the disks attached before, so
-- the disks of an instance are attached one after the other.
local function has_nameless(jobs)
  for _, job in ipairs(jobs) do
    if not job.device then return true end
  end
  return false
end

--- Attaches the disks of a plan to instances and waits until all are attached.
---@param whole alicloud.dr.Change the change that these are parts of
---@param plan { region: string, attach: alicloud.dr.DiskJob[] }
---@param result { attached: string[] } gets the ids of those that were attached
---@return true|nil
---@return alicloud.Error? err
function M.attach_all(whole, plan, result)
  local done, err = change_disks(whole, plan.region, plan.attach, {
    alone_on_instance = has_nameless(plan.attach), target = function(job, disk)
      return attaching(whole.group, plan.region, disk, job.instance, job.device)
    end })
  for _, job in ipairs(done) do result.attached[#result.attached + 1] = job.disk.id end
  if err then return nil, err end
  return true
end

--- Jobs that detach a disk from all of its instances. A disk that is attached to none, but not free
--- yet, gets a job that waits.
---@param disk alicloud.dr.DiskUse
---@return alicloud.dr.DiskJob[]
function M.jobs_to_free(disk)
  local jobs = {}
  for i, host in ipairs(disk.hosts) do jobs[i] = { disk = disk, instance = host.id } end
  if #jobs == 0 and attachment.FREE_SOON[disk.status] then jobs[1] = { disk = disk } end
  return jobs
end

-- Whether a part of the plan has been done already by this change.
local function has_done(plan, result)
  local attached, started = tables.set(result.attached), tables.set(result.started)
  for _, job in ipairs(plan.attach) do
    if attached[job.disk.id] then return true end
  end
  for _, instance in ipairs(plan.start) do
    if started[instance.id] then return true end
  end
  return false
end

-- Seconds for which a look after our own change may be stale.
local LAG = 60

--- The problem after the last look at a side, if its plan still has something to do. If this change
--- has done that part, the look may be stale, and waiting helps. If not, the first look was wrong
--- to show it as done, and the change is marked as misled.
---@param change alicloud.dr.Change
---@param plan { attach: alicloud.dr.DiskJob[], start: { id: string }[] }
---@param result { attached: string[], started: string[] } what was done
---@param code string
---@return table|nil problem
function M.undone(change, plan, result, code)
  if #plan.attach + #plan.start == 0 then return nil end
  change.misled = not has_done(plan, result)
  return { kind = "state", code = code, passes = not change.misled and LAG or nil,
    message = "after attaching and starting, disks or instances are no longer so" }
end

return M
