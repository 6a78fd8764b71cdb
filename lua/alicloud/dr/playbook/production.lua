--- Tells whether production is down because of a run: what the run has stopped and not brought
--- back, and what it has opened elsewhere and not served there. It follows from records of type
--- `production`, and from the failovers of a finished run. The first record of a group is written
--- before anything is stopped, so it is there even if the process dies.

local tables = require "alicloud.base.tables"

local M = {}

--- The error of a run that cannot go on, since somebody else has moved its group.
M.MOVED = "Client.GroupMoved"

--- Where the production of a group that is down, or opened and not served, can come up.
---@class alicloud.dr.WayUp
---@field group_id string
---@field way "back"|"open"|"turning"|"turned"|"opened" back: where it was; open: where somebody
---else has opened the group; turning: where it is open, once a reprotection by somebody else has
---ended; turned: at the source, since somebody else has reversed the group; opened: where a
---finished run has opened the group
---@field region string
---@field zone string? only if both sides lie in one region
---@field attach string? the instances that get the disks there, as for the option attach
---@field failed boolean? way "turning": the reprotection has failed

---@class alicloud.dr.Production
---@field group_id string
---@field region string where production was stopped
---@field zone string? of that side; nil: the run had not looked at the group before
---@field state "stopped"|"back"|"serving"
---@field before alicloud.dr.FencedDisk[] attachments and instance statuses before the first stop
---@field step string? the step that has stopped it

---@class alicloud.dr.ProductionDown
---@field groups alicloud.dr.Production[] stopped, and not served anywhere
---@field steps string[] steps that have stopped production by other means than a fence

local MOST_NAMES = 5

-- Adds later attachments to earlier ones, without changing these: a continued fence sees fewer.
local function merged(earlier, later)
  local list, known = {}, {}
  for _, uses in ipairs { earlier, later } do
    for _, use in ipairs(uses) do
      local key = use.disk .. " " .. use.instance
      if not known[key] then known[key], list[#list + 1] = true, use end
    end
  end
  return list
end

--- Applies a record of type `production`.
---@param list table<string, alicloud.dr.Production> by group; changed in place
---@param event table
---@param look table? the newest look at the group
function M.apply(list, event, look)
  local past = list[event.group_id]
  if event.state ~= "stopped" then
    list[event.group_id] = { group_id = event.group_id, region = event.region,
      state = event.state, before = {} }
    return
  end
  local goes_on = past and past.state == "stopped" and past.region == event.region
  list[event.group_id] = { group_id = event.group_id, region = event.region, state = "stopped",
    zone = goes_on and past.zone or look and look.from_zone, step = event.step,
    before = merged(goes_on and past.before or {}, event.before or {}) }
end

local function is_anything_served(state)
  if state.marks.verified then return true end
  for _, each in pairs(state.production) do
    if each.state == "serving" then return true end
  end
  return false
end

local STANDS = { begun = true, done = true, failed = true }

local function stopping_steps(state)
  local list = {}
  for _, key in ipairs(state.order) do
    local step = state.steps[key]
    if step.stops_production and STANDS[step.status] and step.may_have_acted ~= false then
      list[#list + 1] = key
    end
  end
  return list
end

local function has_failed_over(state, group_id)
  for i = #state.intents, 1, -1 do
    local entry = state.intents[i]
    if entry.verb == "failover" and entry.intent.group_id == group_id then
      return entry.outcome ~= nil and entry.outcome.ok == true
    end
  end
  return false
end

local FAILED_OVER = { failovered = true, already_failovered = true }

-- Whether a step has found a group open that others have failed over: then it has no intent.
local function has_found_open(state, group_id)
  for _, step in pairs(state.steps) do
    local result = step.status == "done" and step.result
    if type(result) == "table" and result.group_id == group_id and FAILED_OVER[result.outcome] then
      return true
    end
  end
  return false
end

-- Whether a finished run has opened a group, or found it open, and seen the service answer.
local function is_answered(state, group_id)
  return state.is_over and state.marks.verified ~= nil
    and (has_failed_over(state, group_id) or has_found_open(state, group_id))
end

--- The production that is down because of a run.
---@param state alicloud.dr.RunState
---@return alicloud.dr.ProductionDown|nil nil: the run knows of none
function M.down(state)
  local groups = {}
  for _, each in pairs(state.production) do
    if each.state == "stopped" and not is_answered(state, each.group_id) then
      groups[#groups + 1] = each
    end
  end
  table.sort(groups, function(a, b) return a.group_id < b.group_id end)
  local steps = is_anything_served(state) and {} or stopping_steps(state)
  if #groups + #steps == 0 then return nil end
  return { groups = groups, steps = steps }
end

local OPENED = { failovering = true, failovered = true, failover_failed = true }

local function side(look, name)
  return { region = look[name], zone = look.from == look.to and look[name .. "_zone"] or nil }
end

local function is_home(production, place)
  return place.region == production.region
    and (not place.zone or not production.zone or place.zone == production.zone)
end

--- The instances on which a group ran.
---@param production alicloud.dr.Production
---@return string[]
function M.instances(production)
  local list, seen = {}, {}
  for _, use in ipairs(production.before) do
    if not seen[use.instance] then seen[use.instance], list[#list + 1] = true, use.instance end
  end
  return list
end

-- The parameter `attach` as it is typed.
local function attach_text(given)
  if type(given) ~= "table" then return given end
  local list = {}
  for i, disk in ipairs(tables.keys(given)) do list[i] = disk .. ":" .. given[disk] end
  return table.concat(list, ",")
end

-- The instances that get the disks: at home those that had them, elsewhere the run's parameter.
local function attach_of(production, place, given)
  if not is_home(production, place) then return attach_text(given) end
  local list, instances = {}, M.instances(production)
  if #instances == 1 then return instances[1] end
  for i, use in ipairs(production.before) do list[i] = use.disk .. ":" .. use.instance end
  return #list > 0 and table.concat(list, ",") or nil
end

--- Where the production of a stopped group can come up: where it was, or where somebody else has
--- opened the group, or at its source, if somebody else has reversed it.
---@param production alicloud.dr.Production
---@param look table|nil from, from_zone, to, to_zone, status; nil: there was no look
---@param attach any the run's parameter `attach`
---@return alicloud.dr.WayUp
function M.way_up(production, look, attach)
  local way, place = "back", { region = production.region }
  if look and OPENED[look.status] then
    way, place = "open", side(look, "to")
  elseif look and tostring(look.status):find "^reprotect" then
    way, place = "turning", side(look, "to")
  elseif look and look.from and not is_home(production, side(look, "from")) then
    way, place = "turned", side(look, "from")
  end
  return { group_id = production.group_id, way = way, region = place.region, zone = place.zone,
    attach = way ~= "back" and attach_of(production, place, attach) or nil,
    failed = way == "turning" and look.status == "reprotect_failed" or nil }
end

-- Whether a way up is left after the point of no return, where the run itself only goes forward:
-- one is left if somebody else has reversed the group, or has cancelled the run's failover.
local function is_way_left(state, production, way)
  if way.way == "back" then
    return state.looks[way.group_id] ~= nil and has_failed_over(state, way.group_id)
  end
  return way.way ~= "open" or is_home(production, way)
end

local IS_UP = { serving = true, back = true }

-- The ways up of the groups that a finished run has opened and served nowhere, and the set of these
-- groups. There are none if a verification succeeded, or if the playbook attached disks by calls of
-- its own: then the run is taken to have brought up all services.
local function unserved(state)
  local list, known = {}, {}
  if not state.is_over or state.marks.verified then
    return list, known
  end
  for _, call in pairs(state.calls) do
    if call.action == "AttachDisk" and not call.verb then return list, known end
  end
  local seen = {}
  for i = #state.intents, 1, -1 do
    local entry, intent = state.intents[i], state.intents[i].intent
    local id, production = intent.group_id, state.production[intent.group_id]
    local is_newest = entry.verb == "failover" and not seen[id]
    seen[id] = seen[id] or is_newest
    local is_open = is_newest and entry.outcome ~= nil and entry.outcome.ok == true
    if is_open and not (production and IS_UP[production.state]) then
      known[id] = true
      list[#list + 1] = { group_id = id, way = "opened", region = intent.region,
        zone = intent.from.region == intent.to.region and intent.to.zone or nil,
        attach = attach_text(state.params.attach) }
    end
  end
  table.sort(list, function(a, b) return a.group_id < b.group_id end)
  return list, known
end

--- The group because of which a run has stopped, since somebody else has moved it.
---@param state alicloud.dr.RunState
---@return string|nil group_id
function M.moved_group(state)
  local err = state.ending and state.ending.err
  return err and err.code == M.MOVED and err.group_id or nil
end

-- The way up of the group whose move was refused because somebody else had made it already. The run
-- has fenced nothing of it, so that it has no place to come back to.
local function moved_by_others(state)
  local id = M.moved_group(state)
  local look = id and state.looks[id]
  return look and M.way_up({ group_id = id, region = "", before = {} }, look, state.params.attach)
end

--- Where production can come up, for each group that is down, by the newest looks, for each one
--- that a finished run has opened and not served, and for one that somebody else has moved.
---@param state alicloud.dr.RunState
---@param no_return boolean whether the run is past its point of no return
---@return alicloud.dr.WayUp[]
function M.ways_up(state, no_return)
  local list, open, known = {}, unserved(state)
  local down = M.down(state)
  for _, each in ipairs(down and down.groups or {}) do
    local way = M.way_up(each, state.looks[each.group_id], state.params.attach)
    local is_left = state.is_over or not no_return or is_way_left(state, each, way)
    if is_left and not known[each.group_id] then list[#list + 1] = way end
  end
  table.move(open, 1, #open, #list + 1, list)
  list[#list + 1] = #list == 0 and moved_by_others(state) or nil
  return list
end

--- Where groups were moved that the run has not served, and cannot bring back where they were:
--- those that it has opened itself, and the one whose move it has found made by somebody else.
---@param state alicloud.dr.RunState
---@return alicloud.dr.WayUp[]
function M.moved(state)
  local list, down = unserved(state), M.down(state)
  if #list + #(down and down.groups or {}) == 0 then list[1] = moved_by_others(state) end
  return list
end

local function names(list)
  if #list <= MOST_NAMES then return table.concat(list, ", ") end
  return ("%s and %d more"):format(table.concat(list, ", ", 1, MOST_NAMES), #list - MOST_NAMES)
end

-- Whether somebody else has moved a group since, who may have brought its service up as well.
local function is_moved_since(state, production)
  local look = state.looks[production.group_id]
  return is_way_left(state, production, M.way_up(production, look))
end

local function down_words(state, down, known)
  local list, sure = {}, false
  for _, each in ipairs(down.groups) do
    if not known[each.group_id] then
      local moved = is_moved_since(state, each)
      sure = sure or not moved
      list[#list + 1] = ("%s, stopped in %s (%s)%s"):format(each.group_id, each.region,
        names(M.instances(each)), moved and " and moved by others since" or "")
    end
  end
  if #list > 0 then
    return ("production %s down: %s"):format(sure and "is" or "may be", names(list))
  end
  if next(known) then return nil end
  return ("production may be down: it was stopped by step %s"):format(names(down.steps))
end

-- One part for each place; nearly always there is one.
local function open_words(open)
  local places, parts = {}, {}
  for _, way in ipairs(open) do
    local place = way.zone or way.region
    places[place] = places[place] or {}
    table.insert(places[place], way.group_id)
  end
  for i, place in ipairs(tables.keys(places)) do
    parts[i] = ("opened in %s, and the run has seen nothing serve there: %s"):format(place,
      names(places[place]))
  end
  return parts
end

--- Says in one line which production is down, or opened and not served; names are not cleaned.
---@param state alicloud.dr.RunState
---@return string|nil words nil: there is none
function M.words(state)
  local open, known = unserved(state)
  local list, down = open_words(open), M.down(state)
  list[#list + 1] = down and down_words(state, down, known)
  return #list > 0 and table.concat(list, "; ") or nil
end

return M
