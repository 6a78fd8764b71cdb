--- Watches changes of the throwaway life while they happen: a failover, a deletion, a pair that
--- leaves its group.

local labs = require "alicloud.conformance.lab"
local setup = require "alicloud.conformance.cases.throwaway.setup"

local M = {}

local LIMIT, EVERY = 1800, 1

--- Waits until a pair belongs to no group.
---@param life alicloud.conformance.Lab
---@param name string
---@param key string
---@param since number
function M.left(life, name, key, since)
  life:wait(name, "pair", setup.id(life, key), { created = true, stopped = true }, {
    since = since, timing = "membership",
    also = function(record) return not labs.text(record.ReplicaGroupId) end })
end

-- A record is gone when two looks in a row do not find it, in both regions and for both sites.
local function watch_deletion(life, kind, id, since)
  local seen, missed = {}, 0
  local probe = life.probe
  while missed < 2 do
    local record, code = life:look(kind, id)
    if code == "OperationDenied.InvalidStatus" then seen.refused = true end
    if record and record.Status == "deleted" then seen.deleted = true end
    if record and record.Status == "delete_failed" then
      life:stop(("%s %s is delete_failed"):format(kind, id))
    end
    missed = record and 0 or missed + 1
    if missed == 1 then seen.seconds = probe:now() - since end
    if probe:now() - since > LIMIT then life:stop(("%s %s is still there"):format(kind, id)) end
    if record and record.Status == "deleted" then return seen end
    probe:sleep(EVERY)
  end
  return seen
end

--- Waits until a pair is deleted, and keeps what was seen.
---@param life alicloud.conformance.Lab
---@param name string
---@param key string
---@param since number
---@param timing? string
---@return { refused: boolean?, deleted: boolean?, seconds: number? }
function M.gone(life, name, key, since, timing)
  local id = setup.id(life, key)
  local seen = life:once(name, function() return watch_deletion(life, "pair", id, since) end)
  if timing and seen.seconds then life:sample(name, timing, seen.seconds) end
  return seen
end

local function statuses(life, id)
  local list = {}
  for i, key in ipairs { "p1", "p2" } do
    local record = life:look("pair", setup.id(life, key))
    list[i] = record and record.Status or "gone"
  end
  local group = life:look("group", id)
  return list, group and group.Status or "gone"
end

-- Asks for a second failover while the statuses of pair and group differ, to see if it is refused.
local function ask_while_mixed(life, again)
  local change = life:change(again.name, "ebs:FailoverDiskReplicaGroup",
    setup.of(life, "g", again.region))
  return { code = change.code, doubt = change.doubt }
end

local function look_once(life, id, seen, again)
  local list, group = statuses(life, id)
  local turned = (list[1] == "failovered" and 1 or 0) + (list[2] == "failovered" and 1 or 0)
  -- The second failover may start everything again, so the order of pairs is not observed after it.
  if not seen.mixed then
    seen.before = seen.before or turned == 0 and list[1] == "failovering"
    seen.staggered = seen.staggered or turned == 1
    seen.together = seen.together or turned == 2
  end
  if again and turned > 0 and group == "failovering" and not seen.mixed then
    seen.mixed = ask_while_mixed(life, again)
  end
  return group
end

local function watch_failover(life, id, since, again)
  local probe, seen = life.probe, {}
  while true do
    local group = look_once(life, id, seen, again)
    if group == "failovered" then break end
    if group == "failover_failed" then life:stop(("group %s is failover_failed"):format(id)) end
    if probe:now() - since > LIMIT then life:stop(("group %s is still %s"):format(id, group)) end
    probe:sleep(EVERY)
  end
  seen.seconds = probe:now() - since
  return seen
end

---@class alicloud.conformance.Failover what was seen during a failover
---@field staggered boolean? one pair was seen failed over before the other
---@field together boolean? both pairs were seen failed over
---@field before boolean? a look saw the failover running before any pair was failed over
---@field mixed { code: string?, doubt: boolean }? outcome of a second failover meanwhile
---@field seconds number that it took

--- Waits for a failover of the group g, and keeps what was seen.
---@param life alicloud.conformance.Lab
---@param name string
---@param again? { name: string, region: string } a second failover to ask for meanwhile
---@return alicloud.conformance.Failover
function M.failed_over(life, name, again)
  local change = life.probe.memory["did:" .. name]
  local since = change and change.at or life.probe:now()
  return life:once("failover:" .. name, function()
    return watch_failover(life, setup.id(life, "g"), since, again)
  end)
end

return M
