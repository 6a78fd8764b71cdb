-- Holds a history against the second reading. Each difference has a name, which a spec may expect,
-- and a text that says where it was.

local asks = require "spec.emulator.second_model.asks"
local model = require "spec.emulator.second_model"
local shown = require "spec.emulator.second_model.shown"

local M = {}

local Check = {}
Check.__index = Check

function Check:say(name, text, ...)
  self.differences[#self.differences + 1] = {
    name = name, text = ("%.1f "):format(self.entry.at) .. text:format(...) }
end

local function same(a, b)
  for _, name in ipairs { "status", "point", "source", "destination", "primary", "standby",
    "source_disk", "destination_disk", "group", "unit" } do
    if a[name] ~= b[name] then return false, name end
  end
  return true
end

local function reversed(old, new)
  return old.source == new.destination and old.destination == new.source
    and old.source_disk == new.destination_disk and old.destination_disk == new.source_disk
end

local function unmoved(old, new)
  return old.source == new.source and old.destination == new.destination
    and old.source_disk == new.source_disk and old.destination_disk == new.destination_disk
end

-- Source* and Destination* of a record that took a step.
function Check:direction(id, old, new)
  local arrives = old.status == model.reverses.from and new.status == model.reverses.to
  local turn = self.reversing[id]
  if old.primary ~= new.primary or old.standby ~= new.standby then
    self:say("initial sides", "%s: Primary* or Standby* changed", id)
  end
  if arrives and turn then
    self.reversing[id] = nil
    if not (turn.reverse and reversed or unmoved)(turn.before, new) then
      self:say("direction", "%s: wrong after the reversal: %s to %s", id, new.source,
        new.destination)
    end
  elseif not arrives and not unmoved(old, new) then
    self:say("direction", "%s: changed in %s, to %s to %s", id, new.status, new.source,
      new.destination)
  end
end

function Check:point(id, old, new)
  local at, sets = self.entry.at, model.sets_point[old.status] or {}
  local ends = old.status ~= new.status and sets[new.status] or false
  local drops = old.status == model.reverses.from and new.status == model.reverses.to
  if old.point ~= new.point and not ends and not (drops and not new.point) then
    local group = self.entry.before[old.group]
    if self.unsure[id] then return end
    if group and group.status ~= old.status and old.status == new.status then
      self:say("member apart", "%s is %s and has the point of its group", id, old.status)
    elseif old.status == new.status and model.set("normal syncing")[old.status] then
      self:say("cycle unseen", "%s: a new recovery point with no syncing before it", id)
    else
      self:say("point", "%s: %s became %s in %s to %s", id, old.point, new.point, old.status,
        new.status)
    end
  end
  if new.point and new.point > at then self:say("point ahead", "%s: %s", id, new.point) end
  if old.point and new.point and new.point < old.point then
    self:say("point back", "%s: %s after %s", id, new.point, old.point)
  end
  local fresh = new.point and new.point <= at and new.point > at - 1
  if ends and not fresh and not self.unsure[id] then
    self:say("point of a cycle", "%s: %s at the end of a cycle", id, new.point)
  end
end

function Check:membership(id, old, new)
  if old.group == new.group then return end
  local due = self.moving[id]
  if not due or due.from ~= old.group or due.to ~= new.group then
    self:say("membership", "%s: went from %s to %s unasked", id, old.group, new.group)
  end
  self.moving[id] = nil
  -- Asked for while the group rested, done when it had been started meanwhile.
  local group = self.entry.before[old.group or new.group]
  local rests = group and model.set("created stopped invalid")[group.status]
  if not rests then
    self:say("late membership", "%s: %s when its group was %s", id,
      new.group and "joined" or "left", group and group.status or "gone")
    self.unsure[id] = true
  end
end

function Check:step(id, old, new)
  local steps = model.steps[old.kind]
  if new and old.status == new.status then return end
  local to = new and new.status or "gone"
  self.visits[("%s %s to %s"):format(old.kind, old.status, to)] = { accepted = 1, refused = 0 }
  if not model.set(steps[old.status])[to] and not model.set(steps.any)[to] then
    self:say("step", "%s went from %s to %s by itself", id, old.status, to)
  end
  if not new or to ~= model.together or new.kind ~= "group" then return end
  for _, member in ipairs(new.members) do
    local pair = self.entry.after[member]
    if pair and pair.status ~= to and not self.unsure[member] then
      self:say("together", "%s is %s, its %s is %s", id, to, member, pair.status)
    end
  end
end

function Check:time()
  local entry = self.entry
  for id, old in pairs(entry.before) do
    local new = entry.after[id]
    self:step(id, old, new)
    -- What joining and leaving do to the points of pair and group is said nowhere.
    if new and old.kind ~= "drill" then
      local alike = old.group == new.group and #(old.members or "") == #(new.members or "")
      if alike then self:point(id, old, new) end
      self:membership(id, old, new)
      self:direction(id, old, new)
    end
  end
  for id in pairs(entry.after) do
    if not entry.before[id] then self:say("out of nothing", "%s", id) end
  end
end

function Check:untouched(except)
  for id, old in pairs(self.entry.before) do
    local new = self.entry.after[id]
    local equal, what = false, "it is gone"
    if new then equal, what = same(old, new) end
    if not equal and not except[id] then
      self:say("touched", "%s changed %s: %s", self.entry.action, id, what)
    end
  end
  for id in pairs(self.entry.after) do
    if not self.entry.before[id] and not except[id] then
      self:say("touched", "%s made %s", self.entry.action, id)
    end
  end
end

-- Whether the call came to a side that is allowed; nil where the documents say nothing.
local function side_of(row, record, region)
  local at_source = record.source:match("^[^/]+") == region
  local at_destination = record.destination:match("^[^/]+") == region
  if not at_source and not at_destination then return false end
  if row.side_silent then return nil end
  if row.side == "source" then
    if record.source ~= record.primary then return nil end
    return at_source
  elseif row.side == "destination" then
    return at_destination
  elseif row.side == "home" then
    return (at_source and record.source == record.primary) or nil
  end
  return true
end

--- What speaks for and against a call.
---@return table  says: "yes", "no" or "silent"; clear: nothing but the state decides; broken: a
---               condition is broken; doubt: one may be
function Check:judge(row, record)
  local entry, params = self.entry, self.entry.params
  local one_shot = row.one_shot and (params.OneShot or ""):lower() == "true"
  local case = { says = model.says(entry.action, record.status, one_shot), one_shot = one_shot,
    row = row, record = record, pair = entry.before[params.ReplicaPairId], check = self,
    before = entry.before, params = params, at = entry.at }
  if record.kind == "drill" then
    case.side = nil
  else
    case.side = side_of(row, record, params.RegionId)
  end
  case.broken, case.doubt = case.side == false, case.side == nil or row.unseen ~= nil
  for _, name in ipairs(row.asks or {}) do
    local holds = asks.of[name](case, record)
    if holds == false then case.broken = true elseif holds == nil then case.doubt = true end
  end
  if row.member then
    local status = case.pair and case.pair.status
    if not model.set(row.member)[status] then case.member_wrong = true end
  end
  case.member_doubt = row.member_silent and case.pair and case.pair.status ~= record.status
  return case
end

-- What an accepted call has done to one record that it may touch.
function Check:moved(unit, may)
  local entry, id = self.entry, self.id
  local old, new = entry.before[unit], entry.after[unit]
  local stays = new and new.status == old.status and (may.same or unit ~= id)
  if not new or not (stays or may[new.status]) then
    self:say("into", "%s: %s went from %s to %s", entry.action, unit, old.status,
      new and new.status or "gone")
  elseif not unmoved(old, new) or old.point ~= new.point or old.group ~= new.group then
    self:say("at once", "%s: more than the status of %s changed", entry.action, unit)
  end
  self.unsure[unit] = nil
  if new and new.status == model.reverses.from and old.status ~= new.status then
    self.reversing[unit] = { before = old,
      reverse = (entry.params.ReverseReplicate or ""):lower() ~= "false" }
  end
end

function Check:accepted(row, case)
  local entry, record, id = self.entry, case.record, self.id
  if case.says == "no" then
    self:say("accepted", "%s in %s", entry.action, record.status)
  elseif case.broken then
    self:say("condition", "%s of %s in %s: a condition was broken", entry.action, id,
      record.status)
  end
  if case.member_wrong then
    self:say("accepted", "%s of a pair in %s", entry.action, case.pair and case.pair.status)
  end
  local into = case.one_shot and row.one_shot or (row.into_of or {})[record.status] or row.into
  local may, touched = model.set(into), { [id] = true }
  for _, member in ipairs(record.members or {}) do
    touched[member] = entry.before[member] ~= nil
  end
  for unit in pairs(touched) do self:moved(unit, may) end
  asks.note(self, entry, case)
  if row.drills then
    for unit, record_ in pairs(entry.after) do
      local born = not entry.before[unit] and record_.kind == "drill"
      if born and record_.status == "executing" and record_.point == record.point then
        touched[unit] = true
      end
    end
  end
  self:untouched(touched)
end

function Check:refused(row, case)
  local entry, code = self.entry, self.entry.code
  self:untouched {}
  local claim = asks.claims[model.claims[code]]
  local listed = model.set(row.codes)[code] or model.set(model.common)[code]
  if model.set(row.state)[code] then
    local due = case.says ~= "yes" or case.member_wrong or case.member_doubt
      or row.unseen
    -- The codes of a wrong state also stand for a first copy that is not over.
    local unready = case.broken and model.set(table.concat(row.asks or {}, " ")).copied
    if not due and not unready then
      self:say("refused", "%s in %s: %s", entry.action, case.record.status, code)
    end
  elseif not listed then
    self:say("code", "%s: %s is not in its table", entry.action, code)
  elseif claim and not claim(case, case.record) then
    self:say("claim", "%s: %s, but the records say otherwise", entry.action, code)
  elseif code == "OperationDenied" and case.says == "yes" and not case.broken and not case.doubt
    and not case.member_wrong then
    self:say("refused", "%s in %s: %s without a reason", entry.action, case.record.status, code)
  end
end

function Check:created(row)
  local entry, made = self.entry, {}
  if entry.code then
    local known = model.set(row.codes)[entry.code] or model.set(model.common)[entry.code]
    if not known then self:say("code", "%s: %s is not in its table", entry.action, entry.code) end
    return self:untouched {}
  end
  for id, record in pairs(entry.after) do
    if not entry.before[id] and record.kind == row.of then
      made[id] = true
      if record.status ~= row.into or record.point then
        self:say("into", "%s: %s is %s at first", entry.action, id, record.status)
      end
    end
  end
  self:untouched(made)
end

function Check:call()
  local entry = self.entry
  local row = model.operations[entry.action]
  if not row then
    -- Reading changes nothing; nor do tags, nor what is done to machines and disks.
    shown.check(entry, function(...) self:say("shown", ...) end)
    return self:untouched {}
  end
  if row.creates then return self:created(row) end
  self.id = entry.params[row.id]
  local record = entry.before[self.id]
  local pair_id = row.of == "group" and entry.params.ReplicaPairId
  local pair_missing = pair_id and not entry.before[pair_id]
  if not record or record.kind ~= row.of or pair_missing then
    if not entry.code then self:say("accepted", "%s of what is not there", entry.action) end
    return self:untouched {}
  end
  local case = self:judge(row, record)
  self:visit(case)
  return entry.code and self:refused(row, case) or not entry.code and self:accepted(row, case)
end

-- alone: how often nothing but the state decided.
function Check:visit(case)
  local cell = self.entry.action .. " " .. case.record.status
  local visit = self.visits[cell] or { accepted = 0, refused = 0, alone = 0 }
  self.visits[cell] = visit
  local field = self.entry.code and "refused" or "accepted"
  visit[field] = visit[field] + 1
  if not case.broken and not case.member_wrong then visit.alone = visit.alone + 1 end
end

--- Codes in a log of requests that the table of their operation does not list.
---@param requests table[]  of an emulator
---@return string[]
function M.unlisted(requests)
  local found, always = {}, model.set(model.common .. " " .. model.gateway .. " dropped")
  for _, request in ipairs(requests) do
    local row, code = model.operations[request.action], request.code
    if row and code and not always[code] and not model.set(row.codes)[code]
      and not model.set(row.state)[code] then
      found[#found + 1] = ("%s: %s"):format(request.action, code)
    end
  end
  return found
end

--- Looks for what the documents do not allow.
---@param history table[]  of `history.record`
---@param visits table<string, table>|nil  where each operation and state is counted
---@return { name: string, text: string }[]
function M.check(history, visits)
  local self = setmetatable({ differences = {}, reversing = {}, moving = {}, one_shots = {},
    unsure = {}, visits = visits or {} }, Check)
  for _, entry in ipairs(history) do
    self.entry = entry
    if entry.action then self:call() else self:time() end
  end
  return self.differences
end

return M
