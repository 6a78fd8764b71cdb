--- Deletes what a throwaway life has made, wherever it ended. It acts on the records that it sees,
--- not on the plan of the life, so it can be repeated; it reports what is left.

local errors = require "alicloud.base.error"
local labs = require "alicloud.conformance.lab"
local ownership = require "alicloud.conformance.ownership"
local shell = require "alicloud.base.shell"

local M = {}

M.mode = "normal"

M.cost = "minutes; everything that the run has made is stopped and deleted, its disks stay"

M.actions = {
  "ebs:DescribeDiskReplicaGroups", "ebs:DescribeDiskReplicaPairs", "ebs:StartDiskReplicaPair",
  "ebs:StopDiskReplicaPair", "ebs:DeleteDiskReplicaPair", "ebs:StartDiskReplicaGroup",
  "ebs:StopDiskReplicaGroup", "ebs:FailoverDiskReplicaGroup", "ebs:ReprotectDiskReplicaGroup",
  "ebs:DeleteDiskReplicaGroup", "ebs:RemoveDiskReplicaPair", "ecs:DescribeDisks",
  "ecs:DetachDisk",
}

local EVERY, LIMIT = 5, 3600
-- Rounds in which everything is refused and no record changes, before it gives up.
local PATIENCE = 24

---@class alicloud.conformance.Left something that is not deleted yet
---@field kind "group"|"pair"|"disk"
---@field id string
---@field status string
---@field reason string code of the last refusal; empty: none

local function call(life, action, params, region)
  local answer, err = life.probe:call(action, params, { region = region or params.RegionId })
  if answer then return nil end
  return err.code or errors.text_of(err)
end

-- Makes a call at the first region, and if it is refused there, at the other one. Returns the code
-- of the first refusal, or nil.
local function at_either(life, action, first, params)
  local other = first == life.source.region and life.destination.region or life.source.region
  local code
  for _, region in ipairs { first, other } do
    local own = { RegionId = region }
    for name, value in pairs(params) do own[name] = value end
    local refused = call(life, action, own)
    if not refused then return nil end
    code = code or refused
  end
  return code
end

local MOVING = { creating = true, stopping = true, failovering = true, reprotecting = true,
  deleting = true, deleted = true }
local RUNNING = { initial_syncing = true, manual_syncing = true, syncing = true, normal = true,
  stop_failed = true }
local TURNED = { failovered = true, reprotect_failed = true }

local function members(pairs_, id)
  local list = {}
  for pair_id, record in pairs(pairs_) do
    if record.ReplicaGroupId == id then list[#list + 1] = pair_id end
  end
  table.sort(list)
  return list
end

local function empty_group(life, group, list)
  local id, here = group.ReplicaGroupId, group.SourceRegionId
  local code
  for _, pair in ipairs(list) do
    code = at_either(life, "ebs:RemoveDiskReplicaPair", here,
      { ReplicaGroupId = id, ReplicaPairId = pair }) or code
  end
  -- If the service accepts a start, it brings the group and its pairs into one status.
  if code == "OperationDenied.PairGroupStatusConflict" then
    at_either(life, "ebs:StartDiskReplicaGroup", here, { ReplicaGroupId = id })
  end
  return code
end

local function undo_group(life, group, pairs_)
  local id, status = group.ReplicaGroupId, group.Status
  local here, there = group.SourceRegionId, group.DestinationRegionId
  if MOVING[status] then return nil end
  if RUNNING[status] then
    return at_either(life, "ebs:StopDiskReplicaGroup", here, { ReplicaGroupId = id })
  end
  if status == "failover_failed" then
    return at_either(life, "ebs:FailoverDiskReplicaGroup", there, { ReplicaGroupId = id })
  end
  local list = members(pairs_, id)
  if #list > 0 and TURNED[status] then
    return at_either(life, "ebs:ReprotectDiskReplicaGroup", there,
      { ReplicaGroupId = id, ReverseReplicate = false })
  end
  if #list > 0 then return empty_group(life, group, list) end
  return at_either(life, "ebs:DeleteDiskReplicaGroup", here, { ReplicaGroupId = id })
end

local function undo_pair(life, pair)
  local status, here = pair.Status, pair.SourceRegion
  local params = { ReplicaPairId = pair.ReplicaPairId }
  if MOVING[status] or labs.text(pair.ReplicaGroupId) then return nil end
  if RUNNING[status] then return at_either(life, "ebs:StopDiskReplicaPair", here, params) end
  local code = at_either(life, "ebs:DeleteDiskReplicaPair", here, params)
  -- If a pair that was never started cannot be deleted, it is started; later rounds stop and delete
  -- it.
  if code == "OperationDenied.InvalidStatus" and status == "created" then
    return at_either(life, "ebs:StartDiskReplicaPair", here, params)
  end
  return code
end

local function attachments(life)
  local list, memory = {}, life.probe.memory
  for name, try in pairs(memory) do
    if name:find "^try:attach_" and ownership.is_own_disk(life, try.params) then
      list[try.params.DiskId] = try
    end
  end
  return list
end

local function detach_disk(life, try)
  local params, region = try.params, try.region
  local answer, err = life.probe:call("ecs:DescribeDisks",
    { RegionId = region, DiskIds = { params.DiskId } }, { region = region })
  if not answer then return "unknown", err.code or errors.text_of(err) end
  local disk = answer.Disks.Disk[1]
  if not disk or disk.Status == "Available" or disk.InstanceId ~= params.InstanceId then
    return nil
  end
  local code = disk.Status == "In_use" and call(life, "ecs:DetachDisk", params, region) or nil
  return disk.Status, code
end

local function undo_disks(life, left, seen)
  for id, try in pairs(attachments(life)) do
    local status, code = detach_disk(life, try)
    if status then
      left[#left + 1] = { kind = "disk", id = id, status = status, reason = code or "" }
      seen[#seen + 1] = id .. status
    end
  end
end

local function undo_kind(kind, records, undo, left, seen)
  for id, record in pairs(records) do
    local code = undo(record)
    left[#left + 1] = { kind = kind, id = id, status = record.Status, reason = code or "" }
    seen[#seen + 1] = id .. record.Status .. tostring(record.ReplicaGroupId)
  end
end

-- One round: makes for each disk, group and pair that is left the next call on its way to deletion.
local function round(life)
  local left, seen = {}, {}
  undo_disks(life, left, seen)
  local groups, pairs_ = life:own "group", life:own "pair"
  undo_kind("group", groups, function(group) return undo_group(life, group, pairs_) end, left, seen)
  undo_kind("pair", pairs_, function(pair) return undo_pair(life, pair) end, left, seen)
  table.sort(seen)
  table.sort(left, function(a, b) return a.kind .. a.id < b.kind .. b.id end)
  return left, table.concat(seen, "\n")
end

local function is_refused(left)
  for _, item in ipairs(left) do
    if item.reason == "" then return false end
  end
  return true
end

--- Deletes everything that a run has made, for at most an hour.
---@param life alicloud.conformance.Lab
---@return alicloud.conformance.Left[] left what is not deleted; empty: everything is
function M.run(life)
  local probe, started = life.probe, life.probe:now()
  local before, same = nil, 0
  while true do
    local left, seen = round(life)
    if #left == 0 then
      -- Something that was created a moment ago may be listed only now.
      probe:sleep(EVERY)
      left = round(life)
      if #left == 0 then
        probe:remember("cleaned", true)
        return left
      end
    end
    same = seen == before and is_refused(left) and same + 1 or 0
    if same >= PATIENCE or probe:now() - started > LIMIT then return left end
    before = seen
    probe:sleep(EVERY)
  end
end

--- Whether a run has made changes whose results may still be there.
---@param memory table<string, any> of the run
---@return boolean
function M.is_needed(memory)
  if not memory.lab or memory.cleaned then return false end
  for name in pairs(memory) do
    if name:find "^try:" then return true end
  end
  return false
end

--- Deletes everything that a run has made; stops the life with what is left.
---@param life alicloud.conformance.Lab
function M.finish_life(life)
  local words = {}
  for i, item in ipairs(M.run(life)) do
    words[i] = ("%s %s is %s%s"):format(item.kind, item.id, item.status,
      item.reason ~= "" and " (" .. item.reason .. ")" or "")
  end
  if #words > 0 then life:stop("left behind: " .. table.concat(words, ", ")) end
end

--- Adds the command that deletes what a run has left to `lab.left`, if it has left anything.
---@param probe alicloud.conformance.Probe
---@param lab alicloud.conformance.Scene
function M.finish(probe, lab)
  if not M.is_needed(probe.memory) then return end
  lab.left = lab.left or {}
  lab.left[#lab.left + 1] = "conformance " .. shell.option("--cleanup",
    probe.journal.path or "JOURNAL")
end

--- Loads the lab of the run to clean up from its journal.
---@param probe alicloud.conformance.Probe
---@param lab alicloud.conformance.Scene
function M.prepare(probe, lab)
  lab.life = labs.new(probe)
  lab.stopped = lab.life and ownership.problem(lab.life, lab.disks) or lab.stopped
end

M.cases = { { step = "delete what the run has made", look = function(_, lab)
  -- A run that stopped before it had a plan has no lab.
  if lab.life then M.finish_life(lab.life) end
end } }

return M
