--- Wrong and unusual reads: hostile switches of the emulator by which looks show what is not so, or
--- show it in an unusual form. This module draws them with their values, and tells which of them
--- must not change how a run ends.

local tables = require "alicloud.base.tables"

local M = {}

-- Switches that come at some moment of a run.
local LIES = { "stale_read", "group_ahead", "short_list", "empty_list", "unknown_status",
  "permissive", "token_forget", "pair_ids" }

-- Unusual reads, which must not decide anything.
local ODD = { "odd_look", "mixed_pairs", "pair_count_off", "pair_names", "recover_point_as" }

-- Reads that show an old state, or not yet the new one.
local PASSING_NAMES = { "old_record", "membership", "recover_point_as" }

--- Names of the switches by which a run may make a mistake.
M.HOSTILE = table.move(PASSING_NAMES, 1, #PASSING_NAMES, #LIES + 1, { table.unpack(LIES) })

--- All names of troubles of this kind: those in `HOSTILE`, and those that must not decide anything.
M.NAMES = table.move({ "odd_look", "mixed_pairs", "pair_count_off", "token_errors_random" }, 1, 4,
  #M.HOSTILE + 1, { table.unpack(M.HOSTILE) })

local FOR_EVER = 100000

local VALUES = {
  stale_read = function(d) return d:pick { 3, 9, 14, 25 } end,
  group_ahead = function() return true end,
  short_list = function(d) return d:pick { 1, 1, 2 } end,
  empty_list = function() return true end,
  unknown_status = function() return "levitating" end,
  permissive = function() return true end,
  token_forget = function() return true end,
  pair_ids = function() return "comma" end,
}

--- Draws a switch that comes at some moment.
---@param d alicloud.simulation.Random
---@return string name of the switch
---@return any value
function M.lie(d)
  local name = d:pick(LIES)
  return name, VALUES[name](d)
end

local HARMLESS_LIES = { "pair_ids", "group_ahead" }

local function from_start(name, value, lasts)
  return { kind = "hostile", name = name, change = { [name] = value }, from_start = true,
    lasts = lasts }
end

--- Draws a switch that must not change how the run ends.
---@param d alicloud.simulation.Random
---@return alicloud.simulation.Trouble
function M.harmless(d)
  local name = d:pick(HARMLESS_LIES)
  return from_start(name, VALUES[name](d), FOR_EVER)
end

-- Unusual reads pass, or change nothing. Each function gives the name of the switch and a value.
local ODDITIES = {
  odd_look = function(d) return "odd_look", d:pick { 1, 2, 3, 3, 4, 6 } end,
  mixed_pairs = function() return "mixed_pairs", true end,
  pair_count_off = function(d) return "pair_count_off", d:pick { -1, 1, 2 } end,
  pair_names = function() return "pair_ids", "empty" end,
  recover_point_as = function(d)
    return "recover_point_as", d:pick { "text", "milliseconds", "rfc3339", "group_absent" }
  end,
}

--- Draws unusual reads: one of them, or all.
---@param d alicloud.simulation.Random
---@return alicloud.simulation.Trouble
function M.odd(d)
  local name, value = ODDITIES[d:pick(ODD)](d)
  return from_start(name, value, name == "mixed_pairs" and 40 or FOR_EVER)
end

--- Values by which recovery points are useless: there is none, it is in the future, or it is of the
--- other direction.
M.USELESS_POINTS = { "absent", "zero", "empty", "future", "other_direction" }

--- Seconds for which lists lag behind each other, and for which one look at an old state lasts.
M.LAGS, M.ONE_LOOK = 40, 1

local PASSING = {
  old_record = function() return true, M.ONE_LOOK end,
  membership = function(d) return d:pick { "pairs", "group" }, M.LAGS end,
  recover_point_as = function(d) return d:pick(M.USELESS_POINTS), d:pick { 30, 100, FOR_EVER } end,
}

--- Draws reads that show an old state, or not yet the new one everywhere. The caller draws their
--- moment.
---@param d alicloud.simulation.Random
---@return alicloud.simulation.Trouble
function M.passing(d)
  local name = d:pick(PASSING_NAMES)
  local value, lasts = PASSING[name](d)
  return { kind = "hostile", name = name, change = { [name] = value }, lasts = lasts }
end

--- Switches that last, with all their values, for enumerations.
M.LISTED = {
  { "stale_read", 3 }, { "stale_read", 9 }, { "stale_read", 14 }, { "stale_read", 25 },
  { "group_ahead", true }, { "short_list", 1 }, { "short_list", 2 }, { "empty_list", true },
  { "unknown_status", "levitating" }, { "permissive", true }, { "token_forget", true },
  { "pair_ids", "comma" }, { "pair_ids", "empty" }, { "odd_look", 1 }, { "odd_look", 2 },
  { "mixed_pairs", true }, { "pair_count_off", -1 }, { "pair_count_off", 1 },
  { "pair_count_off", 2 }, { "recover_point_as", "text" }, { "recover_point_as", "milliseconds" },
  { "recover_point_as", "rfc3339" }, { "recover_point_as", "group_absent" },
}

-- Seconds. Pairs differ from their group for as long as a cycle or a stop takes, not for ever.
local BETWEEN, LASTING = { 5, 20, 40 }, { 5, 20, 60, 5000 }

--- The durations of a switch, for enumerations, the shortest first.
---@param name string
---@return integer[] seconds
function M.durations(name) return name == "mixed_pairs" and BETWEEN or LASTING end

--- Lists the troubles of this kind that pass and can come at a request.
---@param point alicloud.simulation.Point of a request
---@return alicloud.simulation.Trouble[]
function M.at(point)
  local list = {}
  local function add(name, value, lasts)
    list[#list + 1] = { kind = "hostile", name = name, change = { [name] = value }, lasts = lasts,
      request = point.n }
  end
  add("old_record", true, M.ONE_LOOK)
  add("membership", "pairs", M.LAGS)
  add("membership", "group", M.LAGS)
  for _, how in ipairs(M.USELESS_POINTS) do add("recover_point_as", how, FOR_EVER) end
  return list
end

local HARMLESS = tables.set { "pair_ids", "group_ahead", "pair_count_off", "mixed_pairs",
  "token_errors_random" }

-- Not harmless beside others: after a crash one of these may prevent a lost call from being sent
-- again, and in a run of several groups it may leave one out.
local HARMLESS_ALONE = tables.set { "odd_look", "old_record", "membership" }

-- Forms from which the age of the copy can be told. It cannot without a point, or from one in the
-- future.
local READABLE_POINTS = tables.set { "text", "milliseconds", "rfc3339", "group_absent" }

--- Whether reads show an old state for a moment, or not yet the new one.
---@param trouble alicloud.simulation.Trouble
---@return boolean
function M.is_passing(trouble)
  return trouble.name == "old_record" or trouble.name == "membership"
end

--- Whether a trouble of this kind must not change how a run ends.
---@param trouble alicloud.simulation.Trouble
---@param alone boolean it is the only trouble, and the run has one group
---@return boolean
function M.is_harmless(trouble, alone)
  local name = trouble.kind == "hostile" and trouble.name
  if not name then return false end
  if name == "recover_point_as" then return READABLE_POINTS[trouble.change[name]] or false end
  return HARMLESS[name] or alone and HARMLESS_ALONE[name] or false
end

--- Whether troubles leave no two of a group's count, names and listed pairs that agree. One missing
--- pair may be a list that is cut, so the run has to refuse the failover.
---@param troubles alicloud.simulation.Trouble[]
---@return boolean
function M.are_undecidable(troubles)
  local unnamed, counts_more = false, false
  for _, trouble in ipairs(troubles) do
    local change = trouble.kind == "hostile" and trouble.change or {}
    unnamed = unnamed or change.pair_ids == "empty"
    counts_more = counts_more or (change.pair_count_off or 0) > 0
  end
  return unnamed and counts_more
end

return M
