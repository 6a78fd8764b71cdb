--- Tier read: changes nothing. Finds the groups to look at, then runs the cases of three files: the
--- gateway, the records, and guesses without a switch.

local ask = require "alicloud.conformance.ask"
local gateway = require "alicloud.conformance.cases.read_gateway"
local guesses = require "alicloud.conformance.cases.read_guesses"
local records = require "alicloud.conformance.cases.read_records"

local M = { mode = "observe" }

--- Every operation that the tier calls; the last one does not exist.
M.actions = {
  "sts:GetCallerIdentity", "ebs:DescribeRegions", "ebs:ListReplicaEdgeSupported",
  "ebs:DescribeDiskReplicaGroups", "ebs:DescribeDiskReplicaPairs", "ebs:ListTagResources",
  "ebs:DescribeUserTagKeys", "ebs:DescribeUserTagValues", "ecs:DescribeDisks",
  ask.MADE_UP_ACTION,
}

M.cost = "about 60 reading calls, less than a minute, no cost"

local function listing(probe, region, site)
  local found, err = ask.groups(probe, region, { Site = site, MaxResults = "500" })
  return found or {}, err
end

local function pick(lists, id)
  local first
  for _, list in ipairs(lists) do
    for _, group in ipairs(list) do
      if group.ReplicaGroupId == id then return group end
      local has_pairs = (group.PairNumber or 0) > 0
      if not id and has_pairs and not first then first = group end
    end
  end
  return first
end

local function reversed_of(lists, id)
  for _, list in ipairs(lists) do
    for _, group in ipairs(list) do
      local turned = group.PrimaryRegion and group.PrimaryRegion ~= group.SourceRegionId
      if turned and (not id or group.ReplicaGroupId == id) then return group end
    end
  end
end

local function take_sides(lab, group)
  if not group then return end
  lab.source, lab.destination = group.SourceRegionId, group.DestinationRegionId
  local other = group.SourceRegionId == lab.region and group.DestinationRegionId
    or group.SourceRegionId
  if other ~= lab.region then
    lab.other, lab.regions = other, { lab.region, other }
  else
    lab.why.other = "both sides of the group lie in one region"
  end
end

-- Asks STS for the account, as a pseudonym; nothing depends on the answer.
local function ask_account(probe, lab)
  local answer = probe:call("sts:GetCallerIdentity", {}, { timeout = 5 })
  lab.account = answer and answer.AccountId and probe.redact(answer).AccountId or nil
end

--- Finds the groups to look at. Stops the run if there is no answer, or if the keys or the region
--- are refused.
---@param probe alicloud.conformance.Probe
---@param lab alicloud.conformance.Scene
function M.prepare(probe, lab)
  lab.why = {}
  local answer, err = probe:call("ebs:DescribeDiskReplicaGroups", { RegionId = lab.region })
  if not answer and err.kind ~= "api" then
    lab.failure, lab.stopped = err, err.message
    return
  end
  if err and (err.code:find "^InvalidAccessKey" or err.code == "SignatureDoesNotMatch"
    or err.code:find "^InvalidSecurityToken") then
    lab.failure, lab.stopped = err, err.message
    return
  end
  -- With a region that does not exist, all observations would seem to differ from what is assumed.
  if err and (err.code == "NoSuchResource" or err.code:find "^InvalidRegionId") then
    lab.failure = { code = err.code, kind = err.kind, is_final = true,
      message = ("the service does not know the region %s: %s"):format(lab.region, err.code) }
    lab.stopped = lab.failure.message
    return
  end
  ask_account(probe, lab)
  local lists = { listing(probe, lab.region, "backup"), listing(probe, lab.region, "production") }
  local wanted, turned = lab.options.group, lab.options.reversed
  lab.listings, lab.group = lists, pick(lists, wanted)
  lab.reversed = reversed_of(lists, turned)
  if wanted and not lab.group then
    lab.why.group = ("%s is not listed in %s"):format(wanted, lab.region)
  elseif not lab.group then
    lab.why.group = "no group with pairs is listed in " .. lab.region
  end
  lab.why.reversed = "no group runs in reverse here (--reversed ID names one)"
  take_sides(lab, lab.group)
end

M.cases = {}
for _, list in ipairs { gateway, records, guesses } do
  for _, case in ipairs(list) do
    M.cases[#M.cases + 1] = case
  end
end

return M
