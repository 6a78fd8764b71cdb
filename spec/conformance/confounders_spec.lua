-- Two assumptions that are otherwise at once: neither may lead the throwaway life to a wrong
-- verdict about the other one, or about a third. CONFORMANCE_ALL=1 takes every two of them.

local emulator = require "alicloud.emulator"
local flips = require "spec.conformance.flips"
local tables = require "alicloud.base.tables"
local throwaway = require "spec.conformance.throwaway_world"

-- What the throwaway tier cannot show, or shows over a socket only.
local ELSEWHERE = tables.set { "throttle", "throttle_limit", "block_code", "default_format",
  "default_format_rpc", "time_window", "time_window_rpc", "signature_status", "access_key_status",
  "unknown_action", "wall_clock", "clear_busy", "page_bounds", "last_token", "endpoint_region",
  "ecs_endpoint_region", "tag_resource_type" }

-- Always taken: the first of these is known to look like others.
local KNOWN = { token_mismatch = true, wrong_side = true, failover_states = true }

local EVERY = os.getenv "CONFORMANCE_ALL" and 1 or 40

local function every_two()
  local all, list, count = {}, {}, 0
  for _, flip in ipairs(flips.all()) do
    if not ELSEWHERE[flip.name] then all[#all + 1] = flip end
  end
  for i, one in ipairs(all) do
    for k = i + 1, #all do
      local other = all[k]
      count = count + 1
      local known = KNOWN[one.name] or KNOWN[other.name]
      if one.name ~= other.name and (known and EVERY > 1 and count % 4 == 0 or count % EVERY == 0)
      then
        list[#list + 1] = { one, other }
      end
    end
  end
  return list
end

local function is_otherwise(decision)
  return decision.verdict == "contradicted" or decision.verdict == "new"
end

local function judge(decision, assume)
  local flipped = assume[decision.name]
  if flipped == nil and is_otherwise(decision) then return "wrong" end
  if flipped ~= nil and decision.verdict == "confirmed" then return "missed" end
  local near = (flips.NEAR[decision.name] or {})[flipped] or flipped
  if flipped ~= nil and is_otherwise(decision) and decision.value ~= near then return "odd" end
end

local function faults_of(one, other)
  local assume, list = { [one.name] = one.value, [other.name] = other.value }, {}
  local emu = emulator.new { world = throwaway.world(), assume = assume, wire = false }
  local result = throwaway.run { emu = emu }
  for _, decision in ipairs(result.decisions) do
    local fault = judge(decision, assume)
    if fault then
      list[#list + 1] = ("%s: %s=%s (%s)"):format(fault, decision.name,
        tostring(decision.value), tostring(decision.text))
    end
  end
  list[#list + 1] = result.stopped
  return list
end

describe("two assumptions that are otherwise at once", function()
  it("are never taken for each other", function()
    local list = every_two()
    assert.is_true(#list > 30)
    for _, two in ipairs(list) do
      assert.same({}, faults_of(two[1], two[2]), ("%s=%s, %s=%s"):format(two[1].name,
        tostring(two[1].value), two[2].name, tostring(two[2].value)))
    end
  end)
end)
