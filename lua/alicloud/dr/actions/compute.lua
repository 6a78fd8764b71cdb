--- Changes of disks and instances: attach, detach, start, stop. None of these calls carries a
--- token, so what is wanted is looked at first, and an answer in doubt is followed by looking: what
--- is so already is done.
--- Source: Elastic Compute Service, AttachDisk, DetachDisk, StartInstance, StopInstance.

local attachment = require "alicloud.dr.read.attachment"
local changes = require "alicloud.dr.change"
local transitions = require "alicloud.dr.model.transition"

local M = {}

local DETACH = transitions.words("ecs", "DetachDisk", "fence", "detaching of the disk")
local ATTACH = transitions.words("ecs", "AttachDisk", "serve", "attaching of the disk")
local STOP = transitions.words("ecs", "StopInstance", "fence", "stopping of the instance")
local START = transitions.words("ecs", "StartInstance", "serve", "start of the instance")

local function describe_disk(seen)
  return attachment.describe(seen)
end

local function disk_reader(group, region, id)
  return function(options)
    local side = attachment.read(group.client, region, { { id = id } }, options.deadline)
    if side.err then return nil, side.err end
    local disk = side.disks[1]
    disk.read_at = side.read_at
    return disk
  end
end

local function instance_reader(group, region, id)
  return function()
    local list, err = attachment.instances(group.client, region, { id })
    if not list then return nil, err end
    local found = list[id] or {}
    return { id = id, status = found.status, name = found.name, zone = found.zone }
  end
end

local function describe_instance(seen)
  return ("%s is %s"):format(seen.id, seen.status or "not listed")
end

-- Of a disk its instances are part of what is seen; an instance has none.
local function is_same(earlier, later)
  local same = earlier.status == later.status
  return same and (not earlier.hosts or describe_disk(earlier) == describe_disk(later))
end

-- Arrived at the wanted state, on the way to it, as it was, or somewhere else.
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
  if is_taken(seen, intent.before) then return "conflict", attachment.describe(seen) end
  -- It can be detached once it is attached.
  if seen.status == "Attaching" then return "unknown", attachment.describe(seen) end
  -- From this instance it is; others may have it still.
  local left = seen.status == "In_use" and #seen.hosts > 0
  if left and not attachment.is_on(seen, intent.instance) then
    return "completed", attachment.describe(seen)
  end
  return judge_status(seen, "Available", { Detaching = true }, "In_use", describe_disk)
end

local function judge_attach(intent, seen)
  if #seen.hosts > 0 and not attachment.is_on(seen, intent.instance) then
    return "conflict", attachment.describe(seen)
  end
  return judge_status(seen, "In_use", { Attaching = true }, "Available", describe_disk)
end

local function judge_stop(_, seen)
  return judge_status(seen, "Stopped", { Stopping = true }, "Running", describe_instance)
end

local function judge_start(_, seen)
  return judge_status(seen, "Running", { Starting = true, Pending = true }, "Stopped",
    describe_instance)
end

local function apply(group, options, words, region, target)
  target.regions, target.takes_region, target.unjournaled = { region }, false, true
  target.same = is_same
  local change = changes.new(group, words, options)
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
  local before = {}
  for _, host in ipairs(disk.hosts) do before[host.id] = true end
  return apply(group, options, DETACH, region, {
    params = { InstanceId = instance, DiskId = disk.id }, judge = judge_detach,
    intent = { instance = instance, before = before },
    read = disk_reader(group, region, disk.id),
    describe = describe_disk, under_way = disk.status == "Detaching",
  })
end

--- Attaches a disk to an instance and waits until it is.
---@param group alicloud.dr.Group
---@param options alicloud.dr.CheckedOptions
---@param region string
---@param disk alicloud.dr.DiskUse as read, free or attaching
---@param instance string
---@param device string? name that it had there; else the service gives one
---@return table|nil seen
---@return alicloud.Error? err
---@return alicloud.dr.Change change
function M.attach(group, options, region, disk, instance, device)
  return apply(group, options, ATTACH, region, {
    params = { InstanceId = instance, DiskId = disk.id, Device = device }, judge = judge_attach,
    intent = { instance = instance }, read = disk_reader(group, region, disk.id),
    describe = describe_disk, under_way = disk.status == "Attaching",
  })
end

--- Stops an instance and waits until it is stopped.
---@param group alicloud.dr.Group
---@param options alicloud.dr.CheckedOptions
---@param region string
---@param instance { id: string, status: string }
---@param force boolean cut the power
---@return table|nil seen
---@return alicloud.Error? err
---@return alicloud.dr.Change change
function M.stop(group, options, region, instance, force)
  return apply(group, options, STOP, region, {
    params = { InstanceId = instance.id, ForceStop = force or nil }, judge = judge_stop,
    intent = {}, read = instance_reader(group, region, instance.id),
    describe = describe_instance, under_way = instance.status == "Stopping",
  })
end

--- Starts an instance and waits until it runs.
---@param group alicloud.dr.Group
---@param options alicloud.dr.CheckedOptions
---@param region string
---@param instance { id: string, status: string }
---@return table|nil seen
---@return alicloud.Error? err
---@return alicloud.dr.Change change
function M.start(group, options, region, instance)
  return apply(group, options, START, region, {
    params = { InstanceId = instance.id }, judge = judge_start, intent = {},
    read = instance_reader(group, region, instance.id),
    describe = describe_instance,
    under_way = instance.status == "Starting" or instance.status == "Pending",
  })
end

return M
