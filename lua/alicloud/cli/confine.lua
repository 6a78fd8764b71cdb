--- Runs code that is not trusted in a child process without rights (alicloud.dr.playbook.confined).
--- The process gets the text of the code and can talk to this module only. It sends questions,
--- which are answered or refused here, and a result, which is checked before anything uses it.
---
--- Frames are JSON values, one per line, with a field `type`. A frame that is too long, has a value
--- of a wrong kind or an unknown field ends the process.

local core = require "alicloud.core"
local lazy = require "alicloud.base.lazy"
local modules = require "alicloud.cli.confine.modules"
local options = require "alicloud.cli.options"
local shapes = require "alicloud.cli.confine.shapes"
local sources = require "alicloud.dr.playbook.source"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.confine.reads"
local reads = lazy.module "alicloud.cli.confine.reads"

local M = {}

--- Limits of a process: bytes of memory; seconds of CPU time; seconds without a frame; seconds, and
--- frames, without a finished part of a job that has many; calls. Time in which it waits for an
--- answer does not count. For SILENCE and PATIENCE a second of CPU time counts in full, since other
--- processes may take the CPU; each second of wall-clock time adds IDLE, so that a hanging process
--- ends, too. What it costs to read a frame counts nowhere, so there is a limit of frames.
M.MEMORY, M.COMPUTING, M.SILENCE, M.PATIENCE = 1 << 30, 60, 8, 600
M.CALLS, M.FRAMES = 20000, 200000

local LONGEST_FRAME = 16 * 1024 * 1024
local DECODING = { max_bytes = LONGEST_FRAME }
local MOST_MODULES = 2000
local SLICE = 0.2
local IDLE = 1 / 2

-- Variables that the interpreter and its libraries need; none of them is secret.
local ENVIRONMENT = { "TZ", "LANG", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE",
  "LC_MESSAGES", "LC_MONETARY", "LD_PRELOAD", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
  "LSAN_OPTIONS", "TSAN_OPTIONS", "FAKETIME", "FAKETIME_SHARED", "FAKETIME_NO_CACHE",
  "FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_DONT_RESET", "FAKETIME_TIMESTAMP_FILE" }

local text, count = shapes.text, shapes.count

local SHAPES = {
  confined = { limits = shapes.flag, no_new_privs = shapes.flag, seccomp = shapes.flag,
    ["landlock?"] = { allowed = "false or a number", test = function(value)
      return value == false or count.test(value)
    end }, missing = shapes.list(text(200), 20) },
  module = { name = text(200) },
  call = { product = text(64), action = text(128), version = text(32),
    params = shapes.map(text(65536), 1000, 256), ["region?"] = text(64),
    deadline = { allowed = "seconds", test = function(value)
      return type(value) == "number" and value > 0 and value <= 86400
    end } },
  progress = {},
  playbook = { name = text(200), ["kind?"] = text(16), declares = shapes.flag },
  result = { value = { allowed = "a table", test = function(value)
    return type(value) == "table"
  end } },
  failed = { message = text(65536), refused = shapes.flag },
}

---@class alicloud.cli.Confined
---@field confined table|nil the mechanisms that confine the process, from its first frame
---@field value table|nil its result
---@field failure string|nil why there is no result
---@field refused boolean|nil the failure lies in what was typed: playbook, parameter or option
---@field calls integer reading calls that were sent to the service
local Confined = {}
Confined.__index = Confined

local function interpreter()
  local words, lowest = _G.arg or { [0] = "lua" }, 0
  while words[lowest - 1] do lowest = lowest - 1 end
  return words[lowest]
end

local function environment()
  local list = {}
  for _, name in ipairs(ENVIRONMENT) do
    local value = os.getenv(name)
    if value then list[#list + 1] = name .. "=" .. value end
  end
  return list
end

-- The path of a module's file that is an argument of the process.
local function find(name, path)
  local found, message = modules.find(name, path)
  if not found then
    options.refuse(("%s is found in no directory that is named from the root:%s"):format(name,
      message))
  end
  return found
end

local function words_of(limits)
  return { interpreter(), "-E", find("alicloud.dr.playbook.confined", package.path),
    find("alicloud.core", package.cpath), find("alicloud.confine", package.cpath),
    tostring(M.MEMORY), tostring(limits.computing or 0) }
end

---@class alicloud.cli.ConfinedHandler
---@field shape table? fields of the frame, see `shapes.fault`; nil: those of SHAPES
---@field answer fun(frame: table, bytes: integer): table|nil, string? the frame to send back, if
---any; or nil and what is wrong with the frame, which ends the process
---@field advances boolean? such a frame ends a part of the job: PATIENCE counts from it anew

---@class alicloud.cli.ConfinedJob
---@field entry string module that does the job in the process
---@field job table fields of the frame `job`, which the process is sent
---@field handlers table<string, alicloud.cli.ConfinedHandler>? for frames that only this job has
---@field client fun(): alicloud.Client? reads for the process; nil: it may make no calls
---@field io alicloud.cli.Io
---@field time fun(): number unix seconds
---@field computing integer? limit of CPU time in seconds; nil: `start` sets none, `run` COMPUTING

--- Starts a process, which is sent the job after its first frame. `failure` is set if it cannot.
---@param about alicloud.cli.ConfinedJob
---@return alicloud.cli.Confined
function M.start(about)
  local child, message = core.child { argv = words_of(about), env = environment() }
  return setmetatable({ child = child, about = about, parts = {}, size = 0, calls = 0, asked = 0,
    frames = 0, modules = 0, computed = 0, heard = 0, advanced = 0, began = core.monotonic(),
    computed_before = child and child:computed() or 0,
    failure = not child and "a process for the playbook: " .. message or nil }, Confined)
end

-- Seconds that the process has used so far: its CPU time, and a share of the wall-clock time.
local function spent(self)
  -- An ended process has no CPU time to read, so the last value stays. `computed_before` is taken
  -- off because with a shifted clock (FAKETIME) the CPU time may not begin at 0.
  local computed = self.child:computed()
  self.computed = computed and computed - self.computed_before or self.computed
  return self.computed + (core.monotonic() - self.began) * IDLE
end

--- The descriptor to wait for.
function Confined:fd() return self.child:fd() end

--- Ends the process if it still runs.
function Confined:close()
  if self.child then self.child:close() end
end

Confined.__close = Confined.close

--- Ends the process.
---@param message string why
---@param refused? boolean what was typed is at fault
function Confined:fail(message, refused)
  self.failure, self.refused = message, refused
  self:close()
end

--- Begins the message about a frame or a result that breaks the rules.
M.WRONG = "the playbook's process said what it may not say: "

local function wrong(self, what)
  self:fail(M.WRONG .. what)
end

--- Sends the process a frame.
---@param frame table
function Confined:tell(frame)
  local sent, message = self.child:send(core.encode(frame) .. "\n")
  if not sent and not self.failure then self:fail("the playbook's process: " .. message) end
end

local ANSWERS = {}

function ANSWERS.confined(self, frame)
  frame.type = nil
  self.confined = frame
  local job = { type = "job", entry = self.about.entry, now = self.about.time() }
  for name, value in pairs(self.about.job) do job[name] = value end
  job.playbook = job.playbook and sources.pack(job.playbook)
  return job
end

function ANSWERS.module(self, frame)
  self.modules = self.modules + 1
  if self.modules > MOST_MODULES then return wrong(self, "it asks for too many modules") end
  return modules.answer(frame.name)
end

function ANSWERS.call(self, frame)
  if not self.about.client then return wrong(self, "it calls, and there is nobody to ask") end
  self.asked = self.asked + 1
  if self.asked > M.CALLS then
    return self:fail(("the playbook makes more than %d calls"):format(M.CALLS))
  end
  local answer, sent = reads.answer(self.about.client, frame)
  if sent then self.calls = self.calls + 1 end
  answer.type, answer.now = "answer", self.about.time()
  return answer
end

function ANSWERS.progress() end

function ANSWERS.result(self, frame)
  self.value = frame.value
  self:close()
end

function ANSWERS.failed(self, frame)
  local message = frame.message
  if message == "not enough memory" then message = M.OUT_OF_MEMORY end
  self:fail(message, frame.refused)
end

M.OUT_OF_MEMORY = ("the playbook's process ended: out of memory (limit %d MiB); what it holds at "
  .. "once has to be less"):format(M.MEMORY >> 20)

-- The frame `confined` comes first, before the process reads foreign code, and only once.
local function is_expected(self, kind)
  return (kind == "confined") == (self.confined == nil)
end

local function shape_of(self, kind)
  local own = (self.about.handlers or {})[kind]
  if own then return own.shape or SHAPES[kind], own.answer, own.advances end
  return ANSWERS[kind] and SHAPES[kind], ANSWERS[kind] and function(frame)
    return ANSWERS[kind](self, frame)
  end
end

-- The time of answering does not count; a frame that advances the job makes PATIENCE count anew.
local function answer_in_time(self, answer, frame, size, advances)
  local began = spent(self)
  local reply, refusal = answer(frame, size)
  if refusal then return wrong(self, refusal) end
  if reply and not self.failure then self:tell(reply) end
  if self:is_over() then return end
  local ended = spent(self)
  self.advanced = advances and ended or self.advanced + (ended - began)
  self.frames = advances and 0 or self.frames
end

local function obey(self, line)
  local frame, message = core.decode(line, DECODING)
  local kind = type(frame) == "table" and frame.type
  if type(kind) ~= "string" then return wrong(self, tostring(message or "no type")) end
  local shape, answer, advances = shape_of(self, kind)
  if not shape or not is_expected(self, kind) then
    return wrong(self, "a frame that is not expected: " .. kind:sub(1, 40))
  end
  frame.type = nil
  local fault = shapes.fault(kind, frame, shape)
  if fault then return wrong(self, fault) end
  answer_in_time(self, answer, frame, #line, advances)
end

local function out_of_time(self, limit)
  self:fail(("the playbook's process ended: out of time (it has told nothing new in %s); it has a "
    .. "loop without an end"):format(limit))
end

-- Handles each whole line; the part behind the last newline waits for the next bytes.
local function take(self, bytes)
  local from = 1
  while not self:is_over() do
    local stop = bytes:find("\n", from, true)
    local piece = bytes:sub(from, stop and stop - 1)
    self.parts[#self.parts + 1], self.size = piece, self.size + #piece
    if self.size > LONGEST_FRAME then return wrong(self, "more than 16 MiB at once") end
    if not stop then return end
    local line = table.concat(self.parts)
    self.parts, self.size, self.frames = {}, 0, self.frames + 1
    if self.frames > M.FRAMES then return out_of_time(self, M.FRAMES .. " messages") end
    obey(self, line)
    if self:is_over() then return end
    from, self.heard = stop + 1, spent(self)
  end
end

--- Whether there is a result or a failure.
---@return boolean
function Confined:is_over()
  return self.value ~= nil or self.failure ~= nil
end

local SIGXCPU = 24

-- How a process that gave no result has ended, in words.
local function ending(self)
  local ended
  for _ = 1, 50 do
    ended = self.child:ended()
    if ended then break end
    core.poll(nil, "r", 0.02)
  end
  if not ended then return "without a word" end
  local computing = self.about.computing
  if ended.signal == SIGXCPU or ended.signal == 9 and computing then
    return ("out of time (limit %d s of computing)"):format(computing or 0)
  end
  if ended.signal then return ("by signal %d"):format(ended.signal) end
  if not ended.exit then return "without a word" end
  return ("with exit code %d"):format(ended.exit)
end

local function check_time(self)
  local now, limit = spent(self), nil
  if now - self.heard > M.SILENCE then limit = M.SILENCE end
  if now - self.advanced > M.PATIENCE then limit = M.PATIENCE end
  if limit then out_of_time(self, ("%d s of computing"):format(limit)) end
end

--- Handles what the process has sent so far, without waiting.
function Confined:step()
  if self:is_over() then return end
  -- At most 64 KiB: a process that never stops sending must not put off the check of its time.
  local bytes = self.child:receive(65536)
  if bytes == nil then return self:fail("the playbook's process ended: " .. ending(self)) end
  take(self, bytes)
  if not self:is_over() then check_time(self) end
end

--- Waits up to SLICE seconds until one of the processes has sent something.
---@param list alicloud.cli.Confined[]
function M.wait(list)
  core.checkpoint()
  local descriptors = {}
  for _, confined in ipairs(list) do
    if not confined:is_over() then descriptors[#descriptors + 1] = confined:fd() end
  end
  if #descriptors > 0 then core.poll(descriptors, "r", SLICE) end
end

--- Serves processes that share a piece of work, until it is done or one of them fails.
---@param list alicloud.cli.Confined[]
---@param is_done fun(): boolean
---@param owed string what is missing if all end before the work is done, for the message
---@return alicloud.cli.Confined|nil failed
function M.share(list, is_done, owed)
  while not is_done() do
    local over = 0
    M.wait(list)
    for _, confined in ipairs(list) do
      confined:step()
      if confined.failure then return confined end
      if confined:is_over() then over = over + 1 end
    end
    if over == #list and not is_done() then
      list[1]:fail(M.WRONG .. "an end before its " .. owed)
      return list[1]
    end
  end
  return nil
end

--- Says on standard error which mechanisms of confinement this machine lacks.
---@param io alicloud.cli.Io
---@param confined alicloud.cli.Confined
function M.tell_missing(io, confined)
  local missing = confined.confined and confined.confined.missing or {}
  if #missing == 0 then return end
  io.err(("alicloud-dr: the playbook was held by less than usual: %s\n"):format(
    terminal.clean(table.concat(missing, "; "), 1000)))
end

--- Runs a job to its end.
---@param about alicloud.cli.ConfinedJob
---@return alicloud.cli.Confined with a value or a failure
function M.run(about)
  about.computing = about.computing or M.COMPUTING
  local confined <close> = M.start(about)
  while not confined:is_over() do
    M.wait { confined }
    confined:step()
  end
  M.tell_missing(about.io, confined)
  return confined
end

return M
