--- Tier burst: many reads of one cheap operation at once. If the service throttles by the minute,
--- this blocks the operation for everybody in the account for up to 60 seconds.

local PROGRESS = "ebs:DescribeDiskReplicaPairProgress"

local M = { mode = "observe", rate = false }

M.actions = { PROGRESS, "ebs:DescribeDiskReplicaPairs" }

M.cost = "120 reads of DescribeDiskReplicaPairProgress at once; where the account is throttled by "
  .. "the minute, nobody in it can call that operation for up to 60 s"

local COUNT = 120

local function find_pair(probe, lab)
  for _, site in ipairs { "production", "backup" } do
    local answer = probe:call("ebs:DescribeDiskReplicaPairs", { RegionId = lab.region, Site = site,
      MaxResults = 1 })
    local pair = answer and answer.ReplicaPairs and answer.ReplicaPairs[1]
    if pair then return pair.ReplicaPairId end
  end
end

-- Counts the outcomes of the calls. The code of the first refusal shows the kind of throttling.
local function count(results)
  local tally = { ok = 0, codes = {} }
  for _, result in ipairs(results) do
    local code = result.err and result.err.code
    if not code then tally.ok = tally.ok + 1 end
    if code and (code:find "^Throttling" or code:find "^BLOCK") then
      tally.refused = tally.refused or code
      tally.headers = tally.headers or result.err.retry_after
    elseif code then
      tally.codes[#tally.codes + 1] = code
    end
  end
  return tally
end

function M.prepare(probe, lab)
  local pair = find_pair(probe, lab)
  if not pair then return end
  local params = { RegionId = lab.region, ReplicaPairId = pair }
  local results, seconds = probe:burst(PROGRESS, params, COUNT)
  lab.burst = count(results)
  lab.burst.seconds = seconds
end

local function words(burst)
  return ("%d of %d were taken within %.1f s"):format(burst.ok, COUNT, burst.seconds)
end

local function throttle(_, lab)
  local burst = lab.burst
  if #burst.codes > 0 then return nil, "some ended with " .. burst.codes[1] end
  if not burst.refused then return "off", words(burst) end
  local kind = burst.refused:find "^BLOCK" and "minute" or "second"
  return kind, ("%s, then %s"):format(words(burst), burst.refused)
end

-- A burst may span two seconds of the quota, so up to twice as many calls may be accepted.
local function throttle_limit(_, lab)
  local burst, quota = lab.burst, 40
  if not burst.refused then return nil, "nothing was refused" end
  if burst.ok >= quota and burst.ok <= 2 * quota * math.max(1, math.ceil(burst.seconds)) then
    return 0, words(burst) .. ", which the documented quota allows"
  end
  return burst.ok, words(burst)
end

local function block_code(_, lab)
  local code = lab.burst.refused
  if not code or not code:find "^BLOCK" then return nil, "nothing was blocked for a minute" end
  return code, "refused with " .. code
end

local NEEDED = { "burst" }

M.cases = {
  { name = "throttle", needs = NEEDED, look = throttle },
  { name = "throttle_limit", needs = NEEDED, look = throttle_limit },
  { name = "block_code", needs = NEEDED, look = block_code },
}

return M
