--- Ends an item of a fleet: one transaction writes how it ended and gives its lock back. With one
--- failure too many, or a canary that fails, the same transaction puts the fleet on hold.

local core = require "alicloud.core"
local divisions = require "alicloud.dr.fleet.division"
local errors = require "alicloud.base.error"
local journals = require "alicloud.dr.journal"
local rosters = require "alicloud.dr.fleet.roster"
local states = require "alicloud.dr.playbook.state"
local support = require "alicloud.dr.store.shared.support"

local M = {}

---@class alicloud.dr.ItemEnd
---@field outcome "done"|"failed"|"left_out" left_out: it was not ready, and nothing was begun
---@field status string? status of a run that reached its end
---@field code string? code of the failure
---@field message string?
---@field effect alicloud.Outcome? outcome of the failed call
---@field rto number? seconds
---@field rpo number? seconds
---@field head string? digest of the journal's last line
---@field seconds number since the claim
---@field by string the process that ended it
---@field at number unix seconds

local LONGEST_MESSAGE = 300

-- Whether the run went beyond its first step, which looks whether the item is ready.
local function has_begun(store)
  local text = store:load()
  local reading = text and journals.read(text)
  if not reading then return true end
  local state = states.fold(reading.events)
  return #state.calls > 0 or #state.order > 1
end

local function is_left_out(store, err)
  local unready = err.kind == "precheck" or err.code == "Client.JournalLocked"
  return unready and err.outcome == "not_sent" and not has_begun(store)
end

-- Errors of one journal only: no other process can go on with it, and other items are not
-- concerned.
local OWN = { ["Client.JournalLocked"] = true, ["Client.JournalDamaged"] = true }

--- Whether a run has not ended: its process was stopped or could not write the journal.
---@param err alicloud.Error
---@return boolean
function M.is_open(err)
  if err.code == "Client.Interrupted" or err.incomplete then return true end
  return err.kind == "journal" and not OWN[err.code]
end

--- Describes the end of an item from the result or the error of its run.
---@param fleet alicloud.dr.Fleet
---@param store alicloud.dr.SharedStore
---@param result alicloud.dr.RunResult|nil
---@param err alicloud.Error|nil
---@return alicloud.dr.ItemEnd
function M.of(fleet, store, result, err)
  local ending = { by = fleet.who, at = fleet.runtime.time() }
  if result then
    ending.outcome, ending.status = "done", result.status
    ending.rto, ending.rpo, ending.head = result.rto, result.rpo, result.head
    return ending
  end
  ending.outcome = is_left_out(store, err) and "left_out" or "failed"
  ending.code, ending.head, ending.effect = err.code, err.head, err.outcome
  ending.message = errors.text_of(err.message, LONGEST_MESSAGE)
  return ending
end

-- Why the fleet is to be put on hold; nil: others may go on.
local function reason_to_hold(fleet, item, ending, failures)
  local stage = fleet.meta.stages[item.stage]
  if stage.canary then
    return ("the canary %s %s: %s"):format(divisions.name_of(item),
      ending.outcome == "failed" and "failed" or "was left out", ending.code)
  end
  if failures < fleet.meta.limit then return nil end
  return ("%d failed, of %d that may; last %s: %s"):format(failures, fleet.meta.limit - 1,
    divisions.name_of(item), ending.code)
end

-- The condition that a key is still as it was read.
local function unchanged(key, entry)
  return { key = key, version = entry and entry.version or nil, absent = not entry or nil }
end

-- What is written with the end of an item that failed or was left out, and the conditions for it.
-- An earlier hold is not overwritten.
local function beside(fleet, item, ending)
  local key, hold_key = rosters.key(fleet, "failures"), rosters.key(fleet, "hold")
  local counter, err = support.get(fleet, key)
  if counter == nil then return nil, err end
  local failures = (counter and math.tointeger(tonumber(counter.value)) or 0)
    + (ending.outcome == "failed" and 1 or 0)
  local puts, when = { { key = key, value = ("%d"):format(failures) } }, { unchanged(key, counter) }
  local why = reason_to_hold(fleet, item, ending, failures)
  if not why then return puts, when end
  local hold
  hold, err = support.get(fleet, hold_key)
  if hold == nil then return nil, err end
  when[2] = unchanged(hold_key, hold)
  if not hold then puts[2] = { key = hold_key, value = rosters.hold_text(fleet, why) } end
  return puts, when
end

--- Writes how an item ended, and gives its lock back.
---@param fleet alicloud.dr.Fleet
---@param store alicloud.dr.SharedStore must still have the lock
---@param item alicloud.dr.FleetItem
---@param ending alicloud.dr.ItemEnd
---@return boolean|nil ok
---@return alicloud.Error? err
function M.write(fleet, store, item, ending)
  local done = { key = rosters.key(fleet, "done", item.account, item.group),
    value = core.encode(ending) }
  if ending.outcome == "done" then return store:finish { done } end
  local ok, err = false, nil
  -- Another controller may have counted a failure in between: then it is tried again.
  while ok == false do
    local puts, when = beside(fleet, item, ending)
    if not puts then return nil, when end
    table.insert(puts, 1, done)
    ok, err = store:finish(puts, when)
  end
  return ok, err
end

return M
