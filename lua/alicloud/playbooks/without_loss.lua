--- The steps of a move that loses nothing, which `planned` and `failback` share.

require "alicloud.base.lua_version"
local common = require "alicloud.playbooks.common"
local tables = require "alicloud.base.tables"

local M = {}

-- Seconds: highest age of the last synchronization; a run that is older begins again with the stop.
local FRESH = 900

local function refuse(group, message)
  return common.refuse(group, "Client.LossNotExcluded", message,
    "resume the run: it stops and synchronizes once more")
end

-- LOOKS: looks that must all find the old side in use; PAUSE: seconds between two of them.
local LOOKS, PAUSE = 3, 3

local function stands_still(own, group)
  local held, err
  for look = 1, LOOKS do
    held, err = group:fence { confirm = function() return false end }
    if held or err.code ~= "Client.NotConfirmed" then break end
    if look < LOOKS then own.loop.sleep(PAUSE) end
  end
  return held, err
end

-- Proves that a failover loses nothing: the synchronization began after the stop, and the old side
-- has not been in use since.
local function prove_no_loss(own, group, synced, stopped_at)
  if not synced or not stopped_at then
    return refuse(group, "the stop or the last synchronization was left out, and they prove it")
  end
  local seen, err = group:look()
  if not seen then
    -- The outcome of a failed read says nothing about the failover, which was not sent.
    err.outcome = "not_sent"
    return nil, err
  end
  if common.PROMOTED[seen.status] then return true end
  local held, fault = stands_still(own, group)
  if not held then return refuse(group, "the old side does not stand still: " .. fault.message) end
  local point = synced.recover_point or 0
  if point < stopped_at or seen.read_at - point > FRESH then
    return refuse(group, ("the recovery point %d does not follow the stop at %d, "
      .. "or is too old"):format(point, stopped_at))
  end
  return true
end

-- The failover. While nothing is written an old recovery point is no loss, so RPO is 0.
local function promote(own, group, synced, stopped_at)
  local proven, err = prove_no_loss(own, group, synced, stopped_at)
  if not proven then return nil, err end
  -- The direction has not changed since the stop: a recovery point since then belongs to it. For
  -- pairs that were not seen nothing is proven.
  local result, fault = group:failover { synced_since = stopped_at }
  if result and not result.unseen and (result.recover_point or 0) >= stopped_at then
    result.recover_point_age, result.rpo = result.rpo, 0
    result.rpo_basis, result.rpo_to = "stop", stopped_at
  end
  return result, fault
end

-- A step whose result is not kept when the run is resumed after a failure before the point of no
-- return: it is then done again.
local function step(run, name, body, options)
  return run:step(name, tables.merged({ undo = function() return true end }, options), body)
end

local function restart(own, group)
  local ok, err = common.unmoved(group)
  if not ok and err.code == "Client.GroupMoved" then return nil, err end
  local command = own.params.restart
  if not command then return nil, "start the services where they ran: there is no restart=" end
  return own:program(command, { group = group.id })
end

--- Moves a group to its secondary site without loss: stops the services, fences the old side,
--- synchronizes once more after the stop, and fails over. If that fails before the point of no
--- return, production is brought up again: disks, instances, services, replication. A resumed run
--- begins with the stop.
---@param run alicloud.dr.PlaybookRun
---@param group alicloud.dr.Group seen from the site that takes over
function M.move(run, group)
  local params = run.params
  common.stop_services(run, group, params.stop, { timeout = "15m", stops_production = true,
    undo = function(own) return restart(own, group) end })
  step(run, "fence", function(own)
    local ok, err = common.may_stop(group, own)
    if ok then return group:fence { stop_shared = params.stop_shared } end
    return nil, err
  end, { marks = "old_side_fenced", stops_production = true,
    undo = function() return group:unfence {} end })
  local stopped_at = step(run, "note the stop", function()
    local seen, err = group:look()
    return seen and math.ceil(seen.read_at), err
  end)
  step(run, "stop replication", function() return group:stop {} end,
    { undo = function() return group:start {} end })
  local synced = step(run, "last sync", function() return group:start { one_shot = true } end)
  run:step("promote", { point_of_no_return = true }, function(own)
    return promote(own, group, synced, stopped_at)
  end)
end

return M
