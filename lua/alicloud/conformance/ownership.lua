--- Decides what belongs to a throwaway run. A name alone proves nothing: somebody else may use it,
--- and a journal may have been edited. So a group or pair is the run's own only if the journal has
--- the call that created it, with its id in the answer; or, if an answer was lost, with places or
--- disks that fit the record.

local M = {}

local RUN = "^%x%x%x%x%x%x%x%x$"

local function disks_of(plan)
  local set, pairs_of = {}, {}
  for i, pair in ipairs(plan.disks or {}) do
    set[pair.source], set[pair.destination] = true, true
    pairs_of[i] = pair.source .. "=" .. pair.destination
  end
  return set, table.concat(pairs_of, ",")
end

--- Checks the plan that a journal has kept.
---@param plan alicloud.conformance.LabPlan
---@param asked { source: string, destination: string }[]|nil disks that the run was given
---@return string|nil problem
function M.problem(plan, asked)
  if type(plan.run) ~= "string" or not plan.run:find(RUN) then
    return "the journal does not say which run it is of"
  end
  local _, kept = disks_of(plan)
  local _, given = disks_of { disks = asked }
  if kept ~= given then
    return ("the journal is of the disks %s, not of %s"):format(kept, given)
  end
end

-- The ids in answers to creations with a name, and whether an answer without an id may have made
-- more.
local function made_as(memory, name)
  local ids, may_be_more = {}, false
  for key, try in pairs(memory) do
    local own = key:match "^try:(create_.*)$"
    if own and (try.params.GroupName == name or try.params.PairName == name) then
      local done = memory["did:" .. own]
      local answer = done and done.answer
      local id = answer and (answer.ReplicaGroupId or answer.ReplicaPairId)
      if id then ids[id] = true end
      may_be_more = may_be_more or not done or done.doubt or not (id or done.code)
    end
  end
  return ids, may_be_more
end

local function fits(lab, kind, record)
  if kind == "pair" then
    local own = disks_of(lab)
    return own[record.SourceDiskId] and own[record.DestinationDiskId]
  end
  local here, there = lab.source.region, lab.destination.region
  local from, to = record.SourceRegionId, record.DestinationRegionId
  return from == here and to == there or from == there and to == here
end

--- Whether a group or a pair was made by the run.
---@param lab alicloud.conformance.Lab
---@param kind "group"|"pair"
---@param id string
---@param record table
---@return boolean
function M.is_own(lab, kind, id, record)
  local name = kind == "group" and record.GroupName or record.PairName
  local prefix = lab:prefix()
  if type(name) ~= "string" or name:sub(1, #prefix) ~= prefix then return false end
  local ids, may_be_more = made_as(lab.probe.memory, name)
  return ids[id] or may_be_more and fits(lab, kind, record) or false
end

--- Whether the run may have attached a disk to an instance.
---@param lab alicloud.conformance.Lab
---@param params { DiskId: string, InstanceId: string } of the attachment
---@return boolean
function M.is_own_disk(lab, params)
  local instance = params.InstanceId
  return disks_of(lab)[params.DiskId] == true
    and (instance == lab.instance_source or instance == lab.instance_target)
end

return M
