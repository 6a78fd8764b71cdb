--- A verification from outside, whose success ends the RTO: a step that is tried until it succeeds.

local bodies = require "alicloud.dr.playbook.body"
local bounded = require "alicloud.dr.playbook.bounded"
local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"
local schema = require "alicloud.base.schema"
local steps = require "alicloud.dr.playbook.step"

local M = {}

local EVERY = 5

local TIME = schema.rule(duration.ALLOWED, function(value)
  local seconds = duration.parse(value)
  return seconds ~= nil and seconds > 0
end)

M.SCHEMA = { timeout = TIME, every = TIME, on_error = steps.SCHEMA.on_error,
  critical = schema.boolean, plan = steps.SCHEMA.plan }

local function not_back(name, tries, err)
  return nil, errors.new {
    kind = "state", code = "Client.NotVerified", step = name,
    message = ("%q did not succeed in %d tr%s%s"):format(name, tries, tries == 1 and "y" or "ies",
      err ~= nil and ": " .. errors.text_of(err) or ""),
  }
end

-- Tries once, within the given seconds. Returns nil and a reason if the try was cancelled.
local function probe(run, seconds, body)
  local late
  local bounds = { timeout = seconds, late = seconds and bodies.late_teller(run, run.step_key,
    seconds), given_up = function(err)
    late = ("it was given up after %s"):format(duration.format(seconds))
      .. (err.late and duration.overrun(err.late) or "")
    return late
  end }
  local ok, result, err = bounded.call(run.loop, bounds, body, run)
  if ok then return result, err end
  if result ~= late then error(result, 0) end
  return nil, late
end

local function trial(run, name, options, body)
  local loop, seconds = run.loop, options.timeout and duration.parse(options.timeout)
  local deadline = loop.now() + (seconds or 0)
  local pause = options.every and duration.parse(options.every) or EVERY
  local tries = 0
  while true do
    tries = tries + 1
    local result, err = probe(run, seconds and math.max(pause, deadline - loop.now()), body)
    if result then return result end
    if loop.now() + pause > deadline then return not_back(name, tries, err) end
    loop.sleep(pause)
  end
end

--- Runs a verification.
---@param branch alicloud.dr.PlaybookRun
---@param name string
---@param options table
---@param body function
---@return any result
---@return alicloud.Error? err
function M.run(branch, name, options, body)
  local step = { verify = true, on_error = options.on_error, critical = options.critical,
    plan = options.plan }
  return steps.run(branch, name, step, function(run) return trial(run, name, options, body) end)
end

return M
