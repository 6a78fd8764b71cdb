--- What a seed stands for: a world, and a list of troubles that come over it. Every trouble is a
--- plain table that says all about itself, so a list can be cut down until the least that still
--- does harm is left.
---
---   { kind = "answers", rule = { … } }              a fault rule of the emulator
---   { kind = "hostile", change = { … }, … }         the service lies, from a request on
---   { kind = "operators", act = "reverse", … }      somebody else changes the group
---   { kind = "crashes", call = 7, how = "torn" }    the machine stops at a call of the disk
---   { kind = "stops", name = "task", … }            a task, a step or the run is given up
---   { kind = "controllers", name = "takeover", … }  another controller takes the run over
---   { kind = "blips", side = "both", … }            nothing can be read, but changes go
---   { kind = "compute", name = "Detaching", … }     disks are on their way
---   { kind = "neighbours", from_start = true }      a machine serves another group as well
---   { kind = "places", from_start = true, … }       both sides lie in one region
---
--- Combinations against which the API offers no defence are not drawn: a service that forgets
--- tokens and does the work later, or that forgets them and shows the past for longer than one
--- waits before sending again, or while somebody puts back what the lost call has done.

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

--- What can be asked for with --faults, and the share of schedules that have some of it.
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
---@field request integer? comes with this request of the run, counted over its processes
---@field send integer? comes with this call that changes something
---@field after boolean? after that request was handled, not before
---@field delay number? seconds later
---@field lasts number? seconds until it is over
---@field call integer? of the disk or the store, counted over all processes
---@field record integer? comes where so many changes are written down, with the last of them
---@field how string? what happens then
---@field action string? that is out of order, or throttled
---@field code string? with which
---@field status integer? HTTP, of that
---@field keep integer? bytes of what was not synced that the disk has kept
---@field pause number? seconds until somebody resumes
---@field wait integer? comes at this wait, counted over all processes
---@field nth_step integer? comes to this step, of those that the run has come to
---@field goes_on boolean? the playbook goes on behind a step that was given up
---@field flight number? seconds that each request and each answer is on its way
---@field side "both"|"source"|"destination"|nil where nothing can be read
---@field stays boolean? disks are where they were afterwards
---@field turned boolean? the sides have changed places

---@class alicloud.simulation.Case
---@field trace alicloud.simulation.Trace|false|nil notes where a trouble can come
---@field seed integer
---@field world table description of the emulator's world
---@field assume table<string, any> switches of the emulator
---@field incident string?
---@field outage integer? seconds before the beginning: since then nothing has been written
---@field sides table<string, string>? where each group was to go, by its id
---@field troubles alicloud.simulation.Trouble[]
---@field numbers integer[]? which ones of the seed's troubles those are; nil: all

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
  -- Other processes work while this one does, not after it.
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

-- An operation is out of order for some time, or a call is throttled.
function MAKE.outages(d)
  local throttled = d:chance(0.3)
  local trouble = when.draw(d, { lasts = d:pick { 30, 120, 600, 600, 20000 } })
  trouble.action = d:pick(throttled and CALLS or READS)
  trouble.code = throttled and "Throttling.User" or "InternalError"
  trouble.status = throttled and 400 or 500
  -- What comes before the call lets it be throttled.
  if throttled then trouble.after, trouble.delay = false, 0 end
  return trouble
end

-- How many troubles of a kind a schedule has. Nearly a third of all schedules are harmless: their
-- end must be the one of the undisturbed run.
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

-- What tempts somebody to send twice: the answer is lost, and no look shows the work at once.
local function add_temptation(d, list)
  list[#list + 1] = { kind = "answers", rule = { when = "after", effect = { drop = true },
    match = { action = "FailoverDiskReplicaGroup", nth = 1 } } }
  list[#list + 1] = { kind = "hostile", name = "stale_read", from_start = true, lasts = 5000,
    change = { stale_read = d:pick { 3, 9, 9 } } }
end

-- Without the memory for tokens nothing protects from work that is done later or shown later, from
-- two operators at once, nor from one who stops a group that had been stopped, nor from work that
-- fails where it had failed before: it looks untouched.
local function defenceless(trouble)
  return trouble.name == "colleague" or trouble.name == "stop" or trouble.state == "overloaded"
    or trouble.rule and trouble.rule.effect.apply_late ~= nil
    or trouble.rule and trouble.rule.effect.delay ~= nil
    or trouble.rule and trouble.rule.effect.partial ~= nil
    or trouble.name == "stale_read" and trouble.change.stale_read >= 14
end

--- Whether nothing protects from a trouble where the service forgets tokens.
---@type fun(trouble: alicloud.simulation.Trouble): boolean
M.is_defenceless = defenceless

-- The work is done late, and the question after it is refused.
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

--- Where each group is to go. What begins where a failover has ended goes back.
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
  -- Somebody has reversed it long ago, and the playbook asks at the wrong side. Where both sides
  -- are in one region, nothing but the zone tells.
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

-- Half of the outages come alone: what they must not change is the end.
local function with_outage(seed, list)
  local d = random.new(seed + OUTAGE_STREAM)
  if not d:chance(0.16) then return list end
  local trouble = MAKE.outages(d)
  trouble.kind = "outages"
  if d:chance(0.5) then return { trouble } end
  list[#list + 1] = trouble
  return list
end

-- Two sources that are wrong in the same way outvote the third.
local function cuts_lists(trouble) return trouble.name == "short_list" end

--- Generates a case.
---@param seed integer
---@param about table the world, see alicloud.simulation.discover
---@param kinds? table<string, boolean> kinds of trouble, or names of hostile options; all
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
  -- From a stream of its own, so that it changes nothing else of a seed.
  local odd = random.new(seed + ODD_STREAM)
  if odd:chance(0.2) then
    -- Alone it must not change how the run ends.
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
