--- Fault rules, an ordered list of which the first that fires decides:
--
--   { name = "lost answer",
--     match = { action = "FailoverDiskReplicaGroup", region = , group = , token = "first"|"repeat",
--               nth = 1, every = , count = , after = , before = },
--     when = "before"|"after",         -- of applying; default before
--     effect = { error = { code = "RequestTimeout", status = , message = , retry_after = 2 } }
--            | { drop = true }         -- the connection closes without an answer
--            | { delay = 30 }          -- model seconds; before: the work waits, after: the answer
--            | { stuck = true }        -- the failover never ends
--            | { partial = 1 | { pair ids } }   -- these pairs end in failover_failed
--            | { apply_late = 30 } }   -- answered with 504 or `error`, applied that much later
--
-- `after` and `before` are model seconds since the first request. `nth` and `every` count the
-- requests that fit the rest of `match`, whichever rule fired; `count` limits how often the rule
-- fires. Effects combine: stuck, partial, apply_late with error or drop.

local errors = require "alicloud.emulator.gateway.errors"
local schema = require "alicloud.base.schema"

local M = {}

local POSITIVE = { type = "integer", min = 1 }
local SECONDS = { type = "number", min = 0 }

local EFFECT = { type = "table", fields = {
  error = { type = "table", fields = {
    code = { type = "string", required = true, pattern = "[%w.]+", allowed = "an error code" },
    status = { type = "integer", min = 400, max = 599 },
    message = { type = "string" },
    retry_after = SECONDS,
    retry_after_ms = SECONDS,
  } },
  drop = { type = "boolean" }, delay = SECONDS, stuck = { type = "boolean" },
  partial = { type = { "integer", "table" }, min = 1, each = { type = "string" } },
  apply_late = SECONDS,
} }

local SHAPE = {
  name = { type = "string" },
  match = { type = "table", fields = {
    action = { type = "string" }, region = { type = "string" }, group = { type = "string" },
    site = { type = "string", values = { "production", "backup" } },
    token = { type = "string", values = { "first", "repeat" } },
    nth = POSITIVE, every = POSITIVE, count = POSITIVE,
    after = SECONDS, before = SECONDS,
  } },
  when = { type = "string", values = { "before", "after" } },
  effect = EFFECT,
  ["do"] = EFFECT, -- the spelling of JSON files; in Lua `do` is a keyword
}

---@class alicloud.emulator.FaultRule
---@field name string
---@field match table  the requests that the rule is for, see the head of this file
---@field when "before"|"after"
---@field effect table
---@field seen integer  number of requests that fitted `match`
---@field fired integer  number of requests for which the rule fired

---@class alicloud.emulator.Faults
---@field rules alicloud.emulator.FaultRule[]  the first that fires decides
local Faults = {}
local faults_mt = { __name = "alicloud.emulator.Faults", __index = Faults }

---@return alicloud.emulator.Faults
function M.new() return setmetatable({ rules = {} }, faults_mt) end

local function read(rule, number)
  local problem = schema.problem(rule, SHAPE, "fault")
  if problem then return nil, problem end
  local effect = rule.effect or rule["do"]
  if not effect or next(effect) == nil then
    return nil, "fault.effect: is required (error, drop, delay, stuck, partial or apply_late)"
  end
  return {
    name = rule.name or ("rule %d"):format(number), match = rule.match or {},
    when = rule.when or "before", effect = effect, seen = 0, fired = 0,
  }
end

--- Appends rules: all of them, or none if one is wrong.
---@param list table[]  see the head of this file
---@return alicloud.emulator.FaultRule|nil rule  the last one, as stored
---@return string|nil problem
function Faults:add(list)
  local stored, known = {}, #self.rules
  for i, rule in ipairs(list) do
    local problem
    stored[i], problem = read(rule, known + i)
    if problem then return nil, problem end
  end
  table.move(stored, 1, #stored, known + 1, self.rules)
  return stored[#stored]
end

--- Removes every rule.
function Faults:clear() self.rules = {} end

local function group_of(params)
  return params.ReplicaGroupId or params.GroupId or params.GroupIds
end

local function fits(match, call, elapsed)
  local params = call.params
  return (not match.after or elapsed >= match.after)
    and (not match.before or elapsed < match.before)
    and (not match.action or match.action == call.action)
    and (not match.region or match.region == params.RegionId)
    and (not match.group or match.group == group_of(params))
    and (not match.site or match.site == (params.Site or "production"))
    and (not match.token or match.token == (call.token_use or "first"))
end

local function fires(rule)
  local match = rule.match
  if match.count and rule.fired >= match.count then return false end
  if match.nth and rule.seen ~= match.nth then return false end
  return not match.every or rule.seen % match.every == 0
end

--- Counts a request against every rule and finds the one that decides.
---@param call alicloud.emulator.Call
---@param elapsed number  model seconds since the first request
---@return alicloud.emulator.FaultRule|nil rule
function Faults:select(call, elapsed)
  local chosen
  for _, rule in ipairs(self.rules) do
    if fits(rule.match, call, elapsed) then
      rule.seen = rule.seen + 1
      if not chosen and fires(rule) then
        rule.fired = rule.fired + 1
        chosen = rule
      end
    end
  end
  return chosen
end

local function milliseconds(fault)
  return fault.retry_after_ms or fault.retry_after and fault.retry_after * 1000
end

--- Makes a refusal from the `error` of an effect, with the headers of a throttled answer if it has
--- a time to wait.
---@param fault table
---@return alicloud.emulator.Refusal
function M.refusal(fault)
  local refusal = errors.refuse(fault.code, fault.message, fault.status)
  local wait = milliseconds(fault)
  if wait then
    local text = ("%d"):format(math.ceil(wait))
    refusal.headers = { ["x-acs-retry-after"] = text }
    if fault.code:find("^Throttling") then
      refusal.headers["x-ratelimit-user-api"] = "Limit:40,Remain:0,TimeLeft:" .. text
    end
  end
  return refusal
end

return M
