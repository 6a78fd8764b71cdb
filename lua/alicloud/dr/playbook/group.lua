--- A group as a playbook holds it: its verbs write to the journal, go on where a process died, and
--- return what they returned before when their step runs again.

local calls = require "alicloud.dr.playbook.calls"
local groups = require "alicloud.dr.group"
local states = require "alicloud.dr.playbook.state"

local M = {}

-- Verbs that take the options journal and continue (alicloud.dr.seam).
local VERBS = { "failover" }

local function with_defaults(branch, options, past)
  local engine, given = branch.engine, {}
  for name, value in pairs(options or {}) do given[name] = value end
  given.journal, given.continue = calls.journal(branch), past
  if not given.client_token and not past then
    given.incident = given.incident or engine.state.run.incident
  end
  given.accept_loss = given.accept_loss or engine.state.accept_loss
  local listener = given.progress
  given.progress = function(event)
    if event.event == "looked" then engine:looked(event.snapshot) end
    if listener then return listener(event) end
  end
  return given
end

-- A person may say that what was sent before is settled, and this is to be decided anew.
local function forget(branch, past)
  local engine, key = branch.engine, branch.step_key
  if not past or not engine.options.again[key] then return past end
  engine.options.again[key] = nil
  engine:record { type = "asked", step = key, answer = "again", by = engine.holder.owner,
    dropped = past.intent.client_token }
  return nil
end

local function carry_out(branch, group, verb, options)
  local result, past = states.pending(branch.engine.state, verb, group.id, branch.step_key)
  if result then return result end
  past = forget(branch, past)
  local err
  result, err = group[verb](group, with_defaults(branch, options, past))
  if not result then return nil, err end
  branch.engine:looked(result.snapshot)
  -- What a step returns is the same after a resume, and the journal has no snapshots.
  result.snapshot = nil
  return result
end

local function precheck(branch, group, options)
  local report, err = group:precheck(options)
  if report then branch.engine:looked(report.snapshot) end
  return report, err
end

local function forward(group)
  return function(_, name)
    local value = group[name]
    if type(value) ~= "function" then return value end
    return function(_, ...) return value(group, ...) end
  end
end

--- Binds a group to a branch of a run.
---@param branch alicloud.dr.PlaybookRun
---@param id string
---@param options? { region: string }
---@return alicloud.dr.Group
function M.bind(branch, id, options)
  local group = groups.new(branch.client, id, options)
  local bound = {
    precheck = function(_, given) return precheck(branch, group, given) end,
  }
  for _, verb in ipairs(VERBS) do
    bound[verb] = function(_, given) return carry_out(branch, group, verb, given) end
  end
  return setmetatable(bound, {
    __name = "alicloud.dr.Group", __index = forward(group),
    __tostring = function() return tostring(group) end,
  })
end

return M
