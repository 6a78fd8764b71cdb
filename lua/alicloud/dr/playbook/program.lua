--- A program that a step runs: a probe, a hook that stops services. Other branches go on meanwhile,
--- and whoever gives the step up ends it.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local kept_lines = require "alicloud.dr.playbook.kept_lines"
local programs = require "alicloud.base.program"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

local MAX_OUTPUT = 65536

local function failed(message)
  return nil, errors.new { kind = "state", code = "Client.ProgramFailed",
    message = message }
end

local function words_of(command, variables)
  local words = { "env" }
  for _, name in ipairs(tables.keys(variables)) do
    words[#words + 1] = name .. "=" .. tostring(variables[name])
  end
  for _, word in ipairs { "sh", "-c", command } do words[#words + 1] = word end
  return words
end

local function variables_of(run, variables)
  local all = { ALICLOUD_DR_KIND = run.kind, ALICLOUD_DR_MODE = run.mode, ALICLOUD_DR_RUN = run.id }
  for name, value in pairs(variables) do all["ALICLOUD_DR_" .. name:upper()] = value end
  return all
end

---@class alicloud.dr.ProgramOptions
---@field credentials? boolean the program gets the variables that hold keys, too
---@field keep? boolean the journal keeps the last 4 KiB of what is said, on either stream

M.SCHEMA = { credentials = schema.boolean, keep = schema.boolean }

local COMMAND = schema.rule("a command line, which is text without NUL, or a function",
  function(value)
    return type(value) == "string" and value:find "%S" ~= nil and not value:find "%z"
      or schema.callable.test(value)
  end)

-- What is started has at most 64 words, and each variable is one of them.
local MOST_VARIABLES = 50

local VARIABLE = { string = true, number = true, boolean = true }

local VARIABLES = schema.rule(("a table of up to %d: texts, numbers or booleans by names of "
  .. "letters, digits and _"):format(MOST_VARIABLES), function(value)
  local count = 0
  for name, one in pairs(type(value) == "table" and value or { {} }) do
    count = count + 1
    if type(name) ~= "string" or name:find "[^%w_]" or name == "" or not VARIABLE[type(one)]
      or tostring(one):find "%z" then
      return false
    end
  end
  return count <= MOST_VARIABLES
end)

--- Raises at the caller's level where something is no program, or what it is to be told cannot be.
---@param command any
---@param variables any of a function: as that takes them
---@param level integer
function M.demand(command, variables, level)
  local rule, value = COMMAND, command
  if type(command) == "string" and COMMAND.test(command) then rule, value = VARIABLES, variables end
  if rule.test(value) then return end
  error(("playbook: program: %s: got %s; allowed: %s"):format(
    rule == COMMAND and "command" or "variables", schema.show(value), rule.allowed), level + 1)
end

-- Where an output goes that is more than what is taken of it: beside the journal, or where the
-- system keeps what is there for a while.
local function overflow_path(engine)
  local name, store = ".output." .. core.random_hex(4), engine.store
  local beside = store.beside and store:beside(name)
  return beside or (engine.runtime.getenv "TMPDIR" or "/tmp") .. "/alicloud-dr" .. name
end

-- Both streams as one, in the order in which they are written.
local ONE_STREAM = "exec 1>&2\n"

--- Runs a command line with sh. It gets no variable that holds keys, unless `credentials`, and ends
--- with this process, however that ends.
---@param loop alicloud.Loop
---@param command string
---@param variables table<string, any> of its environment
---@param given { credentials?: boolean, timeout?: number, say?: fun(line: string),
---overflow?: string, exceeded?: fun(overflow: alicloud.Overflow) } the last two as for programs.run
---@return alicloud.ProgramEnd|nil
---@return string? fault why it did not start
function M.line(loop, command, variables, given)
  return programs.run(loop, words_of(command, variables), { max = MAX_OUTPUT,
    timeout = given.timeout, say = given.say, overflow = given.overflow,
    exceeded = given.exceeded, leashed = true,
    without = not given.credentials and programs.KEYS or nil })
end

--- What a program that has ended, or was never started, comes to.
---@param command string
---@param ended alicloud.ProgramEnd|nil
---@param fault? string why it did not start
---@return true|nil
---@return alicloud.Error? err "Client.ProgramFailed"
function M.judge(command, ended, fault)
  if not ended then return failed(("%s: %s"):format(command, fault)) end
  if ended.signal then
    return failed(("%s: ended by signal %d"):format(command, ended.signal))
  end
  if not ended.code then
    return failed(("%s: how it ended cannot be known, because something else in this process "
      .. "waits for all of its children"):format(command))
  end
  if ended.code ~= 0 then return failed(("%s: exit code %d"):format(command, ended.code)) end
  return true
end

-- What a program has written and said, for the screen and the journal. Whatever ends it, they are
-- told: of more output than is taken all of it is in a file, its standard output, of which nothing
-- is shown, or with `keep` both streams.
---@class alicloud.dr.ProgramOutput
---@field run alicloud.dr.PlaybookRun
---@field step string
---@field path string
---@field kept alicloud.dr.KeptLines? with `keep`
---@field overflow alicloud.Overflow?
---@field ok boolean
local Output = {}
Output.__index = Output

local function open_output(run, keep)
  local path = overflow_path(run.engine)
  return setmetatable({ run = run, step = run.step_key, path = path, ok = false,
    kept = keep and kept_lines.new(path) or nil }, Output)
end

function Output:say(line)
  local said = self.run.engine.runtime.said
  if self.kept then self.kept:take(line) end
  if said then said(self.step, line) end
end

-- Who listens to nothing leaves standard error to the host's own.
function Output:ear()
  if not self.kept and not self.run.engine.runtime.said then return nil end
  return function(line) self:say(line) end
end

function Output:tell_overflow()
  local said, overflow = self.run.engine.runtime.said, self.overflow
  if not said then return end
  local all, why = overflow.kept == overflow.bytes, overflow.fault or ""
  -- The file is named once.
  local named = self.path .. ": "
  if why:sub(1, #named) == named then why = why:sub(#named + 1) end
  said(self.step, ("it wrote %d bytes: %s in %s"):format(overflow.bytes, all and "all of it is"
    or ("%d bytes of it (%s) are"):format(overflow.kept, why), self.path))
end

-- Where something is raised already, a journal that fails is told by what is written next.
function Output:__close(raised)
  local text = ""
  if self.kept then text, self.overflow = self.kept:finish() end
  local overflow, engine = self.overflow, self.run.engine
  if overflow then self:tell_overflow() end
  if not self.kept and not overflow then return end
  local event = { type = "output", step = self.step, text = text, ok = self.ok,
    cut = overflow and true, bytes = overflow and overflow.bytes,
    kept = overflow and overflow.kept,
    file = overflow and overflow.kept > 0 and self.path or nil }
  if raised == nil then return engine:record(event) end
  -- What it has said before it was cut short may be all that tells how far it came.
  event.cut_short = true
  engine:write_surely(event)
end

local function run_line(run, command, variables, options)
  local output <close> = open_output(run, options.keep)
  local line = options.keep and ONE_STREAM .. command or command
  local ok, err = M.judge(command, M.line(run.loop, line, variables_of(run, variables), {
    credentials = options.credentials, say = output:ear(), overflow = output.path,
    exceeded = function(overflow) output.overflow = overflow end }))
  output.ok = ok == true
  return ok, err
end

-- Of a function that is told of an event, also when no step runs any more: nothing of it belongs to
-- a step, so the journal keeps nothing.
local function run_told(run, kind, command, variables, options)
  local said = run.engine.runtime.said
  return M.judge(command, M.line(run.loop, command, variables_of(run, variables), {
    credentials = options.credentials,
    say = said and function(line) said(kind, line) end or nil }))
end

--- Runs a command line with sh, or calls a function with the run and the variables.
---@param run alicloud.dr.PlaybookRun in a step, whose program it is, or in a function of run:on
---@param command string|function
---@param variables table<string, any> e.g. group: the program sees ALICLOUD_DR_GROUP
---@param options alicloud.dr.ProgramOptions
---@return any result true of a program that ended with exit code 0
---@return any err
function M.run(run, command, variables, options)
  if schema.callable.test(command) then return command(run, variables) end
  local instead = run.engine.options.program
  if instead then return instead(command, variables, run) end
  local kind = run.engine.hooks:telling()
  if kind then return run_told(run, kind, command, variables, options) end
  return run_line(run, command, variables, options)
end

return M
