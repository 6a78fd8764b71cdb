--- What a rehearsal comes by: its requests with their answers, its calls of the disk or the store,
--- its waits and the programs that it starts, in their order. Each is a point at which a trouble
--- can come.

local core = require "alicloud.core"

local M = {}

---@class alicloud.simulation.Point
---@field kind "request"|"disk"|"store"|"wait"|"step"|"program"
---@field n integer of its kind, counted over all processes
---@field action string? of the request
---@field mutating boolean?
---@field nth integer? so many requests of this action were sent, by anybody
---@field asked { since: number, mutating: boolean }[]? requests of a step, and when they came
---@field op string? of the disk
---@field unsynced integer? bytes that a crash here may lose
---@field durable integer? bytes that it may not
---@field disk_state string? what else of the disk, and of what outlives a process, was changed
---@field answer string? all that the run sees of it but the id of the request, where it is kept
---@field process integer
---@field changes integer requests before it that were to change something, this one included
---@field time number model time
---@field sight string what the run sees there
---@field ledger integer effects before it
---@field open boolean a failover or another change is under way

---@class alicloud.simulation.Trace
---@field points alicloud.simulation.Point[]
local Trace = {}
Trace.__index = Trace

--- Makes a trace; a case with it in `trace` fills it.
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

-- What a crash here leaves. The service counts looks while one of them is to be odd.
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

-- Names are few, and come again and again.
local tells = setmetatable({}, { __index = function(known, name)
  known[name] = name == "Code" or (name:find "Status" or name:find "Site$"
    or name:find "ZoneId$") ~= nil
  return known[name]
end })

-- Times and what has none of the world's states in it are left out: they differ in every run.
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

local function text_of(exchange)
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
    text_of(exchange))
end

-- Besides what the journal has: these outlive a process, too.
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

--- A step begins.
---@param stage alicloud.simulation.Stage
---@param n integer
---@return fun() to be called at its end
function Trace:step(stage, n)
  local point = add(self, stage, { kind = "step", n = n, sight = "step", asked = {} })
  self.steps[point] = true
  return function() self.steps[point] = nil end
end

---@param stage alicloud.simulation.Stage
---@param n integer
function Trace:wait(stage, n)
  -- Between two other points one wait is like the next.
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
