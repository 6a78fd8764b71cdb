--- The ECS calls (2014-05-26) that surround a failover: disks go from the old instance to the new.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"
local find = require "alicloud.emulator.operations.find"
local paging = require "alicloud.emulator.gateway.paging"
local state = require "alicloud.emulator.model.state"

local M = {}

local refuse = errors.refuse

-- Statuses of a pair in which its secondary disk can be attached, by the switch attach_secondary.
-- "idle" are those in which nothing is copied onto it.
local ATTACHABLE = {
  idle = state.set("created", "create_failed", "stopped", "failovered", "invalid"),
  failovered = state.set("failovered"),
}
local DISK_LIMIT = 64

local function find_both(emu, params)
  local instance = emu.world.instance_by_id[params.InstanceId]
  if not instance then return nil, nil, refuse("InvalidInstanceId.NotFound") end
  local disk = emu.world.disk_by_id[params.DiskId]
  if not disk then return nil, nil, refuse("InvalidDiskId.NotFound") end
  return instance, disk
end

local function is_replicated_onto(emu, disk)
  local attachable = ATTACHABLE[emu.settings.attach_secondary]
  for _, pair in ipairs(attachable and emu.world.pairs or {}) do
    if pair.destination_disk == disk.id and not attachable[pair.status] then return true end
  end
  return false
end

local function instances_of(disk)
  return disk.instance and { disk.instance, table.unpack(disk.more_instances or {}) } or {}
end

local function is_attached(disk, instance)
  for _, id in ipairs(instances_of(disk)) do
    if id == instance then return true end
  end
  return false
end

local function attached_count(world, instance)
  local count = 0
  for _, disk in ipairs(world.disks) do
    if is_attached(disk, instance.id) then count = count + 1 end
  end
  return count
end

local function check_instance(instance, disk)
  if instance.locked then return refuse("InstanceLockedForSecurity") end
  local stopped = instance.status == "Stopped"
  if stopped or instance.status == "Running" and disk.type == "data" then return nil end
  return refuse("IncorrectInstanceStatus")
end

local function note(emu, params, context, instance, disk)
  find.record_effect(emu, params, context, { instance = instance.id, disk = disk and disk.id,
    status = disk and disk.status or instance.status })
end

-- Names of data disks: /dev/xvdb to /dev/xvdz, then /dev/xvdaa and so on.
local function device_name(n)
  local last = string.char(97 + n % 26)
  return "/dev/xvd" .. (n < 26 and last or string.char(96 + n // 26) .. last)
end

local function free_device(world, instance)
  local taken, n = {}, 1
  for _, disk in ipairs(world.disks) do
    if disk.instance == instance.id then taken[disk.device or ""] = true end
  end
  while taken[device_name(n)] do n = n + 1 end
  return device_name(n)
end

M.attach = {
  check = function(emu, params)
    local instance, disk, refusal = find_both(emu, params)
    if not instance then return refusal end
    if disk.instance then return refuse("InvalidDisk.InUse") end
    if disk.status ~= "Available" then return refuse("IncorrectDiskStatus") end
    if disk.place.zone ~= instance.place.zone then return refuse("ResourcesNotInSameZone") end
    if is_replicated_onto(emu, disk) then return refuse("DiskError") end
    refusal = check_instance(instance, disk)
    if not refusal and attached_count(emu.world, instance) >= DISK_LIMIT then
      refusal = refuse("InstanceDiskLimitExceeded")
    end
    return refusal, { instance, disk }
  end,
  act = function(emu, params, context, both)
    local instance, disk = both[1], both[2]
    note(emu, params, context, instance, disk)
    disk.status, disk.instance = "Attaching", instance.id
    disk.device = params.Device or free_device(emu.world, instance)
    emu.world:schedule_act(disk, context.now + emu.world.timings.attach, "attached")
    return {}
  end,
}

state.acts.attached = function(_, disk) disk.status = "In_use" end

-- Detaches a disk from one of several instances; its status stays In_use.
local function take_away(disk, instance)
  local left = {}
  for _, id in ipairs(instances_of(disk)) do
    if id ~= instance then left[#left + 1] = id end
  end
  disk.instance = left[1]
  disk.more_instances = #left > 1 and { table.unpack(left, 2) } or nil
end

M.detach = {
  check = function(emu, params)
    local instance, disk, refusal = find_both(emu, params)
    if not instance then return refusal end
    if not disk.instance then return refuse("InvalidDisk.AlreadyDetached") end
    if not is_attached(disk, instance.id) then return refuse("DependencyViolation") end
    if disk.status ~= "In_use" then return refuse("IncorrectDiskStatus") end
    if instance.status ~= "Running" and instance.status ~= "Stopped" then
      return refuse("IncorrectInstanceStatus")
    end
    return nil, { instance, disk }
  end,
  act = function(emu, params, context, both)
    local instance, disk = both[1], both[2]
    note(emu, params, context, instance, disk)
    if disk.more_instances then
      take_away(disk, instance.id)
      return {}
    end
    disk.status = "Detaching"
    emu.world:schedule_act(disk, context.now + emu.world.timings.detach, "detached")
    return {}
  end,
}

state.acts.detached = function(_, disk)
  disk.status, disk.instance, disk.device = "Available", nil, nil
end
state.acts.running = function(_, instance) instance.status = "Running" end
state.acts.halted = function(_, instance) instance.status = "Stopped" end

local function power(from, through, timing, act)
  return {
    check = function(emu, params)
      local instance = emu.world.instance_by_id[params.InstanceId]
      if not instance then return refuse("InvalidInstanceId.NotFound") end
      if instance.locked then return refuse("InstanceLockedForSecurity") end
      if instance.status ~= from then return refuse("IncorrectInstanceStatus") end
      if from == "Stopped" and instance.no_stock then return refuse("OperationDenied.NoStock") end
      local dry, refusal = find.boolean(params, "DryRun", false)
      if dry == nil then return refusal end
      -- A dry run that would succeed is answered with an error.
      return dry and refuse("DryRunOperation") or nil, instance
    end,
    act = function(emu, params, context, instance)
      note(emu, params, context, instance)
      instance.status = through
      emu.world:schedule_act(instance, context.now + emu.world.timings[timing], act)
      return {}
    end,
  }
end

M.start = power("Stopped", "Starting", "start_instance", "running")
M.stop = power("Running", "Stopping", "stop_instance", "halted")

local function ids_of(params, name)
  local text = params[name]
  if not text or text == "" then return nil end
  local list = core.decode(text)
  if type(list) ~= "table" or #list > 100 then
    return nil, errors.invalid(name, "it must be a JSON array of at most 100 ids")
  end
  local ids = {}
  for _, id in ipairs(list) do ids[id] = true end
  return ids
end

local function select_records(emu, params, list, ids)
  local found = {}
  for _, record in ipairs(list) do
    local wanted = record.place.region == params.RegionId and (not ids or ids[record.id])
      and (not params.ZoneId or params.ZoneId == record.place.zone)
      and (not params.Status or params.Status == "All" or params.Status == record.status)
    if wanted and not emu.settings.empty_list then found[#found + 1] = record end
  end
  return found
end

-- The switch `short_list` does not shorten the lists of ECS.
local function answer(emu, params, found, outer, inner, show)
  local page, refusal = paging.read(params, emu.settings)
  if not page then return nil, refusal end
  local list, about = paging.cut(found, page,
    { short_list = 0, last_token = emu.settings.last_token })
  local items = core.array {}
  for i, record in ipairs(list) do items[i] = show(record) end
  about[outer] = { [inner] = items }
  return about
end

local function attachments(ids)
  local list = core.array {}
  for i, id in ipairs(ids) do list[i] = { InstanceId = id } end
  return { Attachment = list }
end

-- A single instance is in InstanceId; several are in Attachments only.
local function show_disk(disk)
  local ids = instances_of(disk)
  return { DiskId = disk.id, DiskName = disk.name, RegionId = disk.place.region,
    ZoneId = disk.place.zone, Status = disk.status, InstanceId = #ids == 1 and ids[1] or "",
    Device = #ids == 1 and disk.device or "",
    Attachments = #ids > 1 and attachments(ids) or nil,
    Size = disk.size, Category = disk.category, PerformanceLevel = disk.performance_level,
    Type = disk.type, Encrypted = disk.encrypted }
end

M.describe_disks = { run = function(emu, params)
  local ids, refusal = ids_of(params, "DiskIds")
  if refusal then return nil, refusal end
  local found = {}
  for _, disk in ipairs(select_records(emu, params, emu.world.disks, ids)) do
    local wanted = not params.InstanceId or is_attached(disk, params.InstanceId)
    if wanted then found[#found + 1] = disk end
  end
  return answer(emu, params, found, "Disks", "Disk", show_disk)
end }

local function locks_of(instance)
  return { LockReason = core.array(instance.locked and { { LockReason = "security" } } or {}) }
end

M.describe_instances = { run = function(emu, params)
  local ids, refusal = ids_of(params, "InstanceIds")
  if refusal then return nil, refusal end
  local found = select_records(emu, params, emu.world.instances, ids)
  return answer(emu, params, found, "Instances", "Instance", function(instance)
    return { InstanceId = instance.id, InstanceName = instance.name, Status = instance.status,
      RegionId = instance.place.region, ZoneId = instance.place.zone,
      OperationLocks = locks_of(instance) }
  end)
end }

return M
