--- What is watched while it happens: a failover, a deletion, a membership that ends.

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

-- A record is gone when nobody shows it twice in a row, in either region, as either site.
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

-- Asks again while pair and group are not alike, which is the moment that the conflict is about.
local function ask_while_mixed(life, again)
  local change = life:change(again.name, "ebs:FailoverDiskReplicaGroup",
    setup.of(life, "g", again.region))
  return { code = change.code, doubt = change.doubt }
end

local function look_once(life, id, seen, again)
  local list, group = statuses(life, id)
  local turned = (list[1] == "failovered" and 1 or 0) + (list[2] == "failovered" and 1 or 0)
  -- A repeat may begin the failover anew, which says nothing of the first order.
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
---@field staggered boolean? the pairs were seen in different states
---@field together boolean? both had turned
---@field before boolean? it was looked at before any had turned
---@field mixed { code: string?, doubt: boolean }? what a repeat gave meanwhile
---@field seconds number

--- Waits for a failover of the group g, and keeps what was seen.
---@param life alicloud.conformance.Lab
---@param name string
---@param again? { name: string, region: string } a failover to ask for in the midst
---@return alicloud.conformance.Failover
function M.failed_over(life, name, again)
  local change = life.probe.memory["did:" .. name]
  local since = change and change.at or life.probe:now()
  return life:once("failover:" .. name, function()
    return watch_failover(life, setup.id(life, "g"), since, again)
  end)
end

return M
