--- Every single trouble that can come at the points of a trace. What cannot differ is listed once:
--- a family is one trouble with its values of a time, the shortest first, and what is left out from
--- the start is counted by the rule that says why.

local generate = require "alicloud.simulation.generate"

local M = {}

--- Why a trouble is not run, in words.
M.RULES = {
  bytes = "a crash that keeps as many of the unsynced bytes as another",
  whole = "half a write where nothing is written",
  pauses = "a pause that passes no other limit than another",
  copies = "a colleague with a copy of the journal that has the same records as another",
  ended = "a trouble that lasts longer, where the run ends before the shorter one does",
  rejoined = "a second trouble where the run goes on as if there had been no first one",
}

---@class alicloud.simulation.Family
---@field at integer index of its point
---@field troubles alicloud.simulation.Trouble[] the shortest first

-- Values as alicloud.simulation.generate draws them, each once.
local DURATIONS, LIE_DURATIONS, OUTAGES = { 5, 20, 60, 300 }, { 5, 20, 60, 5000 },
  { 30, 120, 600, 20000 }
local KEEP, PAUSES = { 0, 1, 60, 100000 }, { 0, 1, 10, 20, 40, 60, 150, 600 }
-- Nothing has passed; the failover has ended, and its call may be repeated; that may not be.
local LIMITS = { 0, 40, 600 }

local ANSWERS = {
  { { drop = true }, "before", "after" }, { { apply_late = 1 } }, { { apply_late = 8 } },
  { { apply_late = 14 } }, { { apply_late = 16 } }, { { apply_late = 40 } },
  { { apply_late = 130 } }, { { delay = 5 }, "before", "after" },
  { { delay = 20 }, "before", "after" }, { { delay = 70 }, "before", "after" },
}
-- What only the work of a group can have.
local GROUP_ANSWERS = { { { stuck = true } }, { { partial = 1 } } }

-- Lies and odd looks, with the values that they can have.
local LIES = {
  { "stale_read", 3 }, { "stale_read", 9 }, { "stale_read", 14 }, { "stale_read", 25 },
  { "group_ahead", true }, { "short_list", 1 }, { "short_list", 2 }, { "empty_list", true },
  { "unknown_status", "levitating" }, { "permissive", true }, { "token_forget", true },
  { "pair_ids", "comma" }, { "pair_ids", "empty" }, { "odd_look", 1 }, { "odd_look", 2 },
  { "mixed_pairs", true }, { "pair_count_off", -1 }, { "pair_count_off", 1 },
  { "pair_count_off", 2 }, { "recover_point_as", "text" }, { "recover_point_as", "milliseconds" },
  { "recover_point_as", "future" }, { "recover_point_as", "group_absent" },
}

local ACTS = { { "reverse", 1 }, { "reverse", 2 }, { "stop", 1 }, { "reprotect", 1 },
  { "remove_pair", 1 }, { "failover", 1 }, { "rival", 1 }, { "colleague", 1 } }
local CLOCK = { { "jump", 40 }, { "jump", 700 }, { "jump", 7200 }, { "jump", -5 },
  { "jump", -700 }, { "suspend", 30 }, { "suspend", 130 }, { "suspend", 3600 } }

local function family(list, troubles)
  list[#list + 1] = { troubles = troubles }
end

local function lasting(list, durations, make)
  local troubles = {}
  for i, seconds in ipairs(durations) do troubles[i] = make(seconds) end
  family(list, troubles)
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
  for _, lie in ipairs(LIES) do
    lasting(list, LIE_DURATIONS, function(seconds)
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

local function add_people(list, point)
  for _, act in ipairs(ACTS) do
    family(list, { { kind = "operators", name = act[1], nth_group = act[2], request = point.n } })
  end
  for _, clock in ipairs(CLOCK) do
    family(list, { { kind = "clock", name = clock[1], seconds = clock[2], request = point.n } })
  end
  for _, name in ipairs { "interrupt", "host" } do
    family(list, { { kind = "stops", name = name, request = point.n, after = false, delay = 0 } })
  end
end

local function count(merged, rule, n)
  merged[rule] = (merged[rule] or 0) + n
end

-- How many of the unsynced bytes a crash can keep.
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

local function add_crashes(list, point, how, unsynced, merged)
  for _, keep in ipairs(kept(unsynced, merged)) do
    count(merged, "pauses", #PAUSES - #LIMITS)
    for _, pause in ipairs(LIMITS) do
      family(list, { { kind = "crashes", how = how, keep = keep, pause = pause,
        call = point.kind == "disk" and point.n or nil,
        request = point.kind == "request" and point.n or nil } })
    end
  end
end

-- Seconds until the first one comes back: at once, and beyond what limits a call to be repeated.
local AWAY = { 0, 100, 1000 }

local function add_elsewhere(list, moment)
  for _, seconds in ipairs(AWAY) do
    family(list, { { kind = "elsewhere", seconds = seconds, request = moment.request,
      call = moment.call } })
  end
end

local AT = {}

function AT.request(list, point, about)
  if point.mutating then add_answers(list, point) else add_reads(list, point) end
  add_regions(list, point)
  add_lies(list, point)
  add_outage(list, point, point.action)
  add_people(list, point)
  add_elsewhere(list, { request = point.n })
  add_crashes(list, point, "crash", point.unsynced, about.merged)
end

-- After a write everything of it may be lost, and after a sync nothing.
local function unsynced_after(point, next_point)
  if point.op == "sync" then return 0 end
  return next_point and next_point.unsynced or point.unsynced
end

function AT.disk(list, point, about)
  local merged = about.merged
  add_crashes(list, point, "crash", point.unsynced, merged)
  add_crashes(list, point, "crash_after", unsynced_after(point, about.following), merged)
  if point.op == "append" then
    add_crashes(list, point, "torn", 0, merged)
    add_elsewhere(list, { call = point.n })
  else
    count(merged, "copies", #AWAY)
    count(merged, "whole", #KEEP * #PAUSES + 2)
  end
  for _, how in ipairs { "ENOSPC", "EIO", "EROFS", "short" } do
    if how ~= "short" or point.op == "append" then
      for _, once in ipairs { true, false } do
        family(list, { { kind = "disk", call = point.n, how = how, once = once } })
      end
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

function AT.store(list, point)
  for _, after in ipairs { false, true } do
    for _, seconds in ipairs { 0, 20, 100, 1000 } do
      add_store(list, point, "takeover", { seconds = seconds, after = after })
    end
    add_store(list, point, "expiry", { after = after })
  end
  for _, how in ipairs(LOST) do
    for _, lasts in ipairs { 1, 2, 5, 100 } do
      add_store(list, point, "answers", { how = how, lasts = lasts })
    end
  end
  for _, how in ipairs { "late", "late_answer" } do
    for _, seconds in ipairs { 1, 3, 5, 13, 40 } do
      add_store(list, point, "slow", { how = how, seconds = seconds, lasts = 1 })
    end
  end
end

function AT.program(list, point)
  for _, seconds in ipairs { 0, 60 } do
    family(list, { { kind = "programs", name = "fails", start = point.n, seconds = seconds } })
  end
  family(list, { { kind = "programs", name = "hangs", start = point.n, seconds = 0 } })
end

-- What comes with the beginning of a run.
local function add_typos(list, typos)
  for _, typo in ipairs(typos or {}) do
    family(list, { { kind = "typos", name = typo.name, wrong = typo.wrong } })
  end
end

local function is_kind(kinds, trouble)
  return not kinds or kinds[trouble.kind] or trouble.kind == "hostile" and kinds[trouble.name]
end

--- Lists the families of the points of a trace.
---@param points alicloud.simulation.Point[]
---@param options { first: integer?, last: integer?, kinds: table<string, boolean>?,
---except: table<string, boolean>?, typos: alicloud.simulation.Typo[]? } points from and to; kinds
---of trouble; kinds of point that are left out; what comes with the beginning
---@return alicloud.simulation.Family[]
---@return table<string, integer> merged by rule
function M.list(points, options)
  local all, about = {}, { merged = {} }
  for i = options.first or 1, options.last or #points do
    local point, list = points[i], {}
    if i == 1 then add_typos(list, options.typos) end
    if not (options.except and options.except[point.kind]) then
      about.following = points[i + 1]
      AT[point.kind](list, point, about)
    end
    for _, each in ipairs(list) do
      if is_kind(options.kinds, each.troubles[1]) then
        each.at, all[#all + 1] = i, each
      end
    end
  end
  local merged, kinds = {}, options.kinds
  for rule, n in pairs(about.merged) do
    local kind = rule == "copies" and "elsewhere" or "crashes"
    if not kinds or kinds[kind] then merged[rule] = n end
  end
  return all, merged
end

return M
