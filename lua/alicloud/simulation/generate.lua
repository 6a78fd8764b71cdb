--- Generates the case of a seed: a world and a list of troubles. Every trouble is a plain table
--- that describes itself completely, so a list can be shrunk to what a violation needs.
---
---   { kind = "answers", rule = { … } }              a fault rule of the emulator
---   { kind = "hostile", change = { … }, … }         the service gives wrong answers
---   { kind = "operators", act = "reverse", … }      somebody else changes the group
---   { kind = "crashes", call = 7, how = "torn" }    the machine stops at a call of the disk
---   { kind = "stops", name = "task", … }            a task, a step or the run is cancelled
---   { kind = "controllers", name = "takeover", … }  another controller takes the run over
---   { kind = "blips", side = "both", … }            nothing can be read, but changes work
---   { kind = "compute", name = "Detaching", … }     disks are being created or detached
---   { kind = "neighbours", from_start = true }      a machine serves another group as well
---   { kind = "places", from_start = true, … }       both sides lie in one region
---
--- Combinations against which the API offers no defence are not drawn: a service that forgets
--- tokens and does work later, or shows old states for longer than the wait before a resend, or
--- while somebody undoes what the lost call has done.

local assumed = require "alicloud.simulation.assumed"
local controllers = require "alicloud.simulation.controllers"
local looks = require "alicloud.simulation.looks"
local numbers = require "alicloud.simulation.numbers"
local random = require "alicloud.simulation.random"
local stopping = require "alicloud.simulation.stopping"
local surroundings = require "alicloud.simulation.surroundings"
local tables = require "alicloud.base.tables"
local when = require "alicloud.simulation.when"

local M = {}

--- Kinds of trouble, as they can be chosen with --faults.
M.KINDS = { "answers", "reads", "regions", "hostile", "operators", "crashes", "disk", "clock",
  "outages", "stops", "controllers", "programs", "typos", "elsewhere",
  table.unpack(surroundings.KINDS) }

--- The hostile options that a mistake can follow, and all that can be asked for by name.
M.HOSTILE, M.HOSTILE_NAMES = looks.HOSTILE, looks.NAMES

---@class alicloud.simulation.Trouble
---@field kind string of KINDS
---@field rule table? fault rule
---@field change table<string, any>? hostile options
---@field name string? of the hostile option, operator's act or what happens to the clock
---@field request integer? number of the request with which it comes, over all processes
---@field send integer? number of the changing request with which it comes
---@field after boolean? true: after that request was handled, not before
---@field delay number? seconds after that moment
---@field lasts number? seconds until it ends
---@field call integer? number of the call of the disk or the store, over all processes
---@field record integer? comes when the change with this number is announced in the store
---@field how string? what happens at the call
---@field action string? operation that fails or is throttled
---@field code string? error code of that
---@field status integer? HTTP status of that
---@field keep integer? unsynced bytes that the disk keeps in a crash
---@field pause number? seconds until somebody resumes
---@field wait integer? number of the wait at which it comes, over all processes
---@field nth_step integer? number of the step at which it comes, in order of first beginning
---@field goes_on boolean? true: the playbook goes on after a step that was cancelled
---@field flight number? seconds that each request and each answer takes
---@field side "both"|"source"|"destination"|nil where nothing can be read
---@field stays boolean? true: disks are as before when it ends
---@field turned boolean? true: the sides are exchanged, too

---@class alicloud.simulation.Case
---@field trace alicloud.simulation.Trace|false|nil collects the points at which a trouble can come
---@field seed integer
---@field world table description of the emulator's world
---@field assume table<string, any> switches of the emulator
---@field incident string?
---@field outage integer? seconds between the declared outage and the start; nil: none is declared
---@field sides table<string, string>? by id of a group: the place to which it is to fail over
---@field troubles alicloud.simulation.Trouble[]
---@field numbers integer[]? numbers of these among the seed's troubles; nil: they are all of them

local STATUSES = { "normal", "normal", "normal", "normal", "normal", "normal", "normal", "syncing",
  "syncing", "stopped", "stopped", "manual_syncing", "failover_failed", "failover_failed",
  "failovered", "initial_syncing" }

local AGES = { 60, 60, 120, 432, 432, 432, 900, 900, 900, 4000 }

local DOUBTFUL = { { "InternalError", 500 }, { "ServiceUnavailable", 503 },
  { "RequestTimeout", 504 }, { "LastTokenProcessing", 403 } }
local REFUSING = { { "Throttling.User", 400, 7 }, { "BLOCK.LimitedRequest", 429 },
  { "Forbidden", 403 }, { "OperationDenied.InvalidStatus", 403 },
  { "OperationDenied.PairGroupStatusConflict", 403 } }
local MISREAD = { { "InternalError", 500 }, { "Throttling", 400, 2 }, { "NoSuchResource", 404 } }

M.DOUBTFUL, M.REFUSING, M.MISREAD = DOUBTFUL, REFUSING, MISREAD

--- The effect of a fault rule.
---@param given any[] code, HTTP status, seconds to wait
---@return table
function M.answer(given)
  return { error = { code = given[1], status = given[2], retry_after = given[3] } }
end

local function work_fault(d)
  local throw = d:random()
  if throw < 0.3 then return { drop = true }, d:pick { "before", "after" } end
  if throw < 0.45 then return { apply_late = d:pick { 1, 8, 14, 16, 40, 130 } } end
  if throw < 0.55 then return d:pick { { stuck = true }, { partial = 1 } } end
  if throw < 0.75 then return M.answer(d:pick(REFUSING)) end
  if throw < 0.8 then return { delay = d:pick { 5, 20, 70 } }, d:pick { "before", "after" } end
  return M.answer(d:pick(DOUBTFUL)), d:pick { "before", "after" }
end

local MAKE = {}

function MAKE.answers(d)
  local effect, moment = work_fault(d)
  local match = { action = "FailoverDiskReplicaGroup" }
  if d:chance(0.2) then
    match.count = d:pick { 2, 4, 9 }
  else
    match.nth = d:pick { 1, 1, 1, 2, 3 }
  end
  return { rule = { match = match, when = moment, effect = effect } }
end

function MAKE.reads(d)
  local effect = d:chance(0.5) and { drop = true } or M.answer(d:pick(MISREAD))
  return { rule = { effect = effect, match = { nth = d:between(1, 9),
    action = d:pick { "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs" } } } }
end

function MAKE.regions(d)
  return when.draw(d, { region = d:pick { "source", "destination", "destination" },
    state = d:pick { "down", "blackhole", "failing", "overloaded" },
    lasts = d:pick { 5, 20, 60, 300 } })
end

function MAKE.hostile(d)
  local name, value = looks.lie(d)
  return when.draw(d, { name = name, change = { [name] = value },
    lasts = d:pick { 5, 20, 60, 5000, 5000 }, from_start = d:chance(0.6) })
end

M.ACTS = { "reverse", "reverse", "stop", "reprotect", "remove_pair", "failover", "rival",
  "colleague" }

function MAKE.operators(d)
  local trouble = when.draw(d, { name = d:pick(M.ACTS) })
  trouble.nth_group = d:between(1, 99)
  -- Other processes run while this one does, so they come at once.
  if trouble.name == "rival" or trouble.name == "colleague" then trouble.delay = 0 end
  return trouble
end

function MAKE.crashes(d)
  local trouble = { pause = d:pick { 0, 0, 1, 10, 20, 40, 60, 150, 600 },
    keep = d:pick { 0, 0, 1, 60, 100000 } }
  if d:chance(0.7) then
    trouble.call, trouble.how = d:between(1, 34), d:pick { "crash", "crash_after", "torn" }
  else
    when.draw(d, trouble)
    trouble.how, trouble.delay = "crash", nil
  end
  return trouble
end

function MAKE.disk(d)
  return { call = d:between(8, 40), how = d:pick { "ENOSPC", "EIO", "EROFS", "short", "short" },
    once = d:chance(0.5) }
end

function MAKE.clock(d)
  local trouble = when.draw(d, { name = d:pick { "jump", "suspend" } })
  trouble.delay = nil
  trouble.seconds = trouble.name == "jump" and d:pick { 40, 700, 7200, -5, -700 }
    or d:pick { 30, 130, 3600 }
  return trouble
end

local READS = { "DescribeDiskReplicaGroups", "DescribeDiskReplicaGroups",
  "DescribeDiskReplicaPairs", "DescribeDiskReplicaPairs", "DescribeDisks", "DescribeInstances" }
local CALLS = { "FailoverDiskReplicaGroup", "FailoverDiskReplicaGroup", "FailoverDiskReplicaGroup",
  "StopDiskReplicaGroup", "StartDiskReplicaGroup", "ReprotectDiskReplicaGroup", "StopInstance",
  "DetachDisk", "AttachDisk", "StartInstance" }

-- An operation that reads fails for some time, or one that changes is throttled.
function MAKE.outages(d)
  local throttled = d:chance(0.3)
  local trouble = when.draw(d, { lasts = d:pick { 30, 120, 600, 600, 20000 } })
  trouble.action = d:pick(throttled and CALLS or READS)
  trouble.code = throttled and "Throttling.User" or "InternalError"
  trouble.status = throttled and 400 or 500
  -- The throttling must begin before the call to affect it.
  if throttled then trouble.after, trouble.delay = false, 0 end
  return trouble
end

-- By kind: the numbers of troubles of which one is drawn. Nearly a third of all cases are harmless:
-- they must end as the undisturbed run does.
local MIXED = {
  answers = { 0, 0, 1, 1, 2 }, reads = { 0, 0, 0, 1, 2 }, regions = { 0, 0, 0, 0, 0, 1 },
  hostile = { 0, 0, 1, 1 }, operators = { 0, 0, 0, 1 }, crashes = { 0, 0, 1, 2 },
  disk = { 0, 0, 0, 1 }, clock = { 0, 0, 0, 0, 0, 1 },
}
local HARMLESS = { crashes = { 0, 1, 1, 2, 3 } }
local function make_troubles(d)
  local harmless = d:chance(0.3)
  local counts, list = harmless and HARMLESS or MIXED, {}
  if harmless and d:chance(0.25) then list[1] = looks.harmless(d) end
  for _, kind in ipairs(M.KINDS) do
    for _ = 1, counts[kind] and d:pick(counts[kind]) or 0 do
      local trouble = MAKE[kind](d)
      trouble.kind = kind
      list[#list + 1] = trouble
    end
  end
  return list
end

local function has(list, test)
  for _, trouble in ipairs(list) do
    if test(trouble) then return true end
  end
  return false
end

local function forgets(trouble) return trouble.name == "token_forget" end

local function permits(trouble) return trouble.name == "permissive" end

-- Adds troubles under which a client may send twice: the answer is lost, and reads show the work
-- late.
local function add_temptation(d, list)
  list[#list + 1] = { kind = "answers", rule = { when = "after", effect = { drop = true },
    match = { action = "FailoverDiskReplicaGroup", nth = 1 } } }
  list[#list + 1] = { kind = "hostile", name = "stale_read", from_start = true, lasts = 5000,
    change = { stale_read = d:pick { 3, 9, 9 } } }
end

-- If tokens are forgotten, nothing protects from work that is done or shown late, from two
-- operators at once, from one who stops a group that was stopped before, and from work that fails
-- where it had failed before, since the group then looks untouched.
local function defenceless(trouble)
  return trouble.name == "colleague" or trouble.name == "stop" or trouble.state == "overloaded"
    or trouble.rule and trouble.rule.effect.apply_late ~= nil
    or trouble.rule and trouble.rule.effect.delay ~= nil
    or trouble.rule and trouble.rule.effect.partial ~= nil
    or trouble.name == "stale_read" and trouble.change.stale_read >= 14
end

--- Whether nothing protects from a trouble if the service forgets tokens.
---@type fun(trouble: alicloud.simulation.Trouble): boolean
M.is_defenceless = defenceless

-- Adds troubles by which the first failover is done late and its repeat is refused.
local function late_and_refused(d, list)
  local match = { action = "FailoverDiskReplicaGroup", nth = 1 }
  list[#list + 1] = { kind = "answers",
    rule = { match = match, effect = { apply_late = d:pick { 40, 130 } } } }
  list[#list + 1] = { kind = "answers", rule = { effect = M.answer { "Forbidden", 403 },
    match = { action = match.action, nth = 2 } } }
end

local function without(list, test)
  local rest = {}
  for _, trouble in ipairs(list) do
    if not test(trouble) then rest[#rest + 1] = trouble end
  end
  return rest
end

local function region_of(place) return place:match "^[^/]+" end

--- Where each group is to fail over: to its destination, or from failovered back to its source.
---@param about table the world
---@return table<string, string> by id
function M.sides_of(about)
  local sides = {}
  for _, group in ipairs(about.groups) do
    sides[group.id] = group.status == "failovered" and group.source or group.destination
  end
  return sides
end

local function vary(d, group, reversed)
  local own = tables.copy(group)
  own.status = group.status or d:pick(STATUSES)
  own.pairs = group.pairs or d:pick { 1, 2, 3, 3, 5 }
  own.failover_seconds = group.failover_seconds or d:pick { 0, 0, 2, 2, 2, 5, 52 }
  if own.recover_point_age == nil then
    own.recover_point_age = own.status ~= "initial_syncing" and d:pick(AGES)
  end
  -- Sometimes the group was reversed long ago, so that the playbook asks at the wrong side. If both
  -- sides are in one region, only the zone shows that.
  local in_one_region = region_of(own.source) == region_of(own.destination)
  if d:chance(in_one_region and 0.3 or reversed) then
    own.source, own.destination = own.destination, own.source
  end
  return own
end

local function make_world(d, about, reversed)
  local groups = {}
  for i, group in ipairs(about.groups) do groups[i] = vary(d, group, reversed) end
  local world = tables.copy(about)
  world.groups = groups
  return world
end

local function keep_kinds(list, kinds)
  if not kinds then return list end
  return without(list, function(trouble)
    return not kinds[trouble.kind] and not (trouble.kind == "hostile" and kinds[trouble.name])
  end)
end

local ODD_STREAM, OUTAGE_STREAM = 1 << 40, 1 << 41

-- Half of the outages come alone, because alone they must not change the end.
local function with_outage(seed, list)
  local d = random.new(seed + OUTAGE_STREAM)
  if not d:chance(0.16) then return list end
  local trouble = MAKE.outages(d)
  trouble.kind = "outages"
  if d:chance(0.5) then return { trouble } end
  list[#list + 1] = trouble
  return list
end

-- Not combined with odd looks: two lists that are wrong in the same way outvote the third.
local function cuts_lists(trouble) return trouble.name == "short_list" end

--- Generates a case.
---@param seed integer
---@param about table the world, see alicloud.simulation.discover
---@param kinds? table<string, boolean> kinds of trouble, or names of hostile options; nil: all
---@return alicloud.simulation.Case
function M.case(seed, about, kinds)
  local d = random.new(seed)
  local troubles = make_troubles(d)
  local world = make_world(d, about, has(troubles, permits) and 0.5 or 0.06)
  local forgetful = has(troubles, forgets)
  if forgetful then
    troubles = without(troubles, defenceless)
    if d:chance(0.5) then add_temptation(d, troubles) end
  end
  local incident = d:chance(0.5) and "INC-1" or nil
  if not forgetful and d:chance(0.03) then late_and_refused(d, troubles) end
  -- Drawn from a random stream of its own, so that the rest of the seed's case stays the same.
  local odd = random.new(seed + ODD_STREAM)
  if odd:chance(0.2) then
    -- Alone, an odd look must not change how the run ends.
    troubles = odd:chance(0.4) and {} or without(troubles, cuts_lists)
    troubles[#troubles + 1] = looks.odd(odd)
  end
  local assume, by_chance = assumed.of(seed, forgetful)
  troubles[#troubles + 1] = by_chance
  troubles = controllers.with(seed, stopping.with(seed, with_outage(seed, troubles)))
  troubles = surroundings.with(seed, troubles, about)
  troubles = keep_kinds(troubles, kinds)
  return {
    seed = seed, world = world, sides = M.sides_of(about), troubles = troubles, incident = incident,
    outage = numbers.declared(seed), assume = assume,
  }
end

return M
