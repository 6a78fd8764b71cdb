--- Runs the program of a step, e.g. a probe, or a script that stops services. Other branches go on
--- meanwhile; if the step is cancelled, the program is ended.

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
---@field credentials? boolean the program also gets the environment variables that hold keys
---@field keep? boolean the journal keeps the last 4 KiB of the output, on either stream

M.SCHEMA = { credentials = schema.boolean, keep = schema.boolean }

local COMMAND = schema.rule("a command line, which is text without NUL, or a function",
  function(value)
    return type(value) == "string" and value:find "%S" ~= nil and not value:find "%z"
      or schema.callable.test(value)
  end)

-- A command is started with at most 64 words, and each variable is one of them.
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

--- Raises at the caller's level if a command, or the variables for it, are invalid.
---@param command any
---@param variables any for a command line; for a function they are not checked
---@param level integer
function M.demand(command, variables, level)
  local rule, value = COMMAND, command
  if type(command) == "string" and COMMAND.test(command) then rule, value = VARIABLES, variables end
  if rule.test(value) then return end
  error(("playbook: program: %s: got %s; allowed: %s"):format(
    rule == COMMAND and "command" or "variables", schema.show(value), rule.allowed), level + 1)
end

-- The file for output that is too long: beside the journal, or in the folder for temporary files.
local function overflow_path(engine)
  local name, store = ".output." .. core.random_hex(4), engine.store
  local beside = store.beside and store:beside(name)
  return beside or (engine.runtime.getenv "TMPDIR" or "/tmp") .. "/alicloud-dr" .. name
end

-- Joins both streams, so that their lines keep their order.
local ONE_STREAM = "exec 1>&2\n"

--- Runs a command line with sh. It gets no variable that holds keys, unless `credentials`. It is
--- ended when this process ends, also by a crash.
---@param loop alicloud.Loop
---@param command string
---@param variables table<string, any> added to its environment
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

--- Turns the end of a program, or the failure to start it, into the result of a step.
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

-- The output of a program, for the screen and the journal; they get it however the program ends.
-- Output that is too long is in a file: standard output, which is not shown, or with `keep` both
-- streams.
---@class alicloud.dr.ProgramOutput
---@field run alicloud.dr.PlaybookRun
---@field step string
---@field path string
---@field kept alicloud.dr.KeptLines? only with `keep`
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

-- The function that gets each line; nil: nobody listens, and standard error is that of the host.
function Output:ear()
  if not self.kept and not self.run.engine.runtime.said then return nil end
  return function(line) self:say(line) end
end

function Output:tell_overflow()
  local said, overflow = self.run.engine.runtime.said, self.overflow
  if not said then return end
  local all, why = overflow.kept == overflow.bytes, overflow.fault or ""
  -- The fault need not name the file again.
  local named = self.path .. ": "
  if why:sub(1, #named) == named then why = why:sub(#named + 1) end
  said(self.step, ("it wrote %d bytes: %s in %s"):format(overflow.bytes, all and "all of it is"
    or ("%d bytes of it (%s) are"):format(overflow.kept, why), self.path))
end

-- Writes the output to the journal. If an error is raised already, a failure of this write is not
-- raised; the next write fails, too.
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
  -- The program was cut short: its output may be all that tells how far it came.
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

-- Runs a command line in a hook (run:on). It belongs to no step, so the journal keeps no output.
local function run_told(run, kind, command, variables, options)
  local said = run.engine.runtime.said
  return M.judge(command, M.line(run.loop, command, variables_of(run, variables), {
    credentials = options.credentials,
    say = said and function(line) said(kind, line) end or nil }))
end

--- Runs a command line with sh, or calls a function with the run and the variables.
---@param run alicloud.dr.PlaybookRun in a step, or in a function of run:on
---@param command string|function
---@param variables table<string, any> e.g. group: the program sees ALICLOUD_DR_GROUP
---@param options alicloud.dr.ProgramOptions
---@return any result true if the program ended with exit code 0; else that of the function
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
