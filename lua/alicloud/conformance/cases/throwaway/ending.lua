--- The end of the throwaway life: the steps that may disturb others, then everything is deleted.

local cleanup = require "alicloud.conformance.cleanup"
local copying = require "alicloud.conformance.cases.throwaway.copying"
local setup = require "alicloud.conformance.cases.throwaway.setup"
local tables = require "alicloud.base.tables"
local watch = require "alicloud.conformance.cases.throwaway.watch"
local world_schema = require "alicloud.emulator.model.world_schema"

local M = {}

local step = copying.step

local create_fourth = step("create a pair that is never started", function(life)
  setup.create(life, "pair", "p4", setup.pair_params(life, "p4", 3))
end)

local delete_created = { name = "delete_created", look = function(_, lab)
  local life = lab.life
  local change = life:change("delete_p4", "ebs:DeleteDiskReplicaPair",
    setup.of(life, "p4", life.source.region))
  if not change.code then
    watch.gone(life, "gone_p4", "p4", change.at, "delete")
    return "allow"
  end
  local denied = change.code:find "^OperationDenied" ~= nil
  return denied and "refuse" or nil, "refused with " .. change.code
end }

-- The pair that joins the stopped group: the fourth one, or if that was deleted, a fifth one.
local function created_pair(life)
  local deleted = life.probe.memory["did:delete_p4"]
  if not deleted or deleted.code then return "p4" end
  setup.create(life, "pair", "p5", setup.pair_params(life, "p5", 3))
  return "p5"
end

local add_mixed = { name = "add_mixed", look = function(_, lab)
  local life = lab.life
  local pair = created_pair(life)
  local group = life:look("group", setup.id(life, "g"))
  if group.Status ~= "stopped" then return nil, "the group is " .. group.Status end
  local change = life:change("add_mixed", "ebs:AddDiskReplicaPair",
    setup.of(life, "g", life.source.region, { ReplicaPairId = setup.id(life, pair) }))
  if not change.code then return "accept" end
  if change.code == "OperationDenied.PairGroupStatusConflict" then return "conflict" end
  if change.code == "OperationDenied.PairStatusCannotAddToGroup" then
    return change.code
  end
  return nil, "refused with " .. change.code
end }

-- Seconds by which measured timings may be too long, because looks are apart and calls take time.
local SLACK = 4

local function is_near(measured, assumed)
  return math.abs(measured - assumed) <= math.max(SLACK, assumed / 4)
end

local function median(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  return sorted[(#sorted + 1) // 2]
end

local timings = { name = "timings", look = function(_, lab)
  local measured, words, is_usual = lab.life.probe.timings, {}, true
  for _, name in ipairs(tables.keys(measured)) do
    local seconds = median(measured[name])
    words[#words + 1] = ("%s %.0f s"):format(name, seconds)
    local assumed = world_schema.TIMINGS[name]
    is_usual = is_usual and (assumed == nil or is_near(seconds, assumed))
  end
  if #words == 0 then return nil, "nothing was measured" end
  return is_usual and "fixed" or "measured", table.concat(words, ", ")
end }

M.cases = { create_fourth, delete_created, add_mixed, timings }

--- Deletes everything; what could not be deleted is left to `--cleanup`.
M.cleanup = { step("delete what was made", function(life)
  cleanup.finish_life(life)
  life.probe:remember("finished", true)
end) }

return M
