--- Reads all that a move will touch, before its first change: the group, the disks and instances of
--- both sides, disks of others on those instances, open drills. alicloud.dr.model.preflight judges
--- what was read.

local attachment = require "alicloud.dr.read.attachment"
local drills = require "alicloud.dr.read.drills"
local duration = require "alicloud.base.duration"
local forces = require "alicloud.dr.model.force"
local formats = require "alicloud.base.formats"
local hosts = require "alicloud.dr.model.hosts"
local neighbours = require "alicloud.dr.read.neighbours"
local part_set = require "alicloud.dr.model.part_set"
local preflight = require "alicloud.dr.model.preflight"
local schema = require "alicloud.base.schema"
local sites = require "alicloud.dr.read.sites"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"
local tables = require "alicloud.base.tables"

local M = {}

-- Looks, and seconds between two, until a list that lacks an instance is believed.
local LOOKS, PAUSE = 2, 2
-- Most looks until two in a row show the same direction and the same obstacle to the move.
local MOST = 5

-- Seconds for each list of a side that may be dark.
local FAR = 15

---@class alicloud.dr.PreflightOptions
---@field move alicloud.dr.Move
---@field max_rpo? number|string see precheck
---@field attach? string|table<string, string> see serve
---@field fence? "try"|"must"|"no" whether the old side will be fenced (failover: "try", other
---moves: "must")
---@field stop_shared? string[]|string instances that may be stopped though others use them
---@field old_side_for? number|string longest wait for each list of the side that is left (15 s)

local MOVE = schema.choice("failover", "planned", "failback")

--- The rules of its options, beside those of the pre-check.
M.OPTIONS = { move = MOVE, attach = formats.ATTACH, stop_shared = formats.IDS,
  fence = schema.choice("try", "must", "no"), old_side_for = formats.TIMEOUT }

--- Raises an error unless the options name a move.
---@param options table
---@param level integer as for `error`
function M.demand_move(options, level)
  if options.move then return end
  error("group:preflight: option move: got nothing; allowed: " .. MOVE.allowed, level + 1)
end

-- The side where the service runs now, and the side that takes it.
local function ends_of(move, snapshot)
  if move == "failback" and preflight.is_open(snapshot) then return "to", "from" end
  return "from", "to"
end

local function disks_of(snapshot, end_)
  local field, set = end_ == "from" and "source_disk" or "destination_disk", {}
  for _, pair in ipairs(snapshot.pairs) do
    if pair[field] then set[pair[field]] = true end
  end
  return set
end

local function ids_to_stop(side)
  local ids = {}
  for i, host in ipairs(hosts.not_stopped(side.disks)) do ids[i] = host.id end
  table.sort(ids)
  return ids
end

local function read_leaving(facts, client, end_, stop_shared, deadline)
  local snapshot = facts.snapshot
  facts.leaving = attachment.of_side(client, snapshot, end_, deadline)
  if not facts.leaving.known then return end
  local own = tables.merged(disks_of(snapshot, "from"), disks_of(snapshot, "to"))
  local list, err = neighbours.of(client, snapshot[end_].region, ids_to_stop(facts.leaving), own,
    deadline)
  facts.neighbours, facts.neighbours_err = list, err
  if not list then return end
  facts.shared, facts.unnamed = neighbours.shared(list), neighbours.shared(list, stop_shared)
end

local function lacks(found, ids)
  for _, id in ipairs(ids) do
    if not found[id] then return true end
  end
  return false
end

local function read_hosts(taking, client, ids)
  for look = 1, LOOKS do
    taking.hosts, taking.hosts_err = attachment.instances(client, taking.place.region, ids)
    if not taking.hosts or not lacks(taking.hosts, ids) then return end
    if look < LOOKS then client.loop.sleep(PAUSE) end
  end
  taking.others = attachment.some_instances(client, taking.place.region)
end

local function read_taking(client, snapshot, end_, given)
  local known = disks_of(snapshot, end_)
  local mapping, instances = given, {}
  if type(given) ~= "table" then
    mapping = {}
    for disk in pairs(known) do mapping[disk] = given end
  end
  for _, instance in pairs(mapping) do instances[instance] = true end
  local taking = { place = snapshot[end_], known = known, mapping = mapping,
    disks = attachment.of_side(client, snapshot, end_) }
  read_hosts(taking, client, tables.keys(instances))
  return taking
end

-- Looks until two looks in a row agree on the direction and the obstacle to the move. While the
-- pair set is not whole, or the status ends by itself, it goes on for the time that lists may lag.
local function steady_look(group, move)
  local loop, looks, before = group.client.loop, 0, nil
  local ends = loop.now() + sites.LAG
  while true do
    local snapshot, err = group:observe()
    if not snapshot then return nil, err end
    looks = looks + 1
    local obstacle = preflight.obstacle(move, snapshot)
    local seen = snapshots.direction(snapshot) .. (obstacle or "")
    local turns = seen ~= before and looks < MOST
    local passes = obstacle and states.TRANSITIONAL[snapshot.status]
    local lags = snapshot.role ~= "absent" and loop.now() < ends
      and (passes or snapshots.pair_set_fault(snapshot) ~= nil)
    if not turns and not lags then return snapshot end
    before = seen
    if lags or obstacle then loop.sleep(lags and sites.LAG_PAUSE or PAUSE) end
  end
end

-- A move without loss is proven for every pair, so nobody can overrule a set that is not whole.
local ALL_PAIRS = "look again: the lists of group and pairs may lag behind each other; a move "
  .. "without loss waits until they agree, a failover need not"

-- The pre-check of the group; for a failback, which needs none, only a look.
local function first_report(group, options)
  if options.move == "failback" then
    local snapshot, err = steady_look(group, options.move)
    return snapshot and { findings = {}, snapshot = snapshot }, err
  end
  local asked = tables.copy(options)
  for name in pairs(M.OPTIONS) do asked[name] = nil end
  if options.move ~= "planned" then return group:precheck(asked) end
  asked.force = forces.without(asked.force, part_set.CODE)
  local report, err = group:precheck(asked)
  for _, finding in ipairs(report and report.findings or {}) do
    if finding.code == part_set.CODE and finding.forcible then
      finding.forcible, finding.cure = nil, ALL_PAIRS
    end
  end
  return report, err
end

local function facts_of(group, snapshot, options)
  local client, move = group.client, options.move
  local facts = { move = move, snapshot = snapshot,
    strict = (options.fence or move ~= "failover" and "must") == "must" }
  if snapshot.role == "absent" then return facts end
  local leaving, taking = ends_of(move, snapshot)
  if options.attach then
    facts.taking = read_taking(client, snapshot, taking, options.attach)
  end
  if options.fence ~= "no" then
    -- If the old side need not be fenced, it is not waited for while it does not answer.
    local reader = facts.strict and client or client:outlasting { seconds = 0 }
    local wait = options.old_side_for and duration.parse(options.old_side_for) or FAR
    read_leaving(facts, reader, leaving, options.stop_shared, math.min(wait, FAR))
  end
  if move ~= "failover" then
    facts.standby = facts.taking and facts.taking.disks
      or attachment.of_side(client, snapshot, taking)
    facts.busy, facts.busy_passes = attachment.in_use(facts.standby, "detached")
  end
  facts.drills, facts.drills_err = drills.of_group(client:outlasting { seconds = 0 }, group.id,
    group.region, { deadline = FAR })
  return facts
end

--- Looks at all that a move will touch.
---@param group alicloud.dr.Group
---@param options alicloud.dr.PreflightOptions
---@return alicloud.dr.MoveReport|nil
---@return alicloud.Error? err if the group could not be read
function M.run(group, options)
  local report, err = first_report(group, options)
  if not report then return nil, err end
  return preflight.evaluate(report, facts_of(group, report.snapshot, options))
end

return M
