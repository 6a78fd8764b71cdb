--- Undoes the steps of a run that fails before its point of no return.

local bodies = require "alicloud.dr.playbook.body"
local bounded = require "alicloud.dr.playbook.bounded"
local effects = require "alicloud.dr.playbook.effect"
local errors = require "alicloud.base.error"
local pasts = require "alicloud.dr.playbook.past"
local productions = require "alicloud.dr.playbook.production"
local takeovers = require "alicloud.dr.playbook.takeover"

local M = {}

--- Whether a run that has ended with an error is undone.
---@param engine alicloud.dr.Engine
---@param err alicloud.Error
---@return boolean
function M.may(engine, err)
  return err.kind ~= "journal" and err.code ~= "Client.StepInDoubt"
    and err.code ~= "Client.PlaybookChanged" and not effects.no_return(engine.state)
end

-- Settles a change if it is in doubt, so that the next attempt decides anew.
local function settle(engine, entry, why)
  if not pasts.is_open(entry) then return end
  engine:write({ type = "settled", verb = entry.verb, group_id = entry.intent.group_id,
    client_token = entry.intent.client_token, why = why }, true)
end

-- What an undo has taken back is settled, whatever becomes of the other undos. It is so before the
-- end of the undo, or a process that dies in between would leave it open.
local function settle_undone(engine, key)
  for _, entry in ipairs(engine.state.steps[key].intents) do
    settle(engine, entry, "the step that it belongs to was undone")
  end
end

local function undo_step(engine, run, entry)
  engine:write({ type = "undo_begin", step = entry.key }, true)
  -- A call that an earlier process has sent for the step must not arrive after its undo.
  takeovers.wait(engine, entry.key, engine.state.steps[entry.key].calls)
  run.step_key = entry.key
  -- The failed step may have used up the time for waiting for the cloud.
  entry.client:renew_patience()
  local ok, result, why = bounded.call(engine.loop, { opened = bodies.opener(run) }, entry.undo,
    run)
  run.step_key, run.step_scope = nil, nil
  local failed = (result == nil or result == false) and why or nil
  if not ok then failed = result or "no reason given" end
  if failed then engine:except(("step %q was not undone: %s"):format(entry.key,
    errors.text_of(failed))) end
  if not failed then settle_undone(engine, entry.key) end
  engine:write({ type = "undo_end", step = entry.key, ok = failed == nil,
    err = failed and { message = errors.words_of(failed) } or nil }, true)
  return failed == nil
end

-- The groups whose production is down.
local function stopped_groups(state)
  local set = {}
  for _, each in pairs(state.production) do set[each.group_id] = each.state == "stopped" end
  return set
end

-- Production comes back only if the group was seen as it had been.
local function settle_brought_back(engine, was_stopped)
  for _, entry in ipairs(engine.state.intents) do
    local group_id = entry.intent.group_id
    if was_stopped[group_id] and engine.state.production[group_id].state == "back" then
      settle(engine, entry, "the group was seen as before, and what was stopped for it is back")
    end
  end
end

--- Undoes the steps from the last to the first, those that stop production before the others. If
--- one cannot be undone, the others are all the same.
---@param engine alicloud.dr.Engine
---@param run alicloud.dr.PlaybookRun
---@return boolean whole whether all of it was undone
function M.run(engine, run)
  local whole, was_stopped = #engine.undos > 0, stopped_groups(engine.state)
  for _, first in ipairs { true, false } do
    for i = #engine.undos, 1, -1 do
      local entry = engine.undos[i]
      if (entry.stops_production == true) == first then
        whole = undo_step(engine, run, entry) and whole
      end
    end
  end
  whole = whole and productions.down(engine.state) == nil
  if whole then settle_brought_back(engine, was_stopped) end
  return whole
end

return M
