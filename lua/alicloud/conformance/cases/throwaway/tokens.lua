--- Observes how long the service remembers a ClientToken, and whether it keeps a refusal under its
--- token. Both change the description of a group only, which does no harm.

local setup = require "alicloud.conformance.cases.throwaway.setup"

local M = {}

-- Ages of tokens, in seconds. The last one is just after the assumed lifetime; the life waits for
-- it at its end.
local AGES = { 60, 600, 3000, 3660 }

local function modify(life, name, region, key, text, token)
  return life:change(name, "ebs:ModifyDiskReplicaGroup",
    setup.of(life, key, region, { Description = text }), { token = token })
end

local function send_first(_, lab)
  for _, age in ipairs(AGES) do
    local name = "age_" .. age
    local change = modify(lab.life, name .. "_first", lab.life.source.region, "h",
      "first words " .. age, lab.life:token(name))
    if change.code then
      lab.life:stop("ModifyDiskReplicaGroup was refused: " .. change.code)
    end
  end
end

-- "remembered", "forgotten", or text about a refusal that decides neither.
local function is_remembered(life, age)
  local name = "age_" .. age
  local text = "other words " .. age
  local change = modify(life, name .. "_again", life.source.region, "h", text, life:token(name))
  if change.code == "IdempotentParameterMismatch" then return "remembered" end
  if change.code then return "refused with " .. change.code end
  local record = life:look("group", setup.id(life, "h"))
  return record.Description == text and "forgotten" or "remembered"
end

local function check_age(life, age)
  return life:once("age:" .. age, function()
    local first = life.probe.memory["did:age_" .. age .. "_first"]
    return { seconds = life.probe:now() - first.at, found = is_remembered(life, age) }
  end)
end

--- Checks the tokens that have reached their age by now.
---@return alicloud.conformance.Case
function M.check_ages()
  return { step = "see which tokens are remembered", look = function(_, lab)
    local life = lab.life
    for _, age in ipairs(AGES) do
      local first = life.probe.memory["did:age_" .. age .. "_first"]
      if first and life.probe:now() - first.at >= age then check_age(life, age) end
    end
  end }
end

local function wait_for_ages(_, lab)
  local life = lab.life
  for _, age in ipairs(AGES) do
    local first = life.probe.memory["did:age_" .. age .. "_first"]
    local left = first.at + age - life.probe:now()
    if left > 0 then life.probe:sleep(left) end
    check_age(life, age)
  end
end

-- The longest age at which a token was remembered, the shortest at which it was not (nil: none),
-- and text about an undecided one.
local function bounds(life)
  local alive, dead, strange = 0, nil, nil
  for _, age in ipairs(AGES) do
    local kept = life.probe.memory["once:age:" .. age]
    local seen = kept and kept.value
    if seen and seen.found == "remembered" then alive = math.max(alive, seen.seconds) end
    if seen and seen.found == "forgotten" then
      dead = math.min(dead or seen.seconds, seen.seconds)
    end
    if seen and seen.found:find "^refused" then strange = seen.found end
  end
  return alive, dead, strange
end

local ASSUMED = 3600

local LAST_WORDS = {}
for i, age in ipairs(AGES) do LAST_WORDS[i] = ("age_%d_again"):format(age) end

local token_lifetime = { name = "token_lifetime", cites = LAST_WORDS, look = function(_, lab)
  local alive, dead, strange = bounds(lab.life)
  if strange then return nil, strange end
  if dead and dead <= alive then
    return nil, "an older token is remembered, a younger one is not"
  end
  local text = dead and ("between %.0f and %.0f s"):format(alive, dead)
    or ("more than %.0f s"):format(alive)
  -- Any value within the bounds would do.
  if not dead then return math.tointeger(alive // 1), text end
  if alive < ASSUMED and ASSUMED <= dead then return ASSUMED, text end
  for _, age in ipairs(AGES) do
    if alive < age and age <= dead then return age, text end
  end
  return math.tointeger(dead // 1), text
end }

--- Makes a change that is refused for the group's status. Its token is used again once the status
--- allows the change.
---@return alicloud.conformance.Case
function M.refused_for_status()
  return { step = "have a change refused for its status", look = function(_, lab)
    modify(lab.life, "state_token_first", lab.life.source.region, "g", "a token and a refusal",
      lab.life:token "state_token")
  end }
end

-- Whether the service keeps a refusal under its token; nil and the reason if that is undecided.
local function is_kept(first, again)
  if not first or first.doubt or again.doubt then return nil, "an answer was lost" end
  if not first.code then return nil, "the change that was to be refused was accepted" end
  -- The first refusal again, or an error since the repeat has other parameters.
  if again.code == first.code or again.code == "IdempotentParameterMismatch" then return true end
  if again.code then return nil, "refused with " .. again.code end
  return false
end

local NOWHERE = "pg-doesnotexist0000000"

local function other_kept(life)
  local token = life:token "other_token"
  local first = life:change("other_token_first", "ebs:ModifyDiskReplicaGroup",
    { RegionId = life.source.region, ReplicaGroupId = NOWHERE, Description = "not there" },
    { token = token })
  return is_kept(first,
    modify(life, "other_token_again", life.source.region, "h", "there", token))
end

local function age_of_repeat(life)
  local memory = life.probe.memory
  return memory["did:state_token_again"].at - memory["did:state_token_first"].at
end

local token_errors = { name = "token_errors", cites = { "state_token_first" },
  look = function(_, lab)
  local life = lab.life
  local again = modify(life, "state_token_again", life.source.region, "g",
    "a token and a refusal", life:token "state_token")
  local state, why = is_kept(life.probe.memory["did:state_token_first"], again)
  if state == nil then return nil, why end
  local other
  other, why = other_kept(life)
  if other == nil then return nil, why end
  local text = ("refused for its status: %s; for an id: %s"):format(
    state and "kept" or "forgotten", other and "kept" or "forgotten")
  local _, dead = bounds(life)
  if not state and dead and dead <= age_of_repeat(life) then
    return nil, "tokens are forgotten too soon to tell"
  end
  local late = not state and setup.too_late(life.probe.memory["did:state_token_first"], again)
  if late then return nil, late end
  if state then return other and "remember" or "some", text end
  return other and "others than for the status" or "forget", text
end }

local AT_ONCE = 5

-- Sends several requests under one token at once; rarely are two of them at work at a time.
local function send_at_once(life)
  local params = setup.of(life, "h", life.source.region,
    { Description = "at once", ClientToken = life:token "at_once" })
  local codes = {}
  for i, result in ipairs((life.probe:burst("ebs:ModifyDiskReplicaGroup", params, AT_ONCE))) do
    codes[i] = result.err and (result.err.code or result.err.kind) or "taken"
  end
  return codes
end

local token_pending = { name = "token_pending", look = function(_, lab)
  local other
  for _, code in ipairs(lab.life:once("at_once", function() return send_at_once(lab.life) end)) do
    if code == "LastTokenProcessing" then return "error", "refused with " .. code end
    if code ~= "taken" then other = code end
  end
  return nil, other and "refused with " .. other
    or "no two requests were at work at the same moment"
end }

M.begin = { { step = "use tokens that are asked again later", look = send_first }, token_pending }
M.again = { token_errors }
M.ending = { { step = "wait for the oldest token", look = wait_for_ages }, token_lifetime }

return M
