--- The beginning of the throwaway life: makes two groups and three pairs, and observes what shows
--- before anything is copied.

local core = require "alicloud.core"

local M = {}

local DESCRIPTION = "made by alicloud-dr conformance, to be deleted"

--- The parameters of a new group.
---@param life alicloud.conformance.Lab
---@param key string
---@param description? string
---@return table
function M.group_params(life, key, description)
  return { RegionId = life.source.region, SourceZoneId = life.source.zone,
    DestinationRegionId = life.destination.region, DestinationZoneId = life.destination.zone,
    GroupName = life:name(key), Description = description or DESCRIPTION, RPO = 900 }
end

--- The parameters of a new pair.
---@param life alicloud.conformance.Lab
---@param key string
---@param number integer index of the pair of disks
---@return table
function M.pair_params(life, key, number)
  local disks = life.disks[number]
  return { RegionId = life.source.region, SourceZoneId = life.source.zone,
    DiskId = disks.source, DestinationRegionId = life.destination.region,
    DestinationZoneId = life.destination.zone, DestinationDiskId = disks.destination,
    PairName = life:name(key), Description = DESCRIPTION, RPO = 900 }
end

-- Finds by its name what was created although its answer was lost. Sending the request again could
-- create a second one, if the service has forgotten the first token.
local function found_before(life, kind, key)
  local memory = life.probe.memory
  if not memory["try:create_" .. key] or memory["did:create_" .. key] then return nil end
  for id, record in pairs(life:own(kind)) do
    local name = record.GroupName or record.PairName
    if name == life:name(key) then return id end
  end
  return nil
end

local CREATE = {
  group = { action = "ebs:CreateDiskReplicaGroup", id = "ReplicaGroupId" },
  pair = { action = "ebs:CreateDiskReplicaPair", id = "ReplicaPairId" },
}

--- Creates a group or a pair and waits for it.
---@param life alicloud.conformance.Lab
---@param kind "group"|"pair"
---@param key string
---@param params table
---@return string id
function M.create(life, kind, key, params)
  local about = CREATE[kind]
  local id = life:once("id_" .. key, function()
    local known = found_before(life, kind, key)
    if known then return known end
    -- The disks of a pair that was just deleted may be in use for a moment longer.
    local made = life:must("create_" .. key, about.action, params, { passing = "OperationDenied" })
    local found = made.answer and made.answer[about.id]
    return found or life:stop(("%s gave no id"):format(about.action))
  end)
  local made = life.probe.memory["did:create_" .. key]
  life:wait("created_" .. key, kind, id, "created",
    { since = made and made.at, timing = made and "create" or nil })
  return id
end

--- The id of a group or pair that was created before. Stops the life if there is none.
---@param life alicloud.conformance.Lab
---@param key string
---@return string
function M.id(life, key)
  local kept = life.probe.memory["once:id_" .. key]
  return kept and kept.value or life:stop(("%s was not created"):format(key))
end

--- The parameters of a call for a group or a pair at a region.
---@param life alicloud.conformance.Lab
---@param key string
---@param region string
---@param more? table
---@return table
function M.of(life, key, region, more)
  local kind = (key == "g" or key == "h") and "group" or "pair"
  local params = { RegionId = region, [CREATE[kind].id] = M.id(life, key) }
  for name, value in pairs(more or {}) do params[name] = value end
  return params
end

local function create_pair(key, number)
  return { step = "create pair " .. number, look = function(_, lab)
    M.create(lab.life, "pair", key, M.pair_params(lab.life, key, number))
  end }
end

local function create_group(key)
  return { step = "create group " .. key, look = function(_, lab)
    M.create(lab.life, "group", key, M.group_params(lab.life, key))
  end }
end

--- Puts a pair into a group and waits until the pair's record names the group.
---@param life alicloud.conformance.Lab
---@param group string
---@param pair string
function M.join(life, group, pair)
  local id = M.id(life, group)
  local name = ("add_%s_%s"):format(group, pair)
  local change = life:must(name, "ebs:AddDiskReplicaPair",
    M.of(life, group, life.source.region, { ReplicaPairId = M.id(life, pair) }))
  life:wait(name, "pair", M.id(life, pair), { created = true, stopped = true }, {
    since = change.at, timing = "membership",
    also = function(record) return record.ReplicaGroupId == id end })
end

local function join(group, pair)
  return { step = ("put %s into %s"):format(pair, group), look = function(_, lab)
    M.join(lab.life, group, pair)
  end }
end

-- Seconds within which the service is assumed to remember a token.
local SOON = 300

--- Whether a repeat under the token of an earlier change came so late that the service may have
--- forgotten the token, so that it shows nothing. This happens when a run is continued late.
---@param first alicloud.conformance.Change
---@param again alicloud.conformance.Change
---@return string|nil reason nil: it came in time
function M.too_late(first, again)
  local age = again.at - first.at
  if age <= SOON then return nil end
  return ("the token was %.0f s old, and may have been forgotten"):format(age)
end

local token_mismatch = { name = "token_mismatch", look = function(_, lab)
  local life = lab.life
  local first = life.probe.memory["did:create_h"]
  if not first then return nil, "the first answer was lost" end
  local tried = life.probe.memory["try:create_h_again"] ~= nil
  if not tried and life.probe:now() - first.at > SOON then
    return nil, "the run went on too late: the token may be forgotten by now"
  end
  local again = life:change("create_h_again", "ebs:CreateDiskReplicaGroup",
    M.group_params(life, "h", "the same token, another description"),
    { token = life:token "create_h" })
  local id = again.answer and again.answer.ReplicaGroupId
  if id ~= first.answer.ReplicaGroupId and M.too_late(first, again) then
    return nil, M.too_late(first, again)
  end
  if id then return id == first.answer.ReplicaGroupId and "first" or "a second group was made" end
  if again.code == "IdempotentParameterMismatch" then return "error" end
  return nil, "refused with " .. again.code
end }

local function is_absent(value) return value == nil or value == core.null end

local empty_pair_ids = { name = "empty_pair_ids", look = function(_, lab)
  local record = lab.life:look("group", M.id(lab.life, "h"))
  local again = lab.life:look("group", M.id(lab.life, "h"))
  if is_absent(record.PairIds) ~= is_absent(again.PairIds) then
    return nil, "two looks do not agree"
  end
  if is_absent(record.PairIds) then return "absent" end
  return #record.PairIds == 0 and "array" or "neither empty nor absent"
end }

local TAG = "adr-conformance"

local function tag_row(life, id)
  local answer = life.probe:call("ebs:ListTagResources", { RegionId = life.source.region,
    ResourceType = "diskreplicagroup", ResourceId = { id } })
  for _, row in ipairs(answer and answer.TagResources or {}) do
    if row.TagKey == TAG then return { value = row.TagValue, type = row.ResourceType } end
  end
  return {}
end

-- The tag's value afterwards decides, even if a token with other parameters is no error.
local token_everywhere = { name = "token_everywhere", look = function(_, lab)
  local life, id = lab.life, M.id(lab.life, "h")
  local function tag(name, value)
    return life:change(name, "ebs:TagResources", { RegionId = life.source.region,
      ResourceType = "diskreplicagroup", ResourceId = { id },
      Tag = { { Key = TAG, Value = value } } }, { token = life:token "tag" })
  end
  local first, second = tag("tag_1", "one"), tag("tag_2", "two")
  if first.code then return nil, "TagResources was refused: " .. first.code end
  local value = life:once("tag_row", function() return tag_row(life, id) end).value
  life:change("untag", "ebs:UntagResources", { RegionId = life.source.region,
    ResourceType = "diskreplicagroup", ResourceId = { id }, TagKey = { TAG } })
  if second.code == "IdempotentParameterMismatch" then return "heed" end
  if second.code then return nil, "refused with " .. second.code end
  if M.too_late(first, second) then return nil, M.too_late(first, second) end
  if value == "two" then return "ignore" end
  return value == "one" and "heed" or nil, "the tag shows neither value"
end }

local tag_resource_type = { name = "tag_resource_type", cites = { "tag_1" },
  look = function(_, lab)
    local kept = lab.life.probe.memory["once:tag_row"]
    local kind = kept and kept.value.type
    if not kind then return nil, "the tag was not listed" end
    if kind:lower() == "diskreplicagroup" then return "asked", kind .. " is answered" end
    return kind:lower() == "group" and "short" or kind, kind .. " is answered"
  end }

local WRONG_SIDE = { ["OperationDenied.OperateNotAllowedForPrimary"] = true,
  ["OperationDenied.OperateNotAllowedForStandby"] = true, ["OperationDenied"] = true,
  NoSuchResource = true }
M.WRONG_SIDE = WRONG_SIDE

local modify_side = { name = "modify_side", look = function(_, lab)
  local life, seen = lab.life, {}
  for i, key in ipairs { "p1", "p2" } do
    local change = life:change("modify_" .. key, "ebs:ModifyDiskReplicaPair",
      M.of(life, key, life.destination.region, { RPO = 900 }))
    seen[i] = change.code or "ok"
  end
  if seen[1] ~= seen[2] then return nil, ("%s, then %s"):format(seen[1], seen[2]) end
  if seen[1] == "ok" then return "either" end
  return WRONG_SIDE[seen[1]] and "source" or nil, "refused with " .. seen[1]
end }

M.cases = {
  create_group "h", token_mismatch, empty_pair_ids, token_everywhere,
  tag_resource_type,
  create_pair("p1", 1), create_pair("p2", 2), create_pair("p3", 3), modify_side,
  create_group "g", join("g", "p1"), join("g", "p2"), join("h", "p3"),
}

return M
