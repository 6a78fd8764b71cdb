--- The results of a run: the file that the emulator reads, and parts of the text for people.

local assumed = require "alicloud.conformance.assume"
local core = require "alicloud.core"
local switches = require "alicloud.emulator.switches"
local tables = require "alicloud.base.tables"

local M = {}

-- By assumption: what a difference means for users of the emulator or of this library.
local MEANS = {
  signature_status = "a program that tells a wrong secret by its HTTP status is mistaken",
  access_key_status = "a program that tells an unknown key by its HTTP status is mistaken",
  unknown_action = "an operation that is not there is told by another code",
  time_window = "clocks may be wrong by another amount before requests are refused (V3)",
  time_window_rpc = "clocks may be wrong by another amount before requests are refused (RPC)",
  default_format = "a client that does not ask for JSON gets something else (V3)",
  default_format_rpc = "a client that does not ask for JSON gets something else (RPC)",
  endpoint_region = "asking one region's host about another region ends otherwise",
  ecs_endpoint_region = "asking one region's ECS host about another region ends otherwise",
  describe_unknown = "a group that does not exist is told in another way",
  page_bounds = "page sizes out of bounds end otherwise",
  site_default = "Describe without Site shows other groups",
  site_direction = "after a reversal, groups are found at the other side",
  last_token = "the end of a list is told in another way",
  empty_pair_ids = "a group without pairs looks different",
  tag_resource_type = "tags are answered under another name of their resource",
  edges = "replication is not possible between all zones of the emulator's world",
  user_tags = "the answers about tags have other fields",
  messages = "texts of errors differ; this file holds those that were met",
  throttle = "requests are refused when they come too fast",
  throttle_limit = "the quota of a second is another one",
  block_code = "being blocked for a minute is told by another code",
  clear_busy = "clearing a drill that is executing is refused with another code",
}

--- What a difference from an assumption means, as one line of text.
---@param name string
---@return string
function M.meaning(name)
  if MEANS[name] then return MEANS[name] end
  for _, switch in ipairs(switches.all) do
    if switch.name == name then return "assumed was: " .. switch.text end
  end
  return "no switch of the emulator knows it"
end

--- The decisions by verdict, each list in the order of the run.
---@param result alicloud.conformance.Result
---@return table<string, alicloud.conformance.Decision[]>
function M.by_verdict(result)
  local groups = { contradicted = {}, new = {}, confirmed = {}, undecided = {} }
  for _, decision in ipairs(result.decisions) do
    table.insert(groups[decision.verdict], decision)
  end
  return groups
end

--- Whether any assumption was decided, and whether all decided ones are confirmed.
---@param result alicloud.conformance.Result
---@return "as_assumed"|"otherwise"|"nothing"
function M.outcome(result)
  local groups = M.by_verdict(result)
  if #groups.contradicted + #groups.new > 0 then return "otherwise" end
  return #groups.confirmed > 0 and "as_assumed" or "nothing"
end

local function middle(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  return { min = sorted[1], median = sorted[(#sorted + 1) // 2], max = sorted[#sorted] }
end

local function rounded(value)
  return math.floor(value * 10 + 0.5) / 10
end

local function timings_of(result)
  local all = {}
  for name, list in pairs(result.timings) do
    local found = list[1] and middle(list) or list
    for field, value in pairs(found) do found[field] = rounded(value) end
    all[name] = found
  end
  return all
end

local function is_plain(value)
  return type(value) == "string" or type(value) == "number" or type(value) == "boolean"
end

local function evidence_of(decision)
  local calls = core.array {}
  for i, call in ipairs(decision.calls or {}) do calls[i] = call end
  return { name = decision.name, verdict = decision.verdict, reason = decision.text,
    value = is_plain(decision.value) and decision.value or nil,
    assumed = is_plain(decision.assumed) and decision.assumed or nil, calls = calls }
end

-- Confirmed values are included, because a later version may assume something else.
local function assumed_of(result)
  local all = {}
  for _, decision in ipairs(result.decisions) do
    local is_value = decision.verdict == "confirmed" or decision.verdict == "contradicted"
    local change = { [decision.name] = decision.value }
    if is_value and decision.value ~= "fixed" and switches.apply({}, change, "assumed") then
      all[decision.name] = decision.value
    end
  end
  return all
end

--- The file of a run.
---@param result alicloud.conformance.Result
---@param tool string name and version
---@return alicloud.conformance.File
function M.file(result, tool)
  local unknown, evidence = core.array {}, core.array {}
  for i, decision in ipairs(result.decisions) do
    evidence[i] = evidence_of(decision)
    if decision.verdict == "undecided" then unknown[#unknown + 1] = decision.name end
  end
  return { format = assumed.FORMAT, tool = tool, account = result.account,
    regions = core.array(tables.copy(result.regions)), started = core.iso8601(result.started // 1),
    tier = table.concat(result.tiers, " "), assume = assumed_of(result),
    messages = result.messages, timings = timings_of(result), unknown = unknown,
    evidence = evidence }
end

return M
