--- A program that a step runs: a probe, a hook that stops services. Other branches go on meanwhile,
--- and whoever gives the step up ends it.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local option = require "alicloud.options"
local sorted = require "alicloud.sorted"

local M = {}

local MAX_OUTPUT = 65536
local SLICE = 0.2
local PAUSE = 0.01

local function failed(message)
  return nil, alicloud.error.new { kind = "state", code = "Client.ProgramFailed",
    message = message }
end

local function wait_for(loop, process)
  while not process:step() do
    if process:pollfd() then
      loop.wait(process, loop.now() + SLICE)
    else
      loop.sleep(PAUSE)
    end
  end
end

local function words_of(command, variables)
  local words = { "env" }
  for _, name in ipairs(sorted.keys(variables)) do
    words[#words + 1] = name .. "=" .. tostring(variables[name])
  end
  for _, word in ipairs { "sh", "-c", command } do words[#words + 1] = word end
  return words
end

local function variables_of(run, variables)
  local all = { ALICLOUD_DR_KIND = run.kind, ALICLOUD_DR_MODE = run.mode, ALICLOUD_DR_RUN = run.id }
  for name, value in pairs(variables or {}) do all["ALICLOUD_DR_" .. name:upper()] = value end
  return all
end

--- Starts a command line with sh.
---@param command string
---@param variables table<string, any> of its environment
---@return alicloud.Process|nil
---@return string? fault
function M.start(command, variables)
  return core.spawn(words_of(command, variables), MAX_OUTPUT)
end

--- Runs a command line with sh, or calls a function with the run and the variables.
---@param run alicloud.dr.PlaybookRun
---@param command string|function
---@param variables table<string, any>|nil e.g. group: the program sees ALICLOUD_DR_GROUP
---@return any result true of a program that ended with exit code 0
---@return any err
function M.run(run, command, variables)
  if option.callable.test(command) then return command(run, variables or {}) end
  local instead = run.engine.options.program
  if instead then return instead(command, variables or {}) end
  local process <close>, fault = M.start(command, variables_of(run, variables))
  if not process then return failed(("%s: %s"):format(command, fault)) end
  wait_for(run.loop, process)
  local _, code, signal = process:result()
  if signal then return failed(("%s: ended by signal %d"):format(command, signal)) end
  if code ~= 0 then return failed(("%s: exit code %s"):format(command, tostring(code))) end
  return true
end

return M
