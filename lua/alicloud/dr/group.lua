--- The object of a replication pair-consistent group, seen from one of its sides: its methods, with
--- their options and default limits. The options are checked here, and not again in the files of
--- alicloud.dr.actions and alicloud.dr.read.

local batched = require "alicloud.dr.read.batched"
local change_options = require "alicloud.dr.change.options"
local checked_drill = require "alicloud.dr.actions.checked_drill"
local direction = require "alicloud.dr.model.direction"
local drill = require "alicloud.dr.actions.drill"
local drills = require "alicloud.dr.read.drills"
local duration = require "alicloud.base.duration"
local failback = require "alicloud.dr.actions.failback"
local failover = require "alicloud.dr.actions.failover"
local fence = require "alicloud.dr.actions.fence"
local forces = require "alicloud.dr.model.force"
local formats = require "alicloud.base.formats"
local group_reads = require "alicloud.dr.read.groups"
local guard = require "alicloud.base.guard"
local preflight = require "alicloud.dr.read.preflight"
local protocol = require "alicloud.dr.journal.protocol"
local readable = require "alicloud.base.readable"
local replication = require "alicloud.dr.actions.replication"
local reprotect = require "alicloud.dr.actions.reprotect"
local schema = require "alicloud.base.schema"
local serve = require "alicloud.dr.actions.serve"
local settled = require "alicloud.dr.read.settled"
local standing = require "alicloud.dr.read.standing"
local tables = require "alicloud.base.tables"
local unfence = require "alicloud.dr.actions.unfence"

local M, printed = {}, readable.printed
local MINUTES, HOURS = change_options.MINUTES, change_options.HOURS

---@class alicloud.dr.Group
---@field client alicloud.Client
---@field id string
---@field region string the region that is asked
---@field to string? zone or region of the side that is meant; nil: the region is that side
---@field told table<string, number> by pair: monotonic seconds of the newest look that named or
---listed it
local Group = {}

local CLASS = { __name = "alicloud.dr.Group", __index = Group }

function CLASS:__tostring()
  return ("alicloud.dr.Group(%s in %s)"):format(self.id, self.to or self.region)
end

local ID, REGION, PLACE = formats.ID, formats.REGION, formats.PLACE
local AGE = formats.seconds(0, formats.YEAR)

local GROUP_OPTIONS = { region = REGION, to = PLACE }

local PRECHECK_OPTIONS = { max_rpo = AGE, outage_at = formats.MOMENT,
  force = forces.OPTION, synced_since = formats.UNIX_TIME, progress = schema.callable }

local BATCHED = schema.rule("what alicloud.dr.read.batched makes", batched.is)

local PRECHECK = tables.merged(PRECHECK_OPTIONS, { settle = formats.WINDOW,
  batched_reads = BATCHED })

local PREFLIGHT = tables.merged(PRECHECK_OPTIONS, preflight.OPTIONS)

local FAILOVER_OPTIONS = change_options.with_token { max_rpo = AGE,
  outage_at = formats.MOMENT, synced_since = formats.UNIX_TIME,
  accept_loss = protocol.ACCEPT_LOSS, force = forces.OPTION,
  batched_reads = BATCHED }

local FAILOVER_LIMITS = tables.merged(MINUTES, { max_rpo = false })

local function complain(field, value, rule, level)
  error(("dr.group: %s: got %s; allowed: %s"):format(field, schema.show(value), rule.allowed),
    level + 1)
end

-- Makes the object from checked parts.
local function make(client, id, region, to, told)
  return setmetatable({ client = client, id = id, region = region, to = to, told = told or {} },
    CLASS)
end

--- Makes the object of a group at one side: the side that takes over, or has taken over. If both
--- sites lie in one region, the side is given by its zone. The service is not called yet.
---@param client alicloud.Client
---@param id string e.g. "pg-orders"
---@param options? { region: string, to: string } `region` is the one that is asked (that of `to`,
---or the client's); `to` is the zone or region of the side, needed if the region does not tell it
---@return alicloud.dr.Group
function M.new(client, id, options)
  if not schema.typed("table").test(client) or not client.call then
    error("dr.group: client: got " .. schema.show(client) .. "; allowed: an alicloud.client", 2)
  end
  if not ID.test(id) then complain("group id", id, ID, 2) end
  local given = schema.check("dr.group", options, GROUP_OPTIONS, 2)
  local region = given.region or given.to and formats.region_of(given.to) or client.region
  if not REGION.test(region) then complain("region", region, REGION, 2) end
  return make(client, id, region, given.to)
end

local function demand(group, level)
  if getmetatable(group) == CLASS then return end
  error("dr.group: not a group; call its methods with a colon", level + 1)
end

--- Raises unless a value is a group.
---@param group any
---@param level integer as for `error`
function M.demand(group, level)
  demand(group, level + 1)
end

-- The group with a client for one verb, which repeats reads while the cloud is out of reach.
local function patient(name, group, options)
  local listener = options.progress
  local client = group.client:outlasting { seconds = options.wait_for_cloud,
    progress = listener and function(event)
      local err = event.error
      listener { event = event.event, verb = name, reason = event.reason, pause = event.pause,
        left = event.left, elapsed = event.waited, err = err, code = err and err.code }
    end }
  return make(client, group.id, group.region, group.to, group.told)
end

-- Checks the call of a verb: returns the group for it, and its options with durations in seconds.
-- Raises at the level of the verb's caller.
local function checked(name, group, given, rules, limits)
  demand(group, 3)
  local options = schema.check("group:" .. name, given, rules, 3)
  if options.client_token and options.incident then
    error(("group:%s: option incident: it derives the token, so client_token cannot be given as "
      .. "well; allowed: one of the two"):format(name), 3)
  end
  formats.with_seconds(options, limits)
  local wait = options.wait_for_cloud
  options.wait_for_cloud = wait ~= nil and duration.parse(wait or 0) or nil
  return patient(name, group, options), options
end

--- The same group, seen from another side. The service is not called.
---@param place string zone or region, e.g. "cn-hangzhou-h" or "cn-hangzhou"
---@return alicloud.dr.Group
function Group:at(place)
  demand(self, 2)
  if not PLACE.test(place) then complain("place", place, PLACE, 2) end
  local region, zone = formats.region_of(place)
  return make(self.client, self.id, region, zone, self.told)
end

--- Reads the group once, whichever role its side has.
---@param options? table of each call
---@return alicloud.dr.Snapshot|nil role "absent" if the region does not list it
---@return alicloud.Error? err
function Group:observe(options)
  demand(self, 2)
  local snapshot, err = group_reads.read(self.client, self.id, self.region, options)
  if not snapshot then return nil, err end
  settled.note_pairs(self.told, snapshot, self.client.loop.now())
  return printed(direction.towards(snapshot, self.to))
end

--- Looks at the group from its secondary site.
---@return alicloud.dr.Snapshot|nil
---@return alicloud.Error? err also if the side is not the secondary site of the group
function Group:look()
  demand(self, 2)
  return settled.from_secondary(self)
end

--- Runs the pre-check: would the service accept a failover now? Reads only. It looks again for up
--- to two minutes if a finding may pass by itself; any other obstacle is believed after two looks.
---@param options? { max_rpo: number|string, outage_at: number|string, force: alicloud.dr.Force[],
---settle: number|string, synced_since: number, batched_reads: alicloud.dr.BatchedReads,
---progress: fun(event: table) } as of `failover`; `settle`: another time than the two minutes
---@return alicloud.dr.Report|nil
---@return alicloud.Error? err if the group could not be read
function Group:precheck(options)
  demand(self, 2)
  local given = formats.with_seconds(schema.check("group:precheck", options, PRECHECK, 2),
    { max_rpo = false, settle = false })
  local emit = given.progress or function() end
  local shared = given.batched_reads and given.batched_reads:of(self)
  local _ <close> = shared and shared:enter()
  local snapshot, report = settled.look(self, { loop = self.client.loop, terms = given,
    settle = given.settle, observe = shared and function() return shared:observe() end,
    emit = function(event) guard.call(emit, event) end })
  if not snapshot then return nil, report end
  return printed(report)
end

--- Checks all that a move will touch, before its first change; see dr.read.preflight. Reads only.
---@param options alicloud.dr.PreflightOptions for a failback the group is where the service runs
---@return alicloud.dr.MoveReport|nil with `notes`, which do not block the move
---@return alicloud.Error? err if the group could not be read
function Group:preflight(options)
  local group, given = checked("preflight", self, options, PREFLIGHT, { max_rpo = false })
  preflight.demand_move(given, 2)
  return printed(preflight.run(group, given))
end

--- Fails the group over to this region and waits until it is open there.
---
--- `err.outcome` tells the effect of the call: "not_sent" and "rejected" mean that it had none,
--- "unknown" that it may have had one, "accepted" that the service took the call and then reported
--- its own failure.
---@param options? alicloud.dr.FailoverOptions
---@return alicloud.dr.Result|nil
---@return alicloud.Error? err
function Group:failover(options)
  local group, given = checked("failover", self, options, FAILOVER_OPTIONS, FAILOVER_LIMITS)
  local loss = given.accept_loss
  if loss and given.max_rpo then given.max_rpo = math.max(given.max_rpo, loss.seconds) end
  return printed(failover.run(group, given))
end

local CHANGE = change_options.with_token()
local REPROTECT = change_options.with_token { reverse = schema.boolean,
  old_side = schema.choice("detached", "stopped", "unknown") }
local START = change_options.with_token { one_shot = schema.boolean }
local AWAIT = { newer_than = formats.UNIX_TIME, timeout = formats.TIMEOUT, stall = formats.TIMEOUT,
  poll = formats.POLL, progress = schema.callable, wait_for_cloud = formats.PATIENCE }

local CLEAR = change_options.without_token { detach = schema.boolean }

--- Protects a group again after its failover: reverses the direction of replication, or with
--- `reverse = false` cancels the failover. Replication is stopped afterwards; see `start`.
---@param options? alicloud.dr.ReprotectOptions
---@return alicloud.dr.ReprotectResult|nil
---@return alicloud.Error? err kind "precheck" or "state" with outcome "not_sent": refused
function Group:reprotect(options)
  return printed(reprotect.run(checked("reprotect", self, options, REPROTECT, MINUTES)))
end

--- Starts replication and waits until the group and every pair replicate; with `one_shot`,
--- synchronizes once and waits for the newer recovery point (limit: 2 h).
---@param options? alicloud.dr.StartOptions
---@return alicloud.dr.StartResult|nil
---@return alicloud.Error? err
function Group:start(options)
  local one_shot = type(options) == "table" and options.one_shot == true
  local limits = one_shot and HOURS or MINUTES
  return printed(replication.start(checked("start", self, options, START, limits)))
end

--- Stops replication and waits until the group and every pair are stopped.
---@param options? alicloud.dr.ChangeOptions
---@return alicloud.dr.StopResult|nil
---@return alicloud.Error? err
function Group:stop(options)
  return printed(replication.stop(checked("stop", self, options, CHANGE, MINUTES)))
end

local SYNC = change_options.with_token { continue = protocol.continue_one_of("stop", "start") }

--- The last synchronization before a planned move, once nothing writes any more: stop, one-shot
--- sync, recovery point not older than the call. In a playbook `stop` and
--- `start { one_shot = true }` are steps of their own.
---@param options? alicloud.dr.ChangeOptions `continue` continues the stop or the sync
---@return alicloud.dr.SyncResult|nil
---@return alicloud.Error? err
function Group:sync_now(options)
  return printed(replication.sync_now(checked("sync_now", self, options, SYNC, HOURS)))
end

--- Waits until group and pairs have a recovery point that is newer than a moment.
---@param options? alicloud.dr.AwaitOptions
---@return alicloud.dr.ChangeResult|nil
---@return alicloud.Error? err outcome "not_sent": this method only reads
function Group:await_recovery_point(options)
  return printed(replication.await(checked("await_recovery_point", self, options, AWAIT, HOURS)))
end

local DRILL = change_options.with_token { check = schema.callable }

--- Starts a drill and waits until a disk for each pair is there. The caller has to clear it.
---@param options? alicloud.dr.ChangeOptions
---@return alicloud.dr.DrillResult|nil outcome "drill_ready"; `disks` are the drill's
---@return alicloud.Error? err `drill_id` if a drill was left behind
function Group:start_drill(options)
  return printed(drill.start(checked("start_drill", self, options, CHANGE, MINUTES)))
end

--- Clears a drill away together with its disks.
---@param drill_id string
---@param options? table as of `stop` without token, incident, journal, `continue`; `detach`: detach
---disks of the drill first that a check has left attached (false)
---@return alicloud.dr.DrillResult|nil outcome "cleared" or "not_open"
---@return alicloud.Error? err
function Group:clear_drill(drill_id, options)
  local group, given = checked("clear_drill", self, options, CLEAR, MINUTES)
  if not ID.test(drill_id) then
    error(("group:clear_drill: drill id: got %s; allowed: %s"):format(schema.show(drill_id),
      ID.allowed), 2)
  end
  return printed(drill.clear(group, drill_id, given))
end

--- The open drills of the group, with their age and a warning about their cost.
---@return alicloud.dr.Drill[]|nil sorted by id
---@return alicloud.Error? err
function Group:drills()
  demand(self, 2)
  return printed(drills.of_group(self.client, self.id, self.region))
end

--- Runs a whole drill: start, wait, `check(result)`, and always the clearing. The check fails if it
--- raises, or returns false, or nil and a reason; returning nothing is success.
---@param options? table as for `start_drill`, and `check`; `continue` continues the start
---@return alicloud.dr.DrillResult|nil outcome "drilled"
---@return alicloud.Error? err `cleared` tells whether the drill was cleared
function Group:drill(options)
  return printed(checked_drill.run(checked("drill", self, options, DRILL, MINUTES)))
end

local FENCE = change_options.without_token { detach = schema.boolean, force = schema.boolean,
  stop_shared = formats.IDS, overruled = forces.OPTION }
local SERVE = change_options.without_token { attach = formats.ATTACH, start = schema.boolean,
  force = forces.OPTION }

--- Fences the side that the group is copied from: stops the instances that its disks are attached
--- to, and detaches the disks, as far as that is not done already.
---@param options? alicloud.dr.FenceOptions
---@return alicloud.dr.FenceResult|nil with `old_side_fenced_at`, and `data_ready_at` if reached
---@return alicloud.Error? err "Client.OldSideUnknown": that side could not be read
function Group:fence(options)
  return printed(fence.run(checked("fence", self, options, FENCE, change_options.COMPUTE)))
end

--- Undoes a fence: attaches the disks and starts the instances as before. For a move that has ended
--- before the group was opened at its other site.
---@param options alicloud.dr.UnfenceOptions
---@return alicloud.dr.UnfenceResult|nil
---@return alicloud.Error? err "Client.AlreadyOpened": the group is opened at its other site
function Group:unfence(options)
  local group, given = checked("unfence", self, options, unfence.OPTIONS, change_options.COMPUTE)
  if given.fenced == nil then
    error("group:unfence: option fenced: got nothing; allowed: "
      .. unfence.OPTIONS.fenced.allowed, 2)
  end
  return printed(unfence.run(group, given))
end

--- After a failover, attaches the secondary disks to the instances that take over, and starts the
--- instances.
---@param options alicloud.dr.ServeOptions
---@return alicloud.dr.ServeResult|nil with `data_ready_at`, and whether the old side is fenced
---@return alicloud.Error? err
function Group:serve(options)
  local group, given = checked("serve", self, options, SERVE, change_options.COMPUTE)
  if given.attach == nil then
    error("group:serve: option attach: got nothing; allowed: " .. formats.ATTACH.allowed, 2)
  end
  return printed(serve.run(group, given))
end

local FAILBACK = { to = PLACE, stop = schema.callable, restart = schema.callable,
  fence = schema.boolean, stop_shared = formats.IDS, force = schema.boolean, sync = schema.boolean,
  max_rpo = AGE, attach = formats.ATTACH, restore = schema.boolean, confirm = schema.callable,
  timeout = formats.TIMEOUT, poll = formats.POLL, progress = schema.callable,
  old_side = REPROTECT.old_side, wait_for_cloud = formats.PATIENCE }

--- The same group, seen from its other site.
---@return alicloud.dr.Group|nil
---@return alicloud.Error? err also if it is not clear which site this one is
function Group:other_site()
  demand(self, 2)
  local place, err = failback.other_place(self)
  if not place then return nil, err end
  return self:at(place)
end

--- Whether the service of the group may run at this side already, by looks that agree.
---@return { outcome: "already_there"|"elsewhere", open: boolean, from: alicloud.dr.Place,
---to: alicloud.dr.Place, status: string, unclear: true? }|nil standing `open`: the group was failed
---over to this side, and not reversed since; `unclear`: it may have been, but its pairs are not a
---whole set
---@return alicloud.Error? err
function Group:standing()
  demand(self, 2)
  return printed(standing.read(self))
end

--- Moves the service back to the side `to`: all steps of dr.actions.failback in order. Called
--- again, it continues where it ended. If it ended between the last synchronization and the switch,
--- it waits until the service accepts another synchronization, which takes half the RPO.
---@param options alicloud.dr.FailbackOptions
---@return alicloud.dr.FailbackResult|nil
---@return alicloud.Error? err `step` names the step that failed
function Group:failback(options)
  local group, given = checked("failback", self, options, FAILBACK, {})
  if given.to == nil then
    error("group:failback: option to: got nothing; allowed: " .. PLACE.allowed, 2)
  end
  return printed(failback.run(group, group:at(given.to), given))
end

return M
