--- A program that a step runs: a probe, a hook that stops services. Other branches go on meanwhile,
--- and whoever gives the step up ends it.

local errors = require "alicloud.base.error"
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

-- Bytes that are kept: the last ones, where a program says how it went.
local KEPT = 4096

-- Takes lines, and drops the first ones where there are too many.
local function keeper()
  local lines, size, cut = {}, 0, nil
  return function(line)
    lines[#lines + 1], size = line, size + #line + 1
    while size > KEPT and #lines > 1 do
      size, cut = size - #table.remove(lines, 1) - 1, true
    end
  end, function() return table.concat(lines, "\n"), cut end
end

-- Both streams as one, in the order in which they are written.
local ONE_STREAM = "exec 1>&2\n"

--- Runs a command line with sh. It gets no variable that holds keys, unless `credentials`.
---@param loop alicloud.Loop
---@param command string
---@param variables table<string, any> of its environment
---@param given { credentials?: boolean, timeout?: number, say?: fun(line: string) }
---@return alicloud.ProgramEnd|nil
---@return string? fault why it did not start
function M.line(loop, command, variables, given)
  return programs.run(loop, words_of(command, variables), { max = MAX_OUTPUT,
    timeout = given.timeout, say = given.say,
    without = not given.credentials and programs.KEYS or nil })
end

local function end_of(command, ended, fault)
  if not ended then return failed(("%s: %s"):format(command, fault)) end
  if ended.signal then
    return failed(("%s: ended by signal %d"):format(command, ended.signal))
  end
  if ended.code ~= 0 then
    return failed(("%s: exit code %s"):format(command, tostring(ended.code)))
  end
  return true
end

local function run_and_keep(run, command, variables, options)
  local said, step = run.engine.runtime.said, run.step_key
  local take, told = keeper()
  local ok, err = end_of(command, M.line(run.loop, ONE_STREAM .. command, variables, {
    credentials = options.credentials, say = function(line)
      take(line)
      if said then said(step, line) end
    end }))
  local text, cut = told()
  run.engine:record { type = "output", step = step, text = text, cut = cut, ok = ok == true }
  return ok, err
end

--- Runs a command line with sh, or calls a function with the run and the variables.
---@param run alicloud.dr.PlaybookRun in a step, whose program it is
---@param command string|function
---@param variables table<string, any> e.g. group: the program sees ALICLOUD_DR_GROUP
---@param options alicloud.dr.ProgramOptions
---@return any result true of a program that ended with exit code 0
---@return any err
function M.run(run, command, variables, options)
  if schema.callable.test(command) then return command(run, variables) end
  local instead, said, step = run.engine.options.program, run.engine.runtime.said, run.step_key
  if instead then return instead(command, variables) end
  if options.keep then
    return run_and_keep(run, command, variables_of(run, variables), options)
  end
  return end_of(command, M.line(run.loop, command, variables_of(run, variables), {
    credentials = options.credentials, say = said and function(line) said(step, line) end }))
end

return M
