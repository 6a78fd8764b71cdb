--- A replication pair-consistent group, seen from the region that is its secondary site now.

local changes = require "alicloud.dr.actions.replication_change"
local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"
local failover = require "alicloud.dr.actions.failover"
local formats = require "alicloud.base.formats"
local glances = require "alicloud.dr.read.batched"
local observe = require "alicloud.dr.read.groups"
local option = require "alicloud.base.schema"
local precheck = require "alicloud.dr.model.precheck"
local rules = require "alicloud.dr.rules"
local seam = require "alicloud.dr.journal.protocol"
local verbs = require "alicloud.dr.verbs"

local M = {}

---@class alicloud.dr.Group
---@field client alicloud.Client
---@field id string
---@field region string
local Group = {}

---@class alicloud.dr.FailoverOptions
---@field max_rpo? number|string refuse if the oldest recovery point is older
---@field timeout? number|string from the call to the open disks (1200 s)
---@field stall? number|string give up waiting when nothing changes for so long (600 s)
---@field poll? number|string longest pause between two looks (5 s)
---@field resend_window? number|string after the first send; 0: never send again (120 s)
---@field client_token? string continue what was begun under this token
---@field incident? string derive the token from group, direction and this name; after
---failover_failed the name gives a second token, once
---@field confirm? fun(snapshot: alicloud.dr.Snapshot, report: alicloud.dr.Report): boolean
---@field progress? fun(event: alicloud.dr.Event)
---@field journal? alicloud.dr.Journal is told before and after, see alicloud.dr.journal.protocol
---@field continue? alicloud.dr.Continue what is left of an intent whose outcome never came
---@field accept_loss? alicloud.dr.AcceptLoss raises max_rpo, by name and with a reason
---@field glances? alicloud.dr.Glances what those who wait share, see alicloud.dr.read.batched

---@alias alicloud.dr.EventName
---| "looked"      # a look before anything was sent
---| "checked"     # the pre-check's report
---| "sending"     # the call is about to leave
---| "accepted"    # the service took it
---| "unanswered"  # it ended in an error, or without an answer
---| "joined"      # a failover is under way already, nothing is sent
---| "state"       # a look after the call
---| "look_failed" # a look after the call that ended in an error
---| "failovered"

---@class alicloud.dr.Event
---@field event alicloud.dr.EventName
---@field verb string "failover"
---@field elapsed number seconds since the start
---@field client_token string? from the decision on
---@field snapshot alicloud.dr.Snapshot?
---@field report alicloud.dr.Report?
---@field state string? words about the snapshot of a "state"
---@field judgement alicloud.dr.Judgement? of a "state"
---@field reason string?
---@field attempt integer? of a "sending"
---@field request_id string? of an "accepted"
---@field err alicloud.Error? of an "unanswered" or a "look_failed"
---@field result alicloud.dr.Result? of a "failovered"

local ID, REGION, AGE = formats.ID, formats.REGION, formats.seconds(0, formats.YEAR)

local GROUP_OPTIONS = { region = REGION }

local PRECHECK_OPTIONS = { max_rpo = AGE }

local FAILOVER_OPTIONS = changes.options_with { max_rpo = AGE, accept_loss = seam.ACCEPT_LOSS,
  glances = option.rule("what alicloud.dr.glance makes", glances.is) }

local DURATIONS = { max_rpo = false }
for name, seconds in pairs(changes.DURATIONS) do DURATIONS[name] = seconds end

local function complain(field, value, rule)
  error(("dr.group: %s: got %s; allowed: %s"):format(field, option.show(value), rule.allowed), 3)
end

--- Names a group. Nothing is asked yet.
---@param client alicloud.Client
---@param id string e.g. "pg-orders"
---@param options? { region: string } the region of its secondary site; else the client's
---@return alicloud.dr.Group
function M.new(client, id, options)
  if not option.typed("table").test(client) or not client.call then
    error("dr.group: client: got " .. option.show(client) .. "; allowed: an alicloud.client", 2)
  end
  if not ID.test(id) then complain("group id", id, ID) end
  local given = option.check("dr.group", options, GROUP_OPTIONS, 2)
  local region = given.region or client.region
  if not REGION.test(region) then complain("region", region, REGION) end
  return rules.new_group(client, id, region)
end

--- Reads the group as it is, whatever the region is for it.
---@param options? table of each call
---@return alicloud.dr.Snapshot|nil role "absent" if the region does not list it
---@return alicloud.Error? err
function Group:observe(options)
  rules.demand_group(self, 2)
  return observe.group(self.client, self.id, self.region, options)
end

local function misplaced(group, snapshot)
  local report = precheck.evaluate(snapshot)
  local obstacle = precheck.first_obstacle(report)
  return errors.new {
    kind = "state", code = obstacle.code, message = obstacle.fact, hint = obstacle.cure,
    outcome = "not_sent", region = group.region, group_id = group.id, snapshot = snapshot,
  }
end

--- Looks at the group from its secondary site.
---@return alicloud.dr.Snapshot|nil
---@return alicloud.Error? err also if the region is not the secondary site of the group
function Group:look()
  rules.demand_group(self, 2)
  local snapshot, err = self:observe()
  if not snapshot then return nil, err end
  if snapshot.role ~= "secondary" then return nil, misplaced(self, snapshot) end
  return snapshot
end

--- Tells what the service would say to a failover now. Reads only.
---@param options? { max_rpo: number|string }
---@return alicloud.dr.Report|nil
---@return alicloud.Error? err if the group could not be read
function Group:precheck(options)
  rules.demand_group(self, 2)
  local given = option.check("group:precheck", options, PRECHECK_OPTIONS, 2)
  local max_rpo = given.max_rpo and duration.parse(given.max_rpo)
  local snapshot, err = self:observe()
  if not snapshot then return nil, err end
  return precheck.evaluate(snapshot, max_rpo)
end

--- Fails the group over to this region and waits until it is open there.
---
--- `err.outcome` tells what a failure leaves behind: "not_sent" and "rejected" mean that this call
--- had no effect, "unknown" that it may have had one, "accepted" that the service took the call and
--- then reported its own failure.
---@param options? alicloud.dr.FailoverOptions
---@return alicloud.dr.Result|nil
---@return alicloud.Error? err
function Group:failover(options)
  local given = changes.checked("failover", self, options, FAILOVER_OPTIONS, DURATIONS)
  local loss = given.accept_loss
  if loss and given.max_rpo then given.max_rpo = math.max(given.max_rpo, loss.seconds) end
  return failover.run(self, given)
end

for name, method in pairs(verbs.methods) do Group[name] = method end

rules.GROUP.__index = Group
rules.GROUP.__tostring = function(group)
  return ("alicloud.dr.Group(%s in %s)"):format(group.id, group.region)
end

return M
