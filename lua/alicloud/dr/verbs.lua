--- What can be done with a group besides failing it over: the methods, their options, their limits.
--- Each is carried out in a file of its own.

local changes = require "alicloud.dr.actions.replication_change"
local drill = require "alicloud.dr.actions.drill"
local drills = require "alicloud.dr.read.drills"
local failback = require "alicloud.dr.actions.failback"
local fence = require "alicloud.dr.actions.fence"
local formats = require "alicloud.base.formats"
local option = require "alicloud.base.schema"
local replication = require "alicloud.dr.actions.replication"
local reprotect = require "alicloud.dr.actions.reprotect"
local rules = require "alicloud.dr.rules"
local seam = require "alicloud.dr.journal.protocol"
local serve = require "alicloud.dr.actions.serve"

local M = {}

local with = changes.options_with

local HOURS = { timeout = 7200, stall = 7200, poll = 10, resend_window = 120 }

local MOMENT = option.rule("unix seconds", function(value)
  return type(value) == "number" and value >= 0 and value < 1e11
end)

local REPROTECT = with { reverse = option.boolean,
  old_side = option.choice("detached", "stopped", "unknown") }
local START = with { one_shot = option.boolean }
local AWAIT = { newer_than = MOMENT, timeout = formats.TIMEOUT, stall = formats.TIMEOUT,
  poll = formats.POLL, progress = option.callable }

local checked = changes.checked

-- Changes without a token: whoever asks again looks first.
local UNTOLD = with { detach = option.boolean }
UNTOLD.client_token, UNTOLD.incident, UNTOLD.journal, UNTOLD.continue = nil, nil, nil, nil

---@class alicloud.dr.Group
local Group = {}

--- Protects a group again after its failover: reverses the direction of replication, or with
--- `reverse = false` takes the failover back. Replication is stopped then; see `start`.
---@param options? alicloud.dr.ReprotectOptions
---@return alicloud.dr.ReprotectResult|nil
---@return alicloud.Error? err kind "precheck" or "state" with outcome "not_sent": refused
function Group:reprotect(options)
  return reprotect.run(self, checked("reprotect", self, options, REPROTECT, changes.DURATIONS))
end

--- Starts replication and waits until the group and every pair replicate; with `one_shot`,
--- synchronizes once and waits for the newer recovery point (limit: 2 h).
---@param options? alicloud.dr.StartOptions
---@return alicloud.dr.StartResult|nil
---@return alicloud.Error? err
function Group:start(options)
  local one_shot = type(options) == "table" and options.one_shot == true
  return replication.start(self,
    checked("start", self, options, START, one_shot and HOURS or changes.DURATIONS))
end

--- Stops replication and waits until the group and every pair are stopped.
---@param options? alicloud.dr.ChangeOptions
---@return alicloud.dr.StopResult|nil
---@return alicloud.Error? err
function Group:stop(options)
  return replication.stop(self,
    checked("stop", self, options, changes.OPTIONS, changes.DURATIONS))
end

local SYNC = with { continue = seam.continue_one_of("stop", "start") }

--- The last synchronization before a planned move, once nothing writes any more: stop, one-shot
--- sync, recovery point not older than the call. In a playbook `stop` and
--- `start { one_shot = true }` are steps of their own.
---@param options? alicloud.dr.ChangeOptions `continue` goes on with the stop or with the sync
---@return alicloud.dr.SyncResult|nil
---@return alicloud.Error? err
function Group:sync_now(options)
  return replication.sync_now(self, checked("sync_now", self, options, SYNC, HOURS))
end

--- Waits until group and pairs have a recovery point that is newer than a moment.
---@param options? alicloud.dr.AwaitOptions
---@return alicloud.dr.ChangeResult|nil
---@return alicloud.Error? err outcome "not_sent": it only looks
function Group:await_recovery_point(options)
  return replication.await(self, checked("await_recovery_point", self, options, AWAIT, HOURS))
end

local DRILL = with { check = option.callable }

--- Starts a drill and waits until a disk for each pair is there. Whoever starts it clears it.
---@param options? alicloud.dr.ChangeOptions
---@return alicloud.dr.DrillResult|nil outcome "drill_ready"; `disks` are the drill's
---@return alicloud.Error? err `drill_id` if a drill was left behind
function Group:start_drill(options)
  return drill.start(self,
    checked("start_drill", self, options, changes.OPTIONS, changes.DURATIONS))
end

--- Clears a drill away together with its disks.
---@param drill_id string
---@param options? table as of `stop` without token, incident, journal, `continue`; `detach` its
---disks first, should a check have left them attached (false)
---@return alicloud.dr.DrillResult|nil outcome "cleared" or "not_open"
---@return alicloud.Error? err
function Group:clear_drill(drill_id, options)
  local given = checked("clear_drill", self, options, UNTOLD, changes.DURATIONS)
  if not formats.ID.test(drill_id) then
    error(("group:clear_drill: drill id: got %s; allowed: %s"):format(option.show(drill_id),
      formats.ID.allowed), 2)
  end
  return drill.clear(self, drill_id, given)
end

--- The open drills of the group, with age and what they cost.
---@return alicloud.dr.Drill[]|nil sorted by id
---@return alicloud.Error? err
function Group:drills()
  rules.demand_group(self, 2)
  local list, err = drills.of_group(self.client, self.id, self.region)
  return list, err
end

--- Runs a whole drill: start, wait, `check(result)`, and always the clearing. The check fails by
--- raising, by returning false, or nil and a reason; returning nothing is fine.
---@param options? table as for `start_drill`, and `check`; `continue` goes on with the start
---@return alicloud.dr.DrillResult|nil outcome "drilled"
---@return alicloud.Error? err `cleared` tells whether the drill is gone
function Group:drill(options)
  return drill.run(self, checked("drill", self, options, DRILL, changes.DURATIONS))
end

local SERVERS = { timeout = 600, stall = 600, poll = 5, resend_window = 120 }

local function servers(more)
  local schema = { timeout = formats.TIMEOUT, stall = formats.TIMEOUT, poll = formats.POLL,
    resend_window = formats.WINDOW, confirm = option.callable, progress = option.callable }
  for name, rule in pairs(more) do schema[name] = rule end
  return schema
end

local ATTACH = option.rule("an instance id, or a table of them by disk id", function(value)
  if type(value) ~= "table" then return formats.ID.test(value) end
  for disk, instance in pairs(value) do
    if not formats.ID.test(disk) or not formats.ID.test(instance) then return false end
  end
  return next(value) ~= nil
end)

local FENCE = servers { detach = option.boolean, force = option.boolean }
local SERVE = servers { attach = ATTACH, start = option.boolean }

--- Fences the side that the group is copied from: stops the instances that its disks are attached
--- to, and detaches the disks. What is so already is done.
---@param options? alicloud.dr.FenceOptions
---@return alicloud.dr.FenceResult|nil with the two finish lines, as far as they are reached
---@return alicloud.Error? err "Client.OldSideUnknown": nothing can be said of that side
function Group:fence(options)
  return fence.run(self, checked("fence", self, options, FENCE, SERVERS))
end

--- After a failover, attaches the secondary disks to the instances that take over, and starts
--- those.
---@param options alicloud.dr.ServeOptions
---@return alicloud.dr.ServeResult|nil with the two finish lines, as far as they are reached
---@return alicloud.Error? err
function Group:serve(options)
  local given = checked("serve", self, options, SERVE, SERVERS)
  if given.attach == nil then
    error("group:serve: option attach: got nothing; allowed: " .. ATTACH.allowed, 2)
  end
  return serve.run(self, given)
end

local FAILBACK = { to = formats.REGION, stop = option.callable, fence = option.boolean,
  force = option.boolean, sync = option.boolean, max_rpo = formats.seconds(0, formats.YEAR),
  attach = ATTACH, restore = option.boolean, confirm = option.callable, timeout = formats.TIMEOUT,
  poll = formats.POLL, progress = option.callable, old_side = REPROTECT.old_side }

--- The same group, seen from its other site.
---@return alicloud.dr.Group|nil
---@return alicloud.Error? err
function Group:other_site()
  rules.demand_group(self, 2)
  local region, err = failback.other_region(self)
  if not region then return nil, err end
  return rules.new_group(self.client, self.id, region)
end

--- Moves the service back to the region `to`: all steps of dr.actions.failback in order. Called
--- again, it goes on where it ended; where it broke off between the last synchronization and the
--- switch, the service refuses another one (OperationDenied.ManualSyncLimit) for half the RPO.
---@param options alicloud.dr.FailbackOptions
---@return alicloud.dr.FailbackResult|nil
---@return alicloud.Error? err `step` names the one that went wrong
function Group:failback(options)
  local given = checked("failback", self, options, FAILBACK, {})
  if given.to == nil then
    error("group:failback: option to: got nothing; allowed: " .. formats.REGION.allowed, 2)
  end
  return failback.run(self, rules.new_group(self.client, self.id, given.to), given)
end

M.methods = Group

return M
