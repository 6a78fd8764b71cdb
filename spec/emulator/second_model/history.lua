-- Histories of emulators, for the second reading: every call that reached the model with the
-- records before and after it, and every step that time takes, one at a time. While `record` runs,
-- the class of the worlds and the table of operations are listened to, so that each emulator that
-- anybody makes meanwhile is heard, with no hook in the product.

local emulator = require "alicloud.emulator"
local operations = require "alicloud.emulator.operations"
local state = require "alicloud.emulator.model.state"

local M = {}

local function place(where) return where and where.region .. "/" .. where.zone or "?" end

-- held: what the documents forbid, idle: what they ask for; nil: attached to a machine that stands
-- still, of which they say both.
local function use(world, id)
  local disk = world.disk_by_id[id]
  if not disk or disk.status == "Available" then return "idle" end
  local instance = world.instance_by_id[disk.instance]
  return not (instance and instance.status == "Stopped") and "held" or nil
end

local function look_at_pair(world, pair, now)
  local source, destination = place(world:place(pair, "source")),
    place(world:place(pair, "destination"))
  return { kind = "pair", status = pair.status, group = pair.group_id,
    point = state.pair_recover_point(world, pair, now), source = source,
    destination = destination, primary = place(world:place(pair, "initial_source")),
    standby = place(world:place(pair, "initial_destination")),
    source_disk = pair.source_disk, destination_disk = pair.destination_disk,
    source_use = use(world, pair.source_disk), destination_use = use(world, pair.destination_disk) }
end

local function look_at_group(group, now)
  local members = {}
  for index, pair in ipairs(group.pairs) do members[index] = pair.id end
  return { kind = "group", status = group.status, members = members,
    point = state.recover_point(group, now), source = place(group.source),
    destination = place(group.destination), primary = place(group.initial_source),
    standby = place(group.initial_destination) }
end

--- The records of a world at a moment.
---@param world alicloud.emulator.World
---@param now number
---@return table<string, table>
function M.look(world, now)
  local all = {}
  for _, group in ipairs(world.groups) do all[group.id] = look_at_group(group, now) end
  for _, pair in ipairs(world.pairs) do all[pair.id] = look_at_pair(world, pair, now) end
  for _, drill in ipairs(world.drills) do
    all[drill.id] = { kind = "drill", status = drill.status, point = drill.recover_point,
      unit = drill.group or drill.pair }
  end
  return all
end

-- When a unit that replicates shows its next change: the copying part of a cycle begins or ends.
local function next_edge(unit, after, copying)
  local due, rpo = unit.next_cycle, unit.rpo
  if not due or rpo == 0 or unit.transition then return math.huge end
  if unit.status ~= "normal" and unit.status ~= "syncing" then return math.huge end
  local nearest = math.huge
  for _, edge in ipairs { due, due - copying } do
    local rounds = math.max(0, (after - edge) // rpo + 1)
    local at = edge + rounds * rpo
    if at > after then nearest = math.min(nearest, at) end
  end
  return nearest
end

local function next_moment(world, after)
  local at = world.next_due
  local copying = world.timings.cycle_sync
  for _, list in ipairs { world.groups, world.pairs } do
    for _, unit in ipairs(list) do at = math.min(at, next_edge(unit, after, copying)) end
  end
  return at
end

local function copy_of(params)
  local copy = {}
  for name, value in pairs(params) do copy[name] = value end
  return copy
end

local Tape = {}
Tape.__index = Tape

function Tape:of(world)
  local reel = self.reels[world]
  if not reel then
    reel = { entries = {} }
    self.reels[world] = reel
    self.histories[#self.histories + 1] = reel.entries
  end
  return reel
end

-- Time goes on to a moment: stops at every step between.
function Tape:advance(world, now)
  local reel = self:of(world)
  local after = reel.at or now
  while true do
    local at = next_moment(world, after)
    if at > now then at = now end
    local before = reel.records or M.look(world, after)
    self.advance_to(world, at)
    reel.records = M.look(world, at)
    reel.entries[#reel.entries + 1] = { at = at, before = before, after = reel.records }
    reel.at, after = at, at
    if at >= now then return end
  end
end

function Tape:call(emu, params, context, run)
  local reel = self:of(emu.world)
  local before = M.look(emu.world, context.now)
  local result, refusal = run(emu, params, context)
  reel.records = M.look(emu.world, context.now)
  reel.at = math.max(reel.at or 0, context.now)
  reel.entries[#reel.entries + 1] = { at = context.now, action = context.action,
    params = copy_of(params), code = refusal and refusal.code, before = before,
    after = reel.records, answer = result }
  return result, refusal
end

local function patch(tape)
  local undo = {}
  local class = getmetatable(emulator.new().world).__index
  tape.advance_to = class.advance_to
  class.advance_to = function(world, now) return tape:advance(world, now) end
  undo[1] = function() class.advance_to = tape.advance_to end
  for _, product in pairs(operations.products) do
    for _, operation in pairs(product.operations) do
      local run = operation.run
      operation.run = function(emu, params, context)
        return tape:call(emu, params, context, run)
      end
      undo[#undo + 1] = function() operation.run = run end
    end
  end
  return undo
end

--- Runs something and gives the histories of the worlds that were met in it, in their order.
---@param action fun()
---@return table[][]
function M.record(action)
  local tape = setmetatable({ reels = setmetatable({}, { __mode = "k" }), histories = {} }, Tape)
  local undo = patch(tape)
  local ok, err = xpcall(action, debug.traceback)
  for _, back in ipairs(undo) do back() end
  assert(ok, err)
  return tape.histories
end

return M
