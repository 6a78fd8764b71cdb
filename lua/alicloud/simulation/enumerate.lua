--- Lists every single trouble that can come at the points of a trace. Troubles that cannot differ
--- are listed once. A family is one trouble with several durations, the shortest first; troubles
--- that are left out are counted by the rule that says why.

local core = require "alicloud.core"
local corrections = require "alicloud.simulation.correction"
local elsewhere = require "alicloud.simulation.elsewhere"
local generate = require "alicloud.simulation.generate"
local looks = require "alicloud.simulation.looks"
local programs = require "alicloud.simulation.programs"
local surroundings = require "alicloud.simulation.surroundings"
local tables = require "alicloud.base.tables"

local M = {}

--- Why a trouble is not run, in words.
M.RULES = {
  bytes = "a crash that keeps as many of the unsynced bytes as another",
  whole = "half a write where nothing is written",
  pauses = "a pause that passes the same time limits as another",
  stood = "a controller suspended for longer than its lease, but not longer than any other limit",
  copies = "a colleague with a copy of the journal that has the same records as another",
  ended = "a longer trouble, if the run ends before the shorter one does",
  covered = "a trouble that ends earlier or later, if nothing is asked between the two ends",
  unseen = "a trouble that is over before it has changed any answer",
  moment = "a trouble that begins earlier than another, and changes no answer before that one",
  left = "a crash that leaves the same bytes, calls and time as another",
  signals = "a signal at a request, which is noticed only at the wait after it",
  leases = "a lease that ends after a call of the store, which is noticed only at the next call",
  again = "a lasting fault of the disk, if the disk is not called again",
  rejoined = "a second trouble after the run has gone back to what it is without the first",
}

---@class alicloud.simulation.Family
---@field at integer index of its point
---@field troubles alicloud.simulation.Trouble[] the shortest first
---@field chain string? key of families that differ in their request only, and may run alike
---@field key string? key of families that are the same, of which only the last one is run
---@field rule string? of M.RULES, by which it is left out if one with its key comes later

-- Values as alicloud.simulation.generate draws them, each once.
local DURATIONS, OUTAGES = { 5, 20, 60, 300 }, { 30, 120, 600, 20000 }
local KEEP, PAUSES = { 0, 1, 60, 100000 }, { 0, 1, 10, 20, 40, 60, 150, 600 }
-- Pauses: none; until the failover has ended; until its call may not be repeated any more.
local LIMITS = { 0, 40, 600 }

local ANSWERS = {
  { { drop = true }, "before", "after" }, { { apply_late = 1 } }, { { apply_late = 8 } },
  { { apply_late = 14 } }, { { apply_late = 16 } }, { { apply_late = 40 } },
  { { apply_late = 130 } }, { { delay = 5 }, "before", "after" },
  { { delay = 20 }, "before", "after" }, { { delay = 70 }, "before", "after" },
}
-- Effects that only a failover of a group can have.
local GROUP_ANSWERS = { { { stuck = true } }, { { partial = 1 } } }

local ACTS = { { "reverse", 1 }, { "reverse", 2 }, { "stop", 1 }, { "reprotect", 1 },
  { "remove_pair", 1 }, { "failover", 1 }, { "rival", 1 }, { "colleague", 1 } }
local CLOCK = { { "jump", 40 }, { "jump", 700 }, { "jump", 7200 }, { "jump", -5 },
  { "jump", -700 }, { "suspend", 30 }, { "suspend", 130 }, { "suspend", 3600 } }

local function count(merged, rule, n)
  merged[rule] = (merged[rule] or 0) + n
end

local function family(list, troubles, rule, key)
  list[#list + 1] = { troubles = troubles, rule = rule, key = key }
end

local function each_of(list, troubles)
  for _, trouble in ipairs(troubles) do family(list, { trouble }) end
end

-- Families of a chain differ only in the request and in how long they last.
local function chained(list, troubles)
  local first = troubles[1]
  list[#list + 1] = { troubles = troubles,
    chain = first.request and core.encode(tables.merged(first, { request = 0, lasts = 0 })) }
end

local function lasting(list, durations, make)
  local troubles = {}
  for i, seconds in ipairs(durations) do troubles[i] = make(seconds) end
  chained(list, troubles)
end

local function add_rule(list, kind, point, effect, when)
  family(list, { { kind = kind, rule = { effect = effect, when = when,
    match = { action = point.action, nth = point.nth } } } })
end

local function add_answers(list, point)
  local sets = { ANSWERS }
  if point.action == "FailoverDiskReplicaGroup" then sets[2] = GROUP_ANSWERS end
  for _, set in ipairs(sets) do
    for _, given in ipairs(set) do
      for i = 2, math.max(2, #given) do add_rule(list, "answers", point, given[1], given[i]) end
    end
  end
  for _, given in ipairs(generate.REFUSING) do
    add_rule(list, "answers", point, generate.answer(given))
  end
  for _, given in ipairs(generate.DOUBTFUL) do
    for _, when in ipairs { "before", "after" } do
      add_rule(list, "answers", point, generate.answer(given), when)
    end
  end
end

local function add_reads(list, point)
  add_rule(list, "reads", point, { drop = true })
  for _, given in ipairs(generate.MISREAD) do
    add_rule(list, "reads", point, generate.answer(given))
  end
end

local function add_regions(list, point)
  for _, region in ipairs { "source", "destination" } do
    for _, state in ipairs { "down", "blackhole", "failing", "overloaded" } do
      lasting(list, DURATIONS, function(seconds)
        return { kind = "regions", region = region, state = state, lasts = seconds,
          request = point.n }
      end)
    end
  end
end

local function add_lies(list, point)
  for _, lie in ipairs(looks.LISTED) do
    lasting(list, looks.durations(lie[1]), function(seconds)
      return { kind = "hostile", name = lie[1], change = { [lie[1]] = lie[2] }, lasts = seconds,
        request = point.n }
    end)
  end
end

local function add_outage(list, point, action)
  local throttled = not action:find "^Describe"
  lasting(list, OUTAGES, function(seconds)
    return { kind = "outages", action = action, lasts = seconds, request = point.n,
      code = throttled and "Throttling.User" or "InternalError",
      status = throttled and 400 or 500 }
  end)
end

-- Troubles that pass by themselves have one duration.
local function add_passing(list, point)
  for _, trouble in ipairs(looks.at(point)) do chained(list, { trouble }) end
  for _, trouble in ipairs(surroundings.at(point)) do chained(list, { trouble }) end
end

local function add_people(list, point, about)
  for _, act in ipairs(ACTS) do
    chained(list, { { kind = "operators", name = act[1], nth_group = act[2],
      request = point.n } })
  end
  for _, clock in ipairs(CLOCK) do
    family(list, { { kind = "clock", name = clock[1], seconds = clock[2], request = point.n } })
  end
  if about.next_wait then
    count(about.merged, "signals", 1)
  else
    family(list, { { kind = "stops", name = "interrupt", request = point.n, after = false,
      delay = 0 } })
  end
  family(list, { { kind = "stops", name = "host", request = point.n, after = false, delay = 0 } })
end

-- Numbers of unsynced bytes that a crash can keep, each once.
local function kept(unsynced, merged)
  local list, known = {}, {}
  for _, bytes in ipairs(KEEP) do
    local own = math.min(bytes, unsynced)
    if not known[own] then list[#list + 1] = bytes end
    known[own] = true
  end
  count(merged, "bytes", (#KEEP - #list) * #PAUSES)
  return list
end

-- Key of what the process after a crash finds: disk, service, time. nil for a crash at a changing
-- request, which the invariants know of, so it is like no other one.
local function left(point, after, keep, pause)
  if not point.durable or not after or point.mutating then return nil end
  return ("%d %s %d bytes, %d %d calls, at %.9f + %d"):format(point.process, after.disk_state,
    after.durable + math.min(keep, after.unsynced), point.changes, point.ledger, point.time, pause)
end

-- after: the point with the state of the disk after the crash; nil if it is not known
local function add_crashes(list, point, how, unsynced, about, after)
  for _, keep in ipairs(kept(unsynced, about.merged)) do
    count(about.merged, "pauses", #PAUSES - #LIMITS)
    for _, pause in ipairs(LIMITS) do
      family(list, { { kind = "crashes", how = how, keep = keep, pause = pause,
        call = point.kind == "disk" and point.n or nil,
        request = point.kind == "request" and point.n or nil } }, "left",
        left(point, after, keep, pause))
    end
  end
end

local AT = { program = function(list, point) each_of(list, programs.at(point)) end }

function AT.request(list, point, about)
  if point.mutating then add_answers(list, point) else add_reads(list, point) end
  add_regions(list, point)
  add_lies(list, point)
  add_outage(list, point, point.action)
  add_passing(list, point)
  add_people(list, point, about)
  each_of(list, elsewhere.at { request = point.n })
  add_crashes(list, point, "crash", point.unsynced, about, point)
end

-- Bytes that a crash after a call may lose: after a write all unsynced ones, after a sync none.
local function unsynced_after(point, after)
  if point.op == "sync" then return 0 end
  return after and after.unsynced or point.unsynced
end

function AT.disk(list, point, about)
  local merged, after = about.merged, about.next_disk
  if after and after.process ~= point.process then after = nil end
  add_crashes(list, point, "crash", point.unsynced, about, point)
  add_crashes(list, point, "crash_after", unsynced_after(point, after), about, after)
  if point.op == "append" then
    add_crashes(list, point, "torn", 0, about, nil)
    each_of(list, elsewhere.at { call = point.n })
  else
    count(merged, "copies", #elsewhere.at {})
    count(merged, "whole", #KEEP * #PAUSES + 2)
  end
  for _, how in ipairs { "ENOSPC", "EIO", "EROFS", "short" } do
    if how ~= "short" or point.op == "append" then
      family(list, { { kind = "disk", call = point.n, how = how, once = true },
        { kind = "disk", call = point.n, how = how, once = false } })
    end
  end
end

-- With stops of a step, a request takes a second, and so does its answer. A stop comes during each
-- request, and during the answer of each changing request.
local FLIGHT, AROUND = 1, { { "step" }, { "scope" }, { "task" }, { "task", true }, { "sibling" } }

function AT.step(list, point)
  local moments = {}
  for i, request in ipairs(point.asked) do
    local begins = request.since + 2 * FLIGHT * (i - 1)
    moments[#moments + 1] = begins + FLIGHT / 2
    if request.mutating then moments[#moments + 1] = begins + FLIGHT * 3 / 2 end
  end
  for _, seconds in ipairs(moments) do
    for _, how in ipairs(AROUND) do
      family(list, { { kind = "stops", name = how[1], goes_on = how[2], nth_step = point.n,
        seconds = seconds, flight = FLIGHT } })
    end
  end
end

function AT.wait(list, point)
  family(list, { { kind = "stops", name = "interrupt", wait = point.n } })
end

local LOST = { "lost_answer", "unknown", "unreachable", "full" }

local function add_store(list, point, name, fields)
  local trouble = { kind = "controllers", name = name, call = point.n,
    pause = (fields.seconds or 0) + 30 }
  for field, value in pairs(fields) do trouble[field] = value end
  family(list, { trouble })
end

-- Seconds for which a controller stands still: none, or longer than all limits. Four are drawn.
local STOOD, ALL_STOOD = { 0, 1000 }, 4

local function add_takeovers(list, point, about)
  for _, after in ipairs { false, true } do
    for _, seconds in ipairs(STOOD) do
      add_store(list, point, "takeover", { seconds = seconds, after = after })
    end
    count(about.merged, "stood", ALL_STOOD - #STOOD)
  end
  add_store(list, point, "expiry", { after = false })
  if about.next_store then
    count(about.merged, "leases", 1)
  else
    add_store(list, point, "expiry", { after = true })
  end
end

function AT.store(list, point, about)
  add_takeovers(list, point, about)
  for _, how in ipairs(LOST) do
    lasting(list, { 1, 2, 5, 100 }, function(lasts)
      return { kind = "controllers", name = "answers", call = point.n, pause = 30, how = how,
        lasts = lasts }
    end)
  end
  for _, how in ipairs { "late", "late_answer" } do
    for _, seconds in ipairs { 1, 3, 5, 13, 40 } do
      add_store(list, point, "slow", { how = how, seconds = seconds, lasts = 1 })
    end
  end
end

-- By rule: kind of the troubles that it merges while the points are listed.
local MERGED_OF = { bytes = "crashes", whole = "crashes", pauses = "crashes", signals = "stops",
  stood = "controllers", leases = "controllers", copies = "elsewhere" }

-- With a shared store another controller comes while a request is on its way, or its answer.
local SHARED = { store = AT.store }

function SHARED.request(list, point)
  for _, after in ipairs { false, true } do
    for _, seconds in ipairs(STOOD) do
      if point.mutating or not after then
        family(list, { { kind = "controllers", name = "takeover", request = point.n, after = after,
          seconds = seconds, pause = seconds + 30 } })
      end
    end
  end
end

local function is_kind(kinds, trouble)
  return not kinds or kinds[trouble.kind] or trouble.kind == "hostile" and kinds[trouble.name]
end

-- For each point the next one with a state of the disk, the next wait and the next store call.
local function look_ahead(points, options)
  local ahead, disk, wait, store = {}, nil, nil, nil
  for i = #points, 1, -1 do
    local point = points[i]
    ahead[i] = { next_disk = disk, next_wait = wait, next_store = store }
    if point.durable then disk = point end
    if i <= (options.last or #points) then
      if point.kind == "wait" then wait = point end
      if point.kind == "store" then store = point end
    end
  end
  return ahead
end

-- Keeps the last one of the families with the same key: by then most is known of the run.
local function without_known(all, merged, told)
  local last, rest = {}, {}
  for _, each in ipairs(all) do
    if each.key then last[each.key] = each end
  end
  for _, each in ipairs(all) do
    if not each.key or last[each.key] == each then
      rest[#rest + 1] = each
    else
      count(merged, each.rule, #each.troubles)
      if told then told(each, last[each.key]) end
    end
  end
  return rest
end

-- Keeps the families and the merged counts of the kinds that were asked for.
local function keep_kinds(list, merged, kinds)
  if not kinds then return list, merged end
  local rest, counted = {}, {}
  for _, each in ipairs(list) do
    if is_kind(kinds, each.troubles[1]) then rest[#rest + 1] = each end
  end
  for rule, n in pairs(merged) do
    if kinds[MERGED_OF[rule]] then counted[rule] = n end
  end
  return rest, counted
end

---@class alicloud.simulation.Listing
---@field first integer? index of the first point; nil: 1
---@field last integer? index of the last point; nil: that of the trace
---@field kinds table<string, boolean>? of trouble; nil: all
---@field shared boolean? true: the store is shared
---@field typos alicloud.simulation.Typo[]? typos with which the run may begin
---@field told fun(merged: alicloud.simulation.Family, same: alicloud.simulation.Family)? called for
---each family that is left out, with the same one that stays

--- Lists the families of the points of a trace.
---@param points alicloud.simulation.Point[]
---@param options alicloud.simulation.Listing
---@return alicloud.simulation.Family[]
---@return table<string, integer> merged by rule
function M.list(points, options)
  local all, merged, ahead = {}, {}, look_ahead(points, options)
  for i = options.first or 1, options.last or #points do
    local point, list = points[i], {}
    ahead[i].merged = merged
    if i == 1 then each_of(list, corrections.at(options.typos or {})) end
    local at = options.shared and SHARED or AT
    if at[point.kind] then at[point.kind](list, point, ahead[i]) end
    for _, each in ipairs(list) do each.at, all[#all + 1] = i, each end
  end
  all, merged = keep_kinds(all, merged, options.kinds)
  return without_known(all, merged, options.told), merged
end

return M
