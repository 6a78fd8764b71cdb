--- Failover, reprotection and failback of the throwaway life.

local core = require "alicloud.core"
local copying = require "alicloud.conformance.cases.throwaway.copying"
local setup = require "alicloud.conformance.cases.throwaway.setup"
local watch = require "alicloud.conformance.cases.throwaway.watch"

local M = {}

local step = copying.step
local FAILOVER, REPROTECT = "ebs:FailoverDiskReplicaGroup", "ebs:ReprotectDiskReplicaGroup"
local PRIMARY = "OperationDenied.OperateNotAllowedForPrimary"
local STANDBY = "OperationDenied.OperateNotAllowedForStandby"

local function start_there(life, name)
  return life:change(name, "ebs:StartDiskReplicaGroup",
    setup.of(life, "g", life.destination.region))
end

local ask_home = step("start g at the recovery side", function(life)
  start_there(life, "home_1")
end)

local wrong_side = { name = "wrong_side", look = function(_, lab)
  local change = lab.life:change("failover_wrong", FAILOVER,
    setup.of(lab.life, "g", lab.life.source.region))
  if not change.code then return "accepted" end
  if change.code == PRIMARY then return "primary_code" end
  if change.code == "NoSuchResource" then return "not_found" end
  return change.code
end }

-- If the failover at the wrong side was accepted, it is used as the failover.
local function fail_over(life)
  local wrong = life.probe.memory["did:failover_wrong"]
  if not (wrong and not wrong.code) then
    life:must("failover_1", FAILOVER, setup.of(life, "g", life.destination.region))
  end
  watch.failed_over(life, "failover_1",
    { name = "failover_mixed", region = life.destination.region })
end

local function time_of(life, name)
  local kept = life.probe.memory["once:failover:" .. name]
  return kept and kept.value
end

local pair_order = { name = "pair_order", cites = { "failover_1", "failover_2" },
  look = function(_, lab)
  local text
  for _, name in ipairs { "failover_1", "failover_2" } do
    local seen = time_of(lab.life, name)
    if seen and seen.staggered then return "staggered" end
    if seen and seen.before and seen.together then text = "no look saw one turned alone" end
  end
  if text then return "together", text end
  return nil, "nobody looked while the pairs turned"
end }

local mixed_failover_states = { name = "mixed_failover_states", cites = { "failover_mixed" },
  look = function(_, lab)
  local seen = time_of(lab.life, "failover_1")
  local mixed = seen and seen.mixed
  if not mixed then return nil, "no moment was seen at which pair and group differ" end
  local any = lab.life.probe.decided.failover_states
  if not mixed.code and any and any.value == "any" then
    return nil, "failover_states=any hides it"
  end
  if not mixed.code then return "compatible" end
  if mixed.code == "OperationDenied.PairGroupStatusConflict" then return "conflict" end
  return nil, "refused with " .. mixed.code
end }

local function status_after(life)
  local record = life:look("group", setup.id(life, "g"))
  return record and record.Status or "gone"
end

local repeat_failover = { name = "repeat_failover", look = function(_, lab)
  local life = lab.life
  local change = life:change("failover_again", FAILOVER,
    setup.of(life, "g", life.destination.region))
  local status = life:once("status_again", function() return status_after(life) end)
  if change.code and not change.doubt then return "refused: " .. change.code end
  if change.code then return nil, "an answer was lost" end
  if status == "failovered" then return "noop" end
  return status == "failovering" and "restart" or nil, "it shows " .. status
end }

local settle = step("wait for the failover", function(life)
  life:wait("failover_settled", "group", setup.id(life, "g"), "failovered")
end)

local function reprotect(life, name, region)
  local busy = life.probe.memory["did:reprotect_busy"]
  local change = busy
  if name ~= "reprotect_1" or not busy or busy.code then
    change = life:must(name, REPROTECT, setup.of(life, "g", region, { ReverseReplicate = true }))
  end
  return change
end

local reverse = step("reverse group g", function(life)
  local change = reprotect(life, "reprotect_1", life.destination.region)
  local id = setup.id(life, "g")
  life:wait("reprotect_1", "group", id, "stopped", { since = change.at, timing = "reprotect" })
  local side = life:once("side_after_reprotect_1", function()
    return life:look("group", id).SourceRegionId
  end)
  if side ~= life.destination.region then
    life:stop("after the reprotection the production side is still " .. side)
  end
end)

local function has_point(record)
  local point = record.LastRecoverPoint
  return point ~= nil and point ~= core.null and point ~= 0
end

local reprotect_recover_point = { name = "reprotect_recover_point", look = function(_, lab)
  local id = setup.id(lab.life, "g")
  local first, second = lab.life:look("group", id), lab.life:look("group", id)
  if has_point(first) ~= has_point(second) then return nil, "two looks do not agree" end
  return has_point(first) and "keep" or "clear"
end }

-- Looks in both regions with both values of Site. The read tier may have decided it already, by
-- another group that runs in reverse.
local site_direction = { name = "site_direction", look = function(_, lab)
  local life = lab.life
  local id, now, first = setup.id(life, "g"), life.destination.region, life.source.region
  local by_now = life:view("group", id, now, "production") ~= nil
    and life:view("group", id, first, "backup") ~= nil
  local by_first = life:view("group", id, first, "production") ~= nil
    and life:view("group", id, now, "backup") ~= nil
  if by_now == by_first then
    return nil, by_now and "both Site values show it in both regions" or "neither way shows it"
  end
  return by_now and "current" or "initial"
end }

local side_names = { name = "side_names", look = function(_, lab)
  local change = lab.life:change("failover_reversed_wrong", FAILOVER,
    setup.of(lab.life, "g", lab.life.destination.region))
  if change.code == STANDBY then return "initial" end
  if change.code == PRIMARY then return "current" end
  if change.code == "NoSuchResource" then return nil, "wrong_side=not_found hides it" end
  return nil, change.code and "refused with " .. change.code or "it was accepted"
end }

local start_reversed = step("copy in reverse", function(life)
  local change = start_there(life, "home_2")
  if change.code then
    copying.start(life, "start_reversed", "g", "sync")
  else
    life:wait("home_2", "group", setup.id(life, "g"), "normal",
      { since = change.at, timing = "sync" })
  end
end)

local HOMES = { ["true true"] = "either", ["false true"] = "source", ["false false"] = "initial" }

local group_home = { name = "group_home", cites = { "home_1", "home_2" },
  look = function(_, lab)
  local memory = lab.life.probe.memory
  local first, second = memory["did:home_1"], memory["did:home_2"]
  for _, change in ipairs { first, second } do
    local other = change.code and not setup.WRONG_SIDE[change.code]
    if other then return nil, "refused with " .. change.code end
  end
  local text = ("at the recovery side %s, at the production side that it became %s"):format(
    first.code or "taken", second.code or "taken")
  local key = ("%s %s"):format(not first.code, not second.code)
  return HOMES[key] or "only before the reversal", text
end }

local fail_back = step("fail back", function(life)
  life:must("failover_2", FAILOVER, setup.of(life, "g", life.source.region))
  watch.failed_over(life, "failover_2")
  life:must("reprotect_2", REPROTECT,
    setup.of(life, "g", life.source.region, { ReverseReplicate = true }))
  life:once("status_reprotecting", function() return status_after(life) end)
end)

local failover_states = { name = "failover_states", look = function(_, lab)
  local life = lab.life
  local status = life.probe.memory["once:status_reprotecting"].value
  if status ~= "reprotecting" then
    return nil, "no look saw it reprotecting; it shows " .. status
  end
  local change = life:change("failover_reprotecting", FAILOVER,
    setup.of(life, "g", life.source.region))
  if not change.code then return "any" end
  if setup.WRONG_SIDE[change.code] then
    return nil, "the reversal was over before it could be asked"
  end
  return "documented", "refused with " .. change.code
end }

local failed_back = step("wait until it is back", function(life)
  local id, since = setup.id(life, "g"), life.probe.memory["did:reprotect_2"].at
  local odd = life.probe.memory["did:failover_reprotecting"]
  local timing = "reprotect"
  if odd and not odd.code then
    watch.failed_over(life, "failover_reprotecting")
    since = life:must("reprotect_3", REPROTECT,
      setup.of(life, "g", life.source.region, { ReverseReplicate = true })).at
  end
  life:wait("reprotected_2", "group", id, "stopped", { since = since, timing = timing })
end)

M.before = { ask_home, wrong_side }
M.failover = { step("fail over", fail_over), repeat_failover, settle }
M.reversal = { reverse, reprotect_recover_point, site_direction, side_names, start_reversed,
  group_home }
M.failback = { fail_back, failover_states, failed_back, mixed_failover_states, pair_order }

return M
