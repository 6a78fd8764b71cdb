--- Tells which side of a group the user means, and which role it has now. If the sites lie in two
--- regions, the region that is asked is the side. If both lie in one region, the user has to name
--- the zone: a side that nobody has named is never opened.

local schema = require "alicloud.base.schema"
local snapshots = require "alicloud.dr.model.snapshot"
local transitions = require "alicloud.dr.model.transition"

local M = {}

---@class alicloud.dr.DirectionProblem
---@field kind "state"
---@field code string
---@field message string
---@field hint string

--- Whether `side`, a zone or a region, names a place.
---@param place alicloud.dr.Place
---@param side string
---@return boolean
function M.is_at(place, side)
  return place.zone == side or place.region == side
end

local function role_of(snapshot, side)
  local at_to, at_from = M.is_at(snapshot.to, side), M.is_at(snapshot.from, side)
  if at_to and at_from then return "both" end
  if at_to and snapshot.to.region == snapshot.region then return "secondary" end
  if at_from and snapshot.from.region == snapshot.region then return "primary" end
  return "unclear"
end

--- A snapshot with the role that one side has in it.
---@param snapshot alicloud.dr.Snapshot
---@param side string|nil zone or region; nil: the region that was asked is the side
---@return alicloud.dr.Snapshot
function M.towards(snapshot, side)
  if not side then return snapshot end
  local copy = {}
  for name, value in pairs(snapshot) do copy[name] = value end
  copy.side = side
  if snapshot.role ~= "absent" then copy.role = role_of(snapshot, side) end
  return copy
end

--- The name that tells one site of a group from the other: its region, or its zone if both sites
--- lie in one region.
---@param snapshot alicloud.dr.Snapshot
---@param place alicloud.dr.Place `from` or `to` of the snapshot
---@return string
function M.name(snapshot, place)
  if snapshot.from.region ~= snapshot.to.region then return place.region end
  return place.zone or place.region
end

local function problem(code, message, hint)
  return { kind = "state", code = code, message = message, hint = hint }
end

local function direction_needed(snapshot)
  local from, to = M.name(snapshot, snapshot.from), M.name(snapshot, snapshot.to)
  return problem("Client.DirectionNeeded",
    ("both sites of %s lie in %s, so the zone that is meant has to be said: %s is the destination "
      .. "now, %s the source"):format(snapshot.group_id, snapshot.region, to, from),
    ('say the zone: to = "%s", or to = "%s"'):format(to, from))
end

local function other_region(snapshot)
  local from, to = M.name(snapshot, snapshot.from), M.name(snapshot, snapshot.to)
  return problem("Client.WrongDirection",
    ("%s as the side of %s is not in the region %s that was named with it"):format(snapshot.side,
      snapshot.group_id, snapshot.region),
    ('name one of both alone: to = "%s" or to = "%s"'):format(to, from))
end

local function unknown_side(snapshot)
  local from, to = M.name(snapshot, snapshot.from), M.name(snapshot, snapshot.to)
  local close = schema.did_you_mean(snapshot.side, { [from] = true, [to] = true })
  return problem("Client.UnknownSide", ("to: got %s; %s goes %s; allowed: %s or %s%s"):format(
    schema.show(snapshot.side), snapshot.group_id, snapshots.direction(snapshot), to, from, close),
    ('name one of its sides: to = "%s" or to = "%s"'):format(to, from))
end

--- Why a snapshot does not tell which side is meant.
---@param snapshot alicloud.dr.Snapshot of a group that is listed
---@return alicloud.dr.DirectionProblem|nil problem nil if the side is the source or the destination
function M.problem(snapshot)
  if snapshot.role == "both" then return direction_needed(snapshot) end
  if snapshot.role ~= "unclear" then return nil end
  local side = snapshot.side
  if not side then
    return problem("Client.DirectionUnclear", ("%s: %s is on neither side"):format(
      snapshots.direction(snapshot), snapshot.region),
      "look again; if it stays so, read the group in the console")
  end
  local known = M.is_at(snapshot.from, side) or M.is_at(snapshot.to, side)
  return known and other_region(snapshot) or unknown_side(snapshot)
end

--- Message and hint for an action at the source that is possible only at the destination.
---@param snapshot alicloud.dr.Snapshot
---@param way_on string the action, to be followed by a place, e.g. "fail over in"
---@return string message
---@return string|nil hint
function M.wrong_side(snapshot, way_on)
  local to = M.name(snapshot, snapshot.to)
  if snapshot.from.region ~= snapshot.to.region then
    return ("%s is the primary site of %s; %s %s"):format(snapshot.region, snapshot.group_id,
      way_on, to)
  end
  return ("%s is the primary site of %s, which stands there already"):format(
    M.name(snapshot, snapshot.from), snapshot.group_id),
    ('nothing is to be done if that is where it should be; else %s the other one: to = "%s"')
      :format(way_on, to)
end

local function turned(unit)
  local copy = {}
  for name, value in pairs(unit) do copy[name] = value end
  copy.from, copy.to = unit.to, unit.from
  copy.source_disk, copy.destination_disk = unit.destination_disk, unit.source_disk
  return copy
end

--- A copy of a snapshot with source and destination exchanged.
---@param snapshot alicloud.dr.Snapshot
---@return alicloud.dr.Snapshot
function M.turned(snapshot)
  local copy = turned(snapshot)
  copy.pairs = {}
  for i, pair in ipairs(snapshot.pairs) do copy.pairs[i] = turned(pair) end
  return copy
end

--- Whether the service may run at the side that is meant.
---@param snapshot alicloud.dr.Snapshot
---@return "source"|"open"|nil standing source: the side is where data is copied from, or would be
---if replication were started; open: the group was failed over to the side; nil: neither
function M.standing(snapshot)
  if snapshots.is_failovered(snapshot) then return "open" end
  local source = snapshot.role == "primary" and transitions.is_done(transitions.reverse, snapshot)
  return source and "source" or nil
end

return M
