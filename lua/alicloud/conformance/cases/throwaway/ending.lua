--- The end of the throwaway life: what may spoil the rest comes last, then everything is deleted.

local cleanup = require "alicloud.conformance.cleanup"
local copying = require "alicloud.conformance.cases.throwaway.copying"
local setup = require "alicloud.conformance.cases.throwaway.setup"
local watch = require "alicloud.conformance.cases.throwaway.watch"

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

-- The pair that joins the stopped group is the fourth, or where that is gone, a fifth.
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

M.cases = { create_fourth, delete_created, add_mixed }

M.cleanup = { step("delete what was made", cleanup.finish_life) }

return M
