--- Asks for consent before a run makes a change that cannot be undone. The question is asked once;
--- the journal keeps the answer for later processes.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local states = require "alicloud.dr.playbook.state"
local tables = require "alicloud.base.tables"

---@module "alicloud.dr.group"
local groups = lazy.module "alicloud.dr.group"
---@module "alicloud.dr.read.many"
local many = lazy.module "alicloud.dr.read.many"

local M = {}

---@class alicloud.dr.RunQuestion the run that is to be agreed to
---@field playbook string
---@field kind "drill"|"planned"|"unplanned"
---@field groups alicloud.dr.AskedGroup[] the groups that the run has named so far, by tier and id
---@field unseen integer how many of them were not looked at, because there are many

---@class alicloud.dr.AskedGroup
---@field id string
---@field region string
---@field to string? zone or region of the side that is meant, if one was named
---@field tier integer? the lowest go first; nil: the step has no tiers
---@field snapshot alicloud.dr.Snapshot?
---@field err alicloud.Error? why the group could not be read

local MOST_LOOKED_AT = 20
local PAUSE = 0.05

-- Whether it is time to ask. A playbook with a point of no return asks at its first step after it
-- has named a group; within a branch, where other groups may not be named yet, at the point of no
-- return itself. A playbook without one asks before its first such verb, if the run can ask.
local function is_due(branch, options)
  local engine = branch.engine
  if not engine.options.confirm or engine.consented then return false end
  if states.is_agreed(engine.state) then return false end
  if options.point_of_no_return or options.verb and engine.options.ask then return true end
  return engine.playbook.no_return and branch.prefix == "" and next(engine.named) ~= nil
end

-- The sides from which the run has named each group, by its id.
local function sides_of(engine)
  local sides = {}
  for _, key in ipairs(tables.keys(engine.named)) do
    local bound = engine.named[key]
    sides[bound.id] = sides[bound.id] or {}
    table.insert(sides[bound.id], bound)
  end
  return sides
end

-- Looks together at all sides that are shown: one after the other would take many seconds.
local function look_at(client, ids, sides)
  local named, list, seen = {}, {}, {}
  for i = 1, math.min(#ids, MOST_LOOKED_AT) do
    for _, side in ipairs(sides[ids[i]]) do
      named[#named + 1] = side
      list[#list + 1] = groups.new(client, side.id, { region = side.region, to = side.to })
    end
  end
  for i, told in ipairs(many.look(list)) do seen[named[i]] = told end
  return seen
end

-- The entry of a group. If the run has named it from both sites, the secondary site is shown.
local function shown(sides, seen)
  local found
  for _, side in ipairs(sides) do
    local told = seen[side] or {}
    local is_secondary = told.snapshot and told.snapshot.role == "secondary"
    if is_secondary or not found or not found.snapshot then
      found = { id = side.id, region = side.region, to = side.to, snapshot = told.snapshot,
        err = told.err }
    end
    if is_secondary then break end
  end
  return found
end

-- The groups by tier and id: the first ones are looked at and shown first.
local function in_order(ids, tier)
  local tiers = {}
  for _, id in ipairs(tier and ids or {}) do tiers[id] = tier(id) or 1 end
  table.sort(ids, function(a, b)
    if tiers[a] ~= tiers[b] then return tiers[a] < tiers[b] end
    return a < b
  end)
  return ids, tiers
end

local function question_of(engine, tier)
  local sides, asked = sides_of(engine), {}
  local ids, tiers = in_order(tables.keys(sides), tier)
  local seen = look_at(engine.client, ids, sides)
  for i, id in ipairs(ids) do
    asked[i] = shown(sides[id], seen)
    asked[i].tier = tiers[id]
  end
  return { playbook = engine.playbook.name, kind = engine.state.run.kind, groups = asked,
    unseen = math.max(0, #ids - MOST_LOOKED_AT) }
end

local function record(engine, question, how, by)
  local list = {}
  for i, asked in ipairs(question.groups) do
    local snapshot = asked.snapshot or {}
    list[i] = { id = asked.id, region = asked.region, recover_point = snapshot.recover_point,
      from = snapshot.from and snapshot.from.region, to = snapshot.to and snapshot.to.region }
  end
  engine:record { type = "confirmed", by = type(by) == "string" and by or engine.holder.owner,
    how = type(how) == "string" and how or nil, groups = core.array(list) }
end

local function refused(question)
  local names = {}
  for i, asked in ipairs(question.groups) do names[i] = asked.id end
  return errors.new { kind = "cancelled", code = "Client.NotConfirmed", outcome = "not_sent",
    message = ("the run was not confirmed, nothing was sent%s"):format(
      #names > 0 and " to " .. tables.few(names) or "") }
end

--- Asks before a step, if it is time to. Ends the run if nobody agrees.
---@param branch alicloud.dr.PlaybookRun
---@param options { point_of_no_return: boolean?, verb: boolean? } of the step; verb: called within
---a step, before a verb of a group that cannot be undone
function M.ask(branch, options)
  local engine = branch.engine
  -- Another branch may be asking.
  while engine.asking do engine.loop.sleep(PAUSE) end
  branch:go_on()
  if not is_due(branch, options) then return end
  engine.asking = true
  local _ <close> = setmetatable({}, { __close = function() engine.asking = nil end })
  local question = question_of(engine, options.tier)
  local ok, how, by = guard.call(engine.options.confirm, question)
  if not ok or not how then engine:stop(refused(question)) end
  engine.consented = true
  record(engine, question, how, by)
end

return M
