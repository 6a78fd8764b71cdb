--- The first copies of the throwaway life: observes what a group shows and refuses meanwhile.

local core = require "alicloud.core"
local setup = require "alicloud.conformance.cases.throwaway.setup"
local watch = require "alicloud.conformance.cases.throwaway.watch"

local M = {}

local RUNNING = { initial_syncing = true, syncing = true, normal = true }

--- Makes a change of a group at its production side, or if that is refused as wrong, at the other.
---@param life alicloud.conformance.Lab
---@param name string
---@param action string
---@param key string
---@param more? table
---@return alicloud.conformance.Change
function M.at_home(life, name, action, key, more)
  local record = life:once("side:" .. name, function()
    local found = life:look("group", setup.id(life, key))
    return { region = found and found.SourceRegionId or life.source.region }
  end)
  local here = record.region
  local other = here == life.source.region and life.destination.region or life.source.region
  local first = life:change(name, action, setup.of(life, key, here, more))
  if not first.code or not setup.WRONG_SIDE[first.code] or first.code == "OperationDenied" then
    if not first.code then return first end
    return life:must(name .. "_later", action, setup.of(life, key, here, more))
  end
  return life:must(name .. "_elsewhere", action, setup.of(life, key, other, more))
end

--- Starts a group and waits for it to be normal.
---@param life alicloud.conformance.Lab
---@param name string
---@param key string
---@param timing string|nil
function M.start(life, name, key, timing)
  local change = M.at_home(life, name, "ebs:StartDiskReplicaGroup", key)
  life:wait(name, "group", setup.id(life, key), "normal", { since = change.at, timing = timing })
end

--- Stops a group.
---@param life alicloud.conformance.Lab
---@param name string
---@param key string
function M.stop(life, name, key)
  local change = M.at_home(life, name, "ebs:StopDiskReplicaGroup", key)
  life:wait(name, "group", setup.id(life, key), "stopped", { since = change.at, timing = "stop" })
end

local function step(text, look)
  return { step = text, look = function(_, lab) look(lab.life) end }
end
M.step = step

-- Looks twice, right after the answer, because a copy of blank disks may be short.
local function first_statuses(life)
  local id, list = setup.id(life, "h"), {}
  for i = 1, 2 do
    local record = life:look("group", id)
    list[i] = record and record.Status or "gone"
  end
  return list
end

local start_h = step("start group h", function(life)
  life:must("start_h", "ebs:StartDiskReplicaGroup", setup.of(life, "h", life.source.region))
  life:once("first_statuses", function() return first_statuses(life) end)
end)

local group_first_sync = { name = "group_first_sync", cites = { "start_h" },
  look = function(_, lab)
  local kept = lab.life.probe.memory["once:first_statuses"]
  local seen = kept and kept.value
  if not seen then return nil, "the group was not started" end
  -- A group that shows created is as before the start: a stale read.
  if seen[1] ~= seen[2] or seen[1] == "normal" or seen[1] == "created" then
    return nil, ("it showed %s, then %s"):format(seen[1], seen[2])
  end
  return seen[1]
end }

local finish_h = step("copy and stop group h", function(life)
  local id, change = setup.id(life, "h"), life.probe.memory["did:start_h"]
  life:wait("start_h", "group", id, "normal", { since = change.at, timing = "initial_sync" })
  M.stop(life, "stop_h", "h")
end)

local leave_h = step("take p3 out of h", function(life)
  local change = life:must("remove_h_p3", "ebs:RemoveDiskReplicaPair",
    setup.of(life, "h", life.source.region, { ReplicaPairId = setup.id(life, "p3") }))
  watch.left(life, "remove_h_p3", "p3", change.at)
end)

local delete_side = { name = "delete_side", look = function(_, lab)
  local life = lab.life
  local change = life:change("delete_p3_there", "ebs:DeleteDiskReplicaPair",
    setup.of(life, "p3", life.destination.region))
  if not change.code then return "either" end
  local text = "refused with " .. change.code
  return setup.WRONG_SIDE[change.code] and "source" or nil, text
end }

local delete_p3 = step("delete pair p3", function(life)
  local there = life.probe.memory["did:delete_p3_there"]
  local change = there
  if there.code then
    change = life:must("delete_p3", "ebs:DeleteDiskReplicaPair",
      setup.of(life, "p3", life.source.region))
  end
  watch.gone(life, "gone_p3", "p3", change.at, "delete")
end)

local describe_deleted = { name = "describe_deleted", cites = { "delete_p3_there", "delete_p3" },
  look = function(_, lab)
  local kept = lab.life.probe.memory["once:gone_p3"]
  if not kept then return nil, "no pair was deleted" end
  if kept.value.refused then return "refuse" end
  if kept.value.deleted then return "show" end
  return nil, "the record vanished before it was shown as deleted"
end }

local one_shot_g = step("copy group g once", function(life)
  life:must("one_shot_g", "ebs:StartDiskReplicaGroup",
    setup.of(life, "g", life.source.region, { OneShot = true }))
end)

local function is_uncopied(life)
  local record = life:look("group", setup.id(life, "g"))
  local point = record and record.LastRecoverPoint
  return record.Status == "manual_syncing" and (point == nil or point == core.null or point == 0)
end

-- Undoes the early failover, if it was accepted; the first copy is then made later.
local function take_back(life)
  watch.failed_over(life, "early_failover", nil)
  life:must("early_back", "ebs:ReprotectDiskReplicaGroup",
    setup.of(life, "g", life.destination.region, { ReverseReplicate = false }))
  life:wait("early_back", "group", setup.id(life, "g"), "stopped")
end

local first_full_sync = { name = "first_full_sync", look = function(_, lab)
  local life = lab.life
  if not life:once("g_uncopied", function() return is_uncopied(life) end) then
    return nil, "the first copy was over before it could be asked"
  end
  local change = life:change("early_failover", "ebs:FailoverDiskReplicaGroup",
    setup.of(life, "g", life.destination.region))
  if not change.code then return "allow" end
  local denied = change.code:find "^OperationDenied" ~= nil
  return denied and "refuse" or nil, "refused with " .. change.code
end }

local copied_g = step("wait for the copy of g", function(life)
  local early = life.probe.memory["did:early_failover"]
  if early and not early.code then return take_back(life) end
  local change = life.probe.memory["did:one_shot_g"]
  life:wait("one_shot_g", "group", setup.id(life, "g"), "stopped",
    { since = change.at, timing = "one_shot" })
end)

local pair_in_group = { name = "pair_in_group", look = function(_, lab)
  local life = lab.life
  local id = setup.id(life, "p1")
  local change = life:change("start_member", "ebs:StartDiskReplicaPair",
    setup.of(life, "p1", life.source.region))
  if change.code == "OperationDenied" then return "deny" end
  if change.code then return nil, "refused with " .. change.code end
  life:wait("start_member", "pair", id, RUNNING)
  life:must("stop_member", "ebs:StopDiskReplicaPair", setup.of(life, "p1", life.source.region))
  life:wait("stop_member", "pair", id, "stopped")
  return "allow"
end }

M.of_h = { start_h, group_first_sync, finish_h, leave_h, delete_side, delete_p3, describe_deleted }
M.of_g = { one_shot_g, first_full_sync, copied_g }
M.stopped_again = { step("stop group g", function(life) M.stop(life, "stop_g", "g") end) }
M.member = { pair_in_group }
M.started_again = { step("start group g again", function(life)
  M.start(life, "start_g_again", "g", "sync")
end) }

return M
