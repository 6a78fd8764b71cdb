--- Fails one group over: looks, runs the pre-check, asks for confirmation, sends the call, and
--- waits until the group and every pair are open. alicloud.dr.change sends the call once and
--- resolves an outcome in doubt, as for every change.
---
--- Only the region of the group object is asked, since the other one may be lost.
--- Source: FailoverDiskReplicaGroup; "How to ensure idempotence".

local changes = require "alicloud.dr.change"
local failures = require "alicloud.dr.change.failures"
local fresh = require "alicloud.dr.change.fresh"
local forces = require "alicloud.dr.model.force"
local intents = require "alicloud.dr.model.intent"
local moment = require "alicloud.base.moment"
local part_set = require "alicloud.dr.model.part_set"
local settled = require "alicloud.dr.read.settled"
local snapshots = require "alicloud.dr.model.snapshot"
local transitions = require "alicloud.dr.model.transition"

local M = {}

local FAILOVER = transitions.failover

---@class alicloud.dr.FailoverOptions
---@field max_rpo? number|string refuse if more would be lost
---@field outage_at? number|string since when nothing has been written at the primary site: unix
---seconds, RFC 3339, or a duration ago; the RPO is counted up to it, and the RTO from it
---@field timeout? number|string from the call to the open disks (1200 s)
---@field stall? number|string give up waiting when nothing changes for so long (600 s)
---@field poll? number|string longest pause between two looks (5 s)
---@field wait_for_cloud? number|string|false how long to retry reads during an outage, and calls
---after a refusal which proves that nothing was done (10m)
---@field resend_window? number|string how long after the first send the call may be sent again if
---its answer is lost; 0: never (120 s)
---@field client_token? string continue the failover that was begun under this token
---@field incident? string derive the token from group, direction and this name; after
---failover_failed the name gives a second token, once
---@field confirm? fun(snapshot: alicloud.dr.Snapshot, report: alicloud.dr.Report): boolean
---@field progress? fun(event: alicloud.dr.Event)
---@field journal? alicloud.dr.Journal gets intent and outcome, see alicloud.dr.journal.protocol
---@field continue? alicloud.dr.Continue a journaled intent without an outcome, to be continued
---@field accept_loss? alicloud.dr.AcceptLoss raises max_rpo, by name and with a reason
---@field force? alicloud.dr.Force[] findings of the pre-check that a person overrules
---@field synced_since? number unix seconds; the caller knows that nobody has reversed the group
---since, so a recovery point that is not older is of this direction
---@field batched_reads? alicloud.dr.BatchedReads reads shared with failovers at the same time

---@alias alicloud.dr.EventName
---| "looked"      # a look before anything was sent
---| "settling"    # an obstacle may pass, or one look may be wrong about it: another look follows
---| "checked"     # the pre-check's report
---| "sending"     # the call is about to leave
---| "accepted"    # the service took it
---| "unanswered"  # it ended in an error, or without an answer
---| "joined"      # a failover is under way already, nothing is sent
---| "state"       # a look after the call
---| "look_failed" # a look after the call that ended in an error
---| "waiting"     # for the cloud, or for an obstacle to pass: `reason`, `pause`, `left`
---| "back"        # a read is answered again
---| "given_up"    # the cloud was not waited for any longer
---| "failovered"

---@class alicloud.dr.Event
---@field event alicloud.dr.EventName
---@field verb string "failover"
---@field elapsed number seconds since the start
---@field client_token string? nil before the decision
---@field snapshot alicloud.dr.Snapshot?
---@field report alicloud.dr.Report?
---@field state string? words about the snapshot of a "state"
---@field phase alicloud.dr.Phase? of a "state"
---@field reason string?
---@field left number? seconds for which a "settling" or a "waiting" goes on at most
---@field pause number? seconds until the next look, of a "waiting"
---@field attempt integer? of a "sending"
---@field request_id string? of an "accepted"
---@field err alicloud.Error? of an "unanswered" or a "look_failed"
---@field result alicloud.dr.Result? of a "failovered"

---@class alicloud.dr.FailoverChange: alicloud.dr.Change
---@field outage_at number? as declared, unix seconds
---@field server_began number? the server's time at the first look, unix seconds
---@field shared alicloud.dr.BatchedRead? reads shared with failovers at the same time

---@class alicloud.dr.Result
---@field outcome "failovered"|"already_failovered"
---@field group_id string
---@field region string
---@field from alicloud.dr.Place
---@field to alicloud.dr.Place
---@field pairs alicloud.dr.Pair[] as observed at the end
---@field joined boolean a failover that was already under way was awaited; nothing was sent
---@field outage_at number? since when nothing had been written, as declared; unix seconds
---@field rpo number? achieved RPO: seconds from the oldest recovery point to `rpo_to`; nil if one
---of both is not known, as for already_failovered without a declared outage
---@field rpo_to number? unix seconds by the server's clock
---@field rpo_basis "outage"|"accepted"|"observed"|nil what `rpo_to` is: the declared outage, the
---accepted call, or, as an upper bound, the first look that showed the failover under way
---@field rto number? achieved RTO: seconds to the look that showed every pair open; nil if nothing
---was done, or the beginning is not known (begun by others, or after a failed failover)
---@field rto_basis "outage"|"sent"|"start"|nil from when `rto` is counted: the declared outage, the
---first call of an earlier process, or the start of `failover`, with the time for its question
---@field recover_point integer? unix seconds, the oldest of group and pairs
---@field oldest_pair string? the pair with the oldest recovery point
---@field request_id string? of the accepted call
---@field request_ids string[] of every answer to the failover call
---@field client_token string?
---@field attempts integer how many times the call left
---@field forced alicloud.dr.Force[]? findings of the pre-check that were overruled
---@field unseen string? how many pairs were seen open, in words, where they were not a whole set
---and a person has overruled that; nil: every pair was seen open
---@field unneeded_force alicloud.dr.Force[]? entries of `force` for which there was no such finding
---@field snapshot alicloud.dr.Snapshot the last look

-- Adds the achieved RPO. With a declared outage it ends there, however late the failover was.
local function tell_loss(change, made)
  local outage_at = change.outage_at
  local at = outage_at or change.accepted and change.accepted.server_time
  local basis = outage_at and "outage" or at and "accepted" or "observed"
  at = at or change.poller and change.poller:seen_moving_at()
  if not at or not made.recover_point then return end
  made.rpo, made.rpo_to = math.max(0, at - made.recover_point), at
  made.rpo_basis = basis
end

local function result(change, snapshot, fields)
  fields.group_id, fields.region = change.group.id, change.group.region
  fields.from, fields.to, fields.pairs = snapshot.from, snapshot.to, snapshot.pairs
  fields.recover_point = fields.recover_point or snapshot.recover_point
  fields.oldest_pair, fields.outage_at = snapshot.oldest_pair, change.outage_at
  fields.attempts, fields.request_ids = change.attempts, change.request_ids
  fields.joined, fields.snapshot = change.joined, snapshot
  fields.forced, fields.unneeded_force = change.forced, change.unneeded_force
  fields.unseen = part_set.unseen(snapshot)
  tell_loss(change, fields)
  return fields
end

local function some(list)
  return list and #list > 0 and list or nil
end

local function observe(change)
  local snapshot, err, began, began_at
  if change.shared then
    snapshot, err, began, began_at = change.shared:observe()
  else
    snapshot, err = change.group:observe()
  end
  fresh.note(change, began, began_at)
  return snapshot, err
end

-- The result if the first look shows the group failovered; since when is not known.
local function already(change, snapshot)
  return result(change, snapshot, { outcome = "already_failovered" })
end

-- The longer of the times by our clock and by the server's: ours stops while the machine sleeps.
local function elapsed(change, server_now)
  local by_server = change.server_began and server_now and server_now - change.server_began or 0
  return math.max(change:elapsed(), by_server)
end

-- The RTO and its basis; nil if the failover may have begun before this one was called: by others,
-- under a given token, or as a failover that failed.
local function time_taken(change, seen)
  if change.outage_at then
    local now = seen.read_at or change.runtime.time()
    return math.max(0, now - change.outage_at), "outage"
  end
  if change:is_continued() then return change:since_first_send(), "sent" end
  if change.joined or change.options.client_token then return nil end
  if change.intent.status == FAILOVER.failed then return nil end
  return elapsed(change, seen.read_at), "start"
end

-- The result after a look that shows the group and every pair of the intent open.
local function failovered(change, seen)
  local rto, rto_basis = time_taken(change, seen)
  return result(change, seen, {
    outcome = "failovered", rto = rto, rto_basis = rto_basis,
    recover_point = seen.recover_point or change.intent.recover_point,
    request_id = change.accepted and change.accepted.request_id,
    client_token = change.attempts > 0 and change.intent.client_token or nil,
  })
end

local function conclude(change, seen, err)
  if not seen then return nil, err end
  local made = failovered(change, seen)
  change:emit { event = "failovered", result = made, snapshot = seen }
  change:write_outcome(made)
  return made
end

-- Whether a person forces one more call for a failovered group with pairs that are not.
local function is_asked_again(change, snapshot)
  local force = forces.of(change.options.force, "OperationDenied.PairGroupStatusConflict")
  return force ~= nil and snapshot.status == "failovered"
end

local function is_under_way(change, snapshot)
  if snapshot.role ~= "secondary" or #snapshot.pairs == 0 then return false end
  local overruled = part_set.overruled(snapshot, change.options.force)
  if snapshots.pair_set_fault(snapshot) and not overruled then return false end
  if is_asked_again(change, snapshot) then return false end
  return snapshot.status == "failovering"
    or snapshot.status == "failovered" and snapshots.count(snapshot, "failover_failed") == 0
end

-- Looks until it is clear what to do. Returns the snapshot, an error if there is none, the route
-- ("done", "join", "send" or "refuse"), and the report of the pre-check.
local function look(change)
  local options = change.options
  local terms = { max_rpo = options.max_rpo, force = options.force,
    synced_since = options.synced_since, outage_at = change.outage_at or options.outage_at }
  local snapshot, report = settled.look(change.group, { loop = change.loop,
    terms = terms, waits_for_copies = true, observe = function() return observe(change) end,
    emit = function(event)
      change.server_began = change.server_began or event.snapshot.read_at
      change:emit(event)
    end,
    is_decided = function(seen)
      return snapshots.is_failovered(seen) or is_under_way(change, seen)
    end })
  if not snapshot then return nil, select(2, failures.unreadable(change, report)) end
  change.outage_at = moment.resolve(terms.outage_at, change.runtime.time())
  if report then
    change:emit { event = "checked", snapshot = snapshot, report = report }
    return snapshot, nil, report.ok and "send" or "refuse", report
  end
  return snapshot, nil, snapshots.is_failovered(snapshot) and "done" or "join"
end

-- Decides anew for a call that could not leave while its look was fresh.
local function look_again(change)
  local snapshot, err, route, report = look(change)
  if not snapshot then return nil, err end
  local difference = snapshot.role ~= "absent" and intents.difference(change.intent, snapshot)
  if difference then return failures.world_changed(change, difference) end
  if route == "refuse" then return failures.refused(change, report) end
  if route == "send" then return "send" end
  change.joined = true
  return "wait"
end

local function target_of(change, intent)
  local group, shared = change.group, change.shared
  local transition = transitions.of_unit(FAILOVER, intent.unit)
  change.words = transition.words
  return {
    regions = { group.region }, params = transitions.params_of(group.id, intent.unit),
    intent = intent,
    read = function(options) return group:observe(options) end,
    batched = shared, look_again = function() return look_again(change) end,
    transition = transition, describe = transition.describe, same = snapshots.same_state,
    began_failed = intent.status == transition.failed,
    terms = { max_rpo = change.options.max_rpo, accept_loss = change.options.accept_loss,
      outage_at = change.outage_at },
  }
end

-- Asks for confirmation, and looks again: people take minutes, and the group may change meanwhile.
local function confirm(change, snapshot, report)
  if not change.options.confirm(snapshot, report) then return failures.not_confirmed(change) end
  local asked = intents.new(snapshot, "")
  local now, err, route, second = look(change)
  if not now then return nil, err end
  if now.role == "absent" then return failures.refused(change, second) end
  local difference = intents.difference(asked, now)
  if difference then return failures.world_changed(change, difference) end
  return now, nil, route, second
end

-- Called in tail position, so that the looks before are not kept in memory while the failover runs:
-- a fleet has thousands of groups.
local function carry_out(change, route, target)
  if route == "join" then return conclude(change, change:join(target)) end
  return conclude(change, change:apply(target))
end

-- Keeps which findings were overruled, and which entries of `force` stood against nothing. There is
-- no pre-check of a failover that is joined, but its pairs need not be a whole set.
local function note_force(change, report, snapshot)
  local force = change.options.force
  local set = not report and part_set.overruled(snapshot, force)
  change.forced = some(report and report.forced or { set or nil })
  change.unneeded_force = some(report and report.unneeded
    or set and forces.without(force, set.code) or force)
end

local function follow(change, route, report, snapshot)
  if route == "refuse" then return failures.refused(change, report) end
  note_force(change, report, snapshot)
  if route == "done" then return already(change, snapshot) end
  local token = change:token(snapshot, intents.incident_token)
  local target = target_of(change, intents.new(snapshot, token))
  target.terms.force = change.forced
  return carry_out(change, route, target)
end

local function begin(change)
  local snapshot, err, route, report = look(change)
  if not snapshot then return nil, err end
  local difference = snapshot.role ~= "absent" and change:difference_to_past(snapshot)
  if difference then return failures.world_changed(change, difference) end
  if route == "send" and change.options.confirm then
    snapshot, err, route, report = confirm(change, snapshot, report)
    if not snapshot then return nil, err end
  end
  return follow(change, route, report, snapshot)
end

-- Events after which a failover gives its turn to the next one: from here on it only waits.
local LEAVES = { accepted = true, unanswered = true, joined = true, settling = true }

-- If many failovers share their reads, each takes a turn before it looks, so that its call leaves
-- soon after its look.
local function begin_in_turn(change)
  local shared, options = change.shared, change.options
  if not shared or not shared:has_company() or options.confirm then return begin(change) end
  local turn <close>, listener = shared:new_turn(), options.progress
  options.progress = function(event)
    if LEAVES[event.event] then turn:close() end
    if listener then listener(event) end
  end
  turn:take()
  return begin(change)
end

--- Runs one failover to its end.
---@param group alicloud.dr.Group
---@param options alicloud.dr.FailoverOptions durations in seconds, defaults filled in
---@return alicloud.dr.Result|nil
---@return alicloud.Error? err kind "precheck", "state", "timeout", "cancelled", "journal" or that
---of the call
function M.run(group, options)
  local change = changes.new(group, FAILOVER.words, options)
  local reads = options.batched_reads
  change.shared = reads and reads:of(group)
  local _ <close> = change.shared and change.shared:enter()
  if not change:is_continued() then return begin_in_turn(change) end
  change.outage_at = moment.resolve(options.outage_at, change.runtime.time())
  return conclude(change, change:apply(target_of(change, options.continue.intent)))
end

return M
