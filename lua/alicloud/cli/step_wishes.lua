--- Checks the step names of --skip and --again before a run begins. A mistyped name would otherwise
--- be found only at the end, when the step that it should leave out is done.

local fold = require "alicloud.cli.fold"
local options = require "alicloud.cli.options"
local schema = require "alicloud.base.schema"
local step_names = require "alicloud.dr.playbook.step_names"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

local M = {}

local SETTLED = { done = "is done already", skipped = "was left out before",
  passed = "is passed already" }

local function warn(io, option, name, text)
  io.err(fold.hang(io, ("alicloud-dr: warning: %s: %s %s"):format(option,
    terminal.clean(schema.show(name)), terminal.clean(text, 1000)), 4) .. "\n")
end

local function past_of(state, name)
  local gate = name:match "^gate:(.*)$"
  return state and (gate and state.gates[gate] or state.steps[name]) or nil
end

local function check_again(state, name, io)
  local past = past_of(state, name)
  if not past then
    local begun = state and tables.keys(state.steps) or {}
    options.refuse(("--again: got %s; allowed: a step that the run has begun: %s%s"):format(
      schema.show(name), #begun > 0 and tables.few(begun) or "there is none yet",
      schema.did_you_mean(name, state and state.steps or {})))
  end
  local why = SETTLED[past.status]
  if why then warn(io, "--again", name, why .. ", and is not done again") end
end

local function check_skip(found, state, name, io)
  local past = past_of(state, name)
  local why = past and SETTLED[past.status]
  if why then
    warn(io, "--skip", name, why .. ", so nothing of it is left out")
  elseif step_names.is_critical(found, name) then
    options.refuse(("--skip: got %s; allowed: a step that is not critical"):format(
      schema.show(name)))
  end
  local is_form = name:gsub("^gate:", ""):find "^GROUP/" ~= nil
  if past or not is_form and step_names.has(found, name) then return end
  local known = tables.keys(found.names)
  local near = step_names.near(found, name)
  if found.whole then
    local list = #known > 0 and tables.few(known) or "it has none"
    options.refuse(("--skip: got %s; allowed: a step or gate of the playbook: %s%s%s"):format(
      schema.show(name), list, list:find("GROUP/", 1, true) and " (GROUP: the id of a group)" or "",
      near))
  end
  warn(io, "--skip", name, "is no name in the text of the playbook" .. near
    .. "; where the run comes to nothing of that name, nothing is left out")
end

--- Refuses a critical step, and a name that is no step or gate, if all names are known. Warns of a
--- doubtful one and of one that has no effect. Nothing is checked for a finished run: `run_end`
--- warns there.
---@param playbook alicloud.dr.Playbook
---@param given table options of dr.run
---@param io alicloud.cli.Io
---@param state alicloud.dr.RunState|nil state of the journal's run; nil if it has none
function M.check(playbook, given, io, state)
  if state and state.is_over then return end
  for _, name in ipairs(tables.keys(given.again)) do check_again(state, name, io) end
  local skips = tables.keys(given.skip)
  local found = skips[1] and step_names.of(playbook.source)
  for _, name in ipairs(skips) do check_skip(found, state, name, io) end
end

return M
