--- Reads the journals of other runs beside this one, and adds to the preflight of a group: runs of
--- it that have not finished, and when the service accepts the next one-shot sync.

local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local events = require "alicloud.dr.playbook.events"
local preflight = require "alicloud.dr.model.preflight"
local shell = require "alicloud.base.shell"
local states = require "alicloud.dr.playbook.state"
local ways = require "alicloud.dr.playbook.way"

local M = {}

-- The service accepts the next one-shot sync after half the RPO, whose only value is this
-- (seconds). Source: StartDiskReplicaGroup, OneShot.
local USUAL_RPO = 900

-- Most runs that are reported, the newest first.
local MOST = 3

local function concerns(state, group_id)
  return state.run ~= nil and state.looks[group_id] ~= nil
end

-- Other runs with a look at the group, newest first; nil: the store does not read other journals.
local function runs_of(engine, group_id)
  local list, store, others = {}, engine.store, {}
  if store and store.others then others = store:others() end
  if not others then return nil end
  for _, other in ipairs(others) do
    -- Journals that do not contain the group's id are not parsed.
    local reading = other.text:find(group_id, 1, true) and events.read(other.text)
    local state = reading and states.fold(reading.events)
    if state and concerns(state, group_id) then
      list[#list + 1] = { journal = other.name, state = state,
        at = reading.events[#reading.events].at }
    end
  end
  table.sort(list, function(a, b) return a.at > b.at end)
  return list
end

local function state_words(state)
  if not state.ending then return "broke off" end
  return state.ending.type == "interrupted" and "was interrupted" or "stopped"
end

-- The unfinished runs, each in its own text, so that its command can be copied. Runs before one
-- that has finished are left out: that run has gone on from where they were left.
local function unfinished(list, now)
  local parts = {}
  for _, run in ipairs(list) do
    local state = run.state
    if state.is_over or #parts == MOST then break end
    parts[#parts + 1] = ("%s of %s %s %s ago, to go on with it: %s"):format(state.run.playbook,
      state.run.requester or state.owner or "somebody", state_words(state),
      duration.format(math.max(0, now - run.at)),
      shell.command("resume", { run.journal }, ways.options(state.way)))
  end
  return parts
end

local function tell_unfinished(findings, list, now)
  local others = unfinished(list, now)
  for _, words in ipairs(others) do
    findings[#findings + 1] = preflight.told("runs", "Client.RunUnfinished", words)
  end
  if #others == 0 then findings[#findings + 1] = preflight.fine("runs", "none beside this one") end
end

local HAD_NO_EFFECT = { rejected = true, not_sent = true }

local function last_sync(list, own, group_id)
  local newest
  local function look_through(state)
    for _, entry in ipairs(state.intents) do
      local none = entry.outcome and HAD_NO_EFFECT[entry.outcome.outcome]
      if entry.one_shot and entry.intent.group_id == group_id and not none then
        newest = math.max(newest or 0, entry.at)
      end
    end
  end
  look_through(own)
  for _, run in ipairs(list) do look_through(run.state) end
  return newest
end

-- When the service accepts the next one-shot sync; nil: now.
local function next_sync(list, engine, snapshot, now)
  local at = last_sync(list, engine.state, snapshot.group_id)
  local next_at = at and at + (snapshot.declared_rpo or USUAL_RPO) / 2 + 1
  return next_at and next_at > now and next_at or nil
end

--- Adds findings from other runs to the preflight report of a move.
---@param engine alicloud.dr.Engine
---@param report alicloud.dr.MoveReport
---@param move alicloud.dr.Move
---@return alicloud.dr.MoveReport `sync_at`: unix seconds from which the service accepts another
---one-shot sync; nil: now, or the move needs none
function M.add(engine, report, move)
  local snapshot, now = report.snapshot, engine.runtime.time()
  local list = runs_of(engine, snapshot.group_id)
  local findings = table.move(report.findings, 1, #report.findings, 1, {})
  if list then tell_unfinished(findings, list, now) end
  local sync_at = move ~= "failover" and next_sync(list or {}, engine, snapshot, now) or nil
  if sync_at then
    findings[#findings + 1] = preflight.told("sync", "OperationDenied.ManualSyncLimit",
      ("the service takes another one at %s, in %s"):format(core.iso8601(math.ceil(sync_at)),
        duration.format(sync_at - now)))
  end
  local made = preflight.report(findings, snapshot)
  made.sync_at = sync_at
  return made
end

return M
