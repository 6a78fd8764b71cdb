--- Checks the order in which a run has moved many groups: tiers, a canary, and groups that were
--- left out. It reads the records of steps, whose branches are named after the groups' ids.

local tiers = require "alicloud.dr.playbook.tiers"

local M = {}

--- The invariants by their names.
M.INVARIANTS = {
  F1 = "a tier begins when all tiers before it have ended, and no earlier tier begins again",
  F2 = "no group begins before the canary has succeeded",
  F3 = "a group that failed is not the next canary if there is another",
  F4 = "a group that was never begun does not count as failed and stops no other",
  F5 = "a group that may have been changed is not left out",
}

--- Whether a step of a fleet only reads. How often these run depends on errors of the cloud.
---@param key string
---@return boolean
function M.is_look(key)
  return key == "cloud answers" or key:find "^ready [^/]+/" ~= nil
    or key:find "^once more [^/]+/" ~= nil
end

local function tier_reader(params)
  local list = params.tier and tiers.read(params.tier)
  return list and function(id)
    local entry = tiers.of(list, id)
    return entry and entry.tier or tiers.LAST
  end
end

-- F1: when a group begins, those of earlier tiers that began in this process have ended.
local function check_tiers(events, tier_of, violated)
  local latest, under_way = 0, {}
  for _, event in ipairs(events) do
    local id = event.step and event.step:match "^([^/]+)/promote$"
    if event.type == "attempt" then
      latest, under_way = 0, {}
    elseif id and event.type == "step_begin" then
      local tier = tier_of(id)
      for other, before in pairs(under_way) do
        if before < tier then violated(("F1 %s began beside %s"):format(id, other)) end
      end
      if tier < latest then violated(("F1 %s began behind a later tier"):format(id)) end
      latest, under_way[id] = math.max(latest, tier), tier
    elseif id and event.type == "step_end" then
      under_way[id] = nil
    end
  end
end

local function list_of(set)
  local list = {}
  for id in pairs(set) do list[#list + 1] = id end
  table.sort(list)
  return list
end

-- A group of the same tier that is ready and was never begun; nil: none.
local function waiting_beside(id, seen, tier_of)
  for _, other in ipairs(list_of(seen.ready)) do
    local same = not tier_of or tier_of(other) == tier_of(id)
    if same and not seen.begun[other] then return other end
  end
end

-- Two groups that have failed before may run beside each other, since neither proves anything.
local function check_begin(id, seen, tier_of, violated)
  for _, other in ipairs(seen.proven and {} or list_of(seen.under_way)) do
    if not (seen.failed[id] and seen.failed[other]) then
      violated(("F2 %s began beside the canary %s"):format(id, other))
    end
  end
  local other = seen.is_first and seen.failed[id] and waiting_beside(id, seen, tier_of)
  if other then violated(("F3 %s is the canary again, and %s waits"):format(id, other)) end
  seen.is_first, seen.begun[id], seen.under_way[id] = false, true, true
end

local function check_canary(events, tier_of, violated)
  local seen = { ready = {}, begun = {}, failed = {}, under_way = {}, proven = false }
  for _, event in ipairs(events) do
    local kind, id = event.type, event.step and event.step:match "^([^/]+)/promote$"
    local looked = event.step and (event.step:match "^ready ([^/]+)/check$"
      or event.step:match "^once more ([^/]+)/check$")
    if kind == "attempt" then
      seen.under_way, seen.is_first = {}, true
    elseif looked and kind == "step_end" then
      local result = type(event.result) == "table" and event.result or {}
      seen.ready[looked] = event.ok and not result.already_there or nil
    elseif id and kind == "step_begin" then
      check_begin(id, seen, tier_of, violated)
    elseif id and kind == "step_end" then
      seen.under_way[id], seen.failed[id] = nil, not event.ok or nil
      seen.proven = seen.proven or event.ok
    end
  end
end

local HARMLESS = { not_sent = true, rejected = true }

local function check_left_out(events, violated)
  local calls, acted = {}, {}
  for _, event in ipairs(events) do
    local id = event.type == "call" and event.step:match "^([^/]+)/"
    if id then calls[event.call], acted[id] = id, (acted[id] or 0) + 1 end
    local answered = event.type == "answer" and HARMLESS[event.outcome] and calls[event.call]
    if answered then acted[answered] = acted[answered] - 1 end
    for _, text in ipairs(event.type == "finished" and event.exceptions or {}) do
      local left_out = text:match "^(%S+) was left out: "
      if left_out and (acted[left_out] or 0) > 0 then
        violated(("F5 %s was left out, and may have been changed"):format(left_out))
      end
    end
  end
end

local function check_failures(stage, events, violated)
  local called = {}
  for _, event in ipairs(events) do
    local id = event.type == "call" and event.step:match "^([^/]+)/"
    if id then called[id] = true end
  end
  for _, process in ipairs(stage.processes) do
    local failed = type(process.err) == "table" and process.err.failed
    for name, err in pairs(type(failed) == "table" and failed or {}) do
      local id = name:match "^ready (.*)$" or name
      if err.kind == "precheck" and err.outcome == "not_sent" and not called[id] then
        violated(("F4 %s was never begun and counts as failed"):format(id))
      end
    end
  end
end

--- Checks the invariants for a run over many groups.
---@param stage alicloud.simulation.Stage
---@param events table[] of its journal
---@param violated fun(what: string)
function M.check(stage, events, violated)
  local params = stage.plan.params or {}
  if not (params.groups and params.canary) then return end
  local tier_of = tier_reader(params)
  if tier_of then check_tiers(events, tier_of, violated) end
  if tonumber(params.canary) == 1 then check_canary(events, tier_of, violated) end
  check_failures(stage, events, violated)
  check_left_out(events, violated)
end

return M
