--- Records the points of a rehearsal at which a trouble can come, in their order: requests with
--- their answers, calls of the disk or the store, waits, steps, and starts of programs.

local core = require "alicloud.core"

local M = {}

---@class alicloud.simulation.Point
---@field kind "request"|"disk"|"store"|"wait"|"step"|"program"
---@field n integer of its kind, counted over all processes
---@field action string? of the request
---@field mutating boolean?
---@field nth integer? number of the request among those of its action, by anybody
---@field asked { since: number, mutating: boolean }[]? requests during the step; since: seconds
---after its beginning
---@field op string? of the disk
---@field unsynced integer? bytes that a crash here may lose
---@field durable integer? bytes that a crash here cannot lose
---@field disk_state string? changes whenever something else changes that outlives a process
---@field answer string? the whole answer without its RequestId; nil: it was not kept
---@field process integer
---@field changes integer number of changing requests before it, this one included
---@field time number model time
---@field sight string what the run sees there
---@field ledger integer number of effects before it
---@field open boolean a failover is under way

---@class alicloud.simulation.Trace
---@field points alicloud.simulation.Point[]
local Trace = {}
Trace.__index = Trace

--- Makes a trace, which the run of a case with it in `trace` fills.
---@param answers_from? integer the first request whose answer is kept whole (1)
---@return alicloud.simulation.Trace
function M.new(answers_from)
  return setmetatable({ points = {}, by_action = {}, by_entry = {}, steps = {}, kept = 0,
    answers_from = answers_from or 1 }, Trace)
end

local function add(trace, stage, point)
  point.time, point.ledger = stage.emu:now(), #stage.emu:ledger()
  point.open, point.process = next(stage.open) ~= nil, stage.active and stage.active.n or 0
  point.changes = stage.changes
  trace.points[#trace.points + 1] = point
  return point
end

-- Adds what a crash here leaves. It includes the emulator's count of looks, by which the switch
-- odd_look chooses one.
local function note_disk(trace, stage, point)
  local looks = stage.emu.looks_at_groups
  local bytes, durable = stage.disk:size "run"
  point.durable, point.unsynced = durable, bytes - durable
  point.disk_state = trace.kept .. (looks and core.encode(looks) or "")
  return point
end

---@param stage alicloud.simulation.Stage
---@param entry alicloud.simulation.Request
function Trace:request(stage, entry)
  local nth = (self.by_action[entry.action] or 0) + 1
  self.by_action[entry.action] = nth
  if stage.nested > 0 then return end
  for step in pairs(self.steps) do
    table.insert(step.asked, { since = entry.time - step.time, mutating = entry.mutating })
  end
  local point = { kind = "request", n = entry.n, action = entry.action, mutating = entry.mutating,
    nth = nth, sight = entry.action, unsynced = 0 }
  self.by_entry[entry] = add(self, stage, stage.disk.shared and point
    or note_disk(self, stage, point))
end

-- Cache: whether a field with this name has one of the world's states.
local tells = setmetatable({}, { __index = function(known, name)
  known[name] = name == "Code" or (name:find "Status" or name:find "Site$"
    or name:find "ZoneId$") ~= nil
  return known[name]
end })

-- Adds the states of the world in an answer. Times and other values are left out, since they differ
-- from run to run.
local function add_seen(parts, record)
  if record[1] ~= nil then
    for _, member in ipairs(record) do
      if type(member) == "table" then add_seen(parts, member) end
    end
    return
  end
  local names = {}
  for name, value in pairs(record) do
    local is_told = type(value) == "string" and type(name) == "string" and tells[name]
    if is_told or type(value) == "table" and type(name) == "string" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = record[name]
    if type(value) == "table" then add_seen(parts, value) else parts[#parts + 1] = value end
  end
end

local function seen_in(exchange)
  local parts = { tostring(exchange.status or exchange.failure) }
  local result = exchange.result or core.decode(exchange.body or "")
  if type(result) == "table" then add_seen(parts, result) end
  return table.concat(parts, " ")
end

--- What was answered, but for the id of the request.
---@param exchange table
---@return string
function M.text_of(exchange)
  local result = exchange.result or exchange.body
  local text = type(result) == "table" and core.encode(result) or tostring(result or "")
  return (text:gsub('"RequestId":"[^"]*"', ""))
end

---@param entry alicloud.simulation.Request
---@param exchange table
function Trace:answer(entry, exchange)
  local point = self.by_entry[entry]
  if not point then return end
  point.sight = point.sight .. " " .. seen_in(exchange)
  if entry.n < self.answers_from then return end
  point.answer = ("%s %s %s %s"):format(exchange.status, exchange.failure, exchange.date,
    M.text_of(exchange))
end

-- Calls of the disk that change something besides the journal that outlives a process.
local KEPT = { lease = true, cut = true, post = true }

---@param stage alicloud.simulation.Stage
---@param call alicloud.dr.DiskCall
function Trace:disk(stage, call)
  if stage.nested > 0 or call.name ~= "run" then return end
  add(self, stage, note_disk(self, stage, { kind = "disk", n = call.n, op = call.op,
    sight = call.op }))
  if KEPT[call.op] then self.kept = self.kept + 1 end
end

---@param stage alicloud.simulation.Stage
---@param n integer
function Trace:store(stage, n)
  if stage.nested == 0 then add(self, stage, { kind = "store", n = n, sight = "store" }) end
end

--- Adds the point of a step that begins.
---@param stage alicloud.simulation.Stage
---@param n integer
---@return fun() ended to be called at the step's end
function Trace:step(stage, n)
  local point = add(self, stage, { kind = "step", n = n, sight = "step", asked = {} })
  self.steps[point] = true
  return function() self.steps[point] = nil end
end

---@param stage alicloud.simulation.Stage
---@param n integer
function Trace:wait(stage, n)
  -- Of several waits in a row only the first one is a point, since they are alike.
  local last = self.points[#self.points]
  if last and last.kind == "wait" then return end
  add(self, stage, { kind = "wait", n = n, sight = "wait" })
end

---@param stage alicloud.simulation.Stage
---@param n integer
---@param name string
---@param code integer with which it ends
function Trace:program(stage, n, name, code)
  if stage.nested > 0 then return end
  add(self, stage, { kind = "program", n = n, sight = ("program %s %d"):format(name, code) })
end

return M
