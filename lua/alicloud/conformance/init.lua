--- Checks the emulator's assumptions against a service: what is assumed, what was seen, and what
--- cannot be decided. Each tier is a list of cases; a case is one observation or one step.

local adapter = require "alicloud.net.adapter"
local clients = require "alicloud.client"
local core = require "alicloud.core"
local evidence = require "alicloud.emulator.evidence"
local guard = require "alicloud.base.guard"
local net_options = require "alicloud.net.options"
local probes = require "alicloud.conformance.probe"
local redaction = require "alicloud.conformance.redact"
local services = require "alicloud.service"
local switches = require "alicloud.emulator.switches"
local tables = require "alicloud.base.tables"

local M = {}

--- The tiers, in the order in which they run.
M.TIERS = { "read", "burst", "drill", "throwaway" }

local MODULES = {
  read = "alicloud.conformance.cases.read", burst = "alicloud.conformance.cases.burst",
  drill = "alicloud.conformance.cases.drill",
  throwaway = "alicloud.conformance.cases.throwaway",
  cleanup = "alicloud.conformance.cleanup",
}

---@class alicloud.conformance.Scene what the cases of a run share
---@field region string
---@field options table the lab options of the run: group, reversed, drill, disks, …
---@field group table? the record of the group that the cases look at
---@field other string? the region of the group's other side
---@field [string] any

---@class alicloud.conformance.Case
---@field name? string of the assumption that it observes; nil: it is a step
---@field step? string what the step does
---@field tier? string
---@field needs? string[] fields of the scene without which the case is left out
---@field guess? { assumed: any, values: any[]? } for a guess without a switch
---@field look fun(probe: alicloud.conformance.Probe, lab: alicloud.conformance.Scene): any, string?

---@class alicloud.conformance.Tier
---@field mode "observe"|"normal"
---@field actions string[] "product:Action" of all operations that it may call
---@field cost string time and money, as text for people
---@field rate? false false: without the client's rate limit
---@field cases alicloud.conformance.Case[]
---@field prepare? fun(probe: alicloud.conformance.Probe, lab: alicloud.conformance.Scene)
---@field finish? fun(probe: alicloud.conformance.Probe, lab: alicloud.conformance.Scene) always

--- A tier, by its name.
---@param name string
---@return alicloud.conformance.Tier
function M.tier(name)
  return require(MODULES[name])
end

local function allowed_of(tier)
  local set, list = {}, {}
  for _, action in ipairs(tier.actions) do
    set[action] = true
    local product, name = action:match "^(.-):(.+)$"
    list[#list + 1] = services.data(product).version .. " " .. name
  end
  return set, core.actions(list)
end

-- The transport of requests that are not made by the client. It sends only the tier's operations.
local function open_adapter(given, client, reads)
  if given.transport then return adapter.foreign(given.transport, client.loop) end
  local settings = net_options.settings(given, client.runtime.getenv)
  settings.connect_timeout, settings.observe, settings.reads = 5, true, reads
  return adapter.builtin(settings, client.loop)
end

local function endpoint_finder(client)
  local known = {}
  return function(product, region)
    local key = product .. " " .. region
    if not known[key] then
      local network, message = client:with { region = region }:network(product)
      if not network then error(message, 0) end
      known[key] = network.endpoint
    end
    return known[key]
  end
end

local function options_of(given, tier)
  local all = tables.copy(given.client)
  all.region, all.mode = given.region, tier.mode
  all.wait_for_cloud = false
  if tier.rate ~= nil then all.rate = tier.rate end
  return all
end

local SILENT = { append = function() end }

local function open_probe(given, client, way, allowed)
  return probes.new {
    client = client, region = given.region, send = way.send, endpoint = endpoint_finder(client),
    keys = function()
      local keys = clients.held(client)
      given.take_keys(keys)
      return keys
    end, recorder = given.client.recorder, journal = given.journal or SILENT,
    redact = given.redact, allowed = allowed, progress = given.progress,
  }
end

local NEEDED = { group = "needs a group (--group ID)", other = "needs the region of the other side",
  reversed = "needs a group that runs in reverse (--reversed ID)" }

local function missing(case, lab)
  for _, name in ipairs(case.needs or {}) do
    if lab[name] == nil or lab[name] == false then
      return lab.why and lab.why[name] or NEEDED[name] or "needs " .. name
    end
  end
end

local function take_case(probe, lab, case)
  local reason = lab.stopped and "the run stopped: " .. lab.stopped or missing(case, lab)
  if reason and case.name then return probe:leave(case.name, reason) end
  if reason then return end
  if case.name then
    return probe:observe(case.name, function() return case.look(probe, lab) end, case.guess)
  end
  local ok, problem = guard.call(case.look, probe, lab)
  if not ok then lab.stopped = tostring(problem) end
end

local function take_cases(probe, lab, tier)
  if tier.prepare then tier.prepare(probe, lab) end
  for _, case in ipairs(tier.cases) do take_case(probe, lab, case) end
end

-- Runs a tier and then its `finish`, also after an error or an interrupt, which is raised again.
local function take_tier(probe, lab, tier)
  local ok, raised = pcall(take_cases, probe, lab, tier)
  if not ok and guard.is_stop(raised) then lab.interrupted = true end
  if tier.finish then
    local fine, problem = pcall(tier.finish, probe, lab)
    if not fine and ok then error(problem, 0) end
  end
  if not ok then error(raised, 0) end
end

-- Hands the results so far to the probe of the next tier.
local function hand_over(from, to)
  if not from then return end
  to.memory, to.decided, to.order = from.memory, from.decided, from.order
  to.messages, to.timings, to.calls = from.messages, from.timings, from.calls
end

local WHERE = { read = "the read tier", burst = "--burst", drill = "--drill GROUP",
  throwaway = "--throwaway" }

-- The tier that has a case for an assumption.
local function tier_of(name)
  for _, tier in ipairs(M.TIERS) do
    for _, case in ipairs(M.tier(tier).cases) do
      if case.name == name then return tier end
    end
  end
end

local function leave_rest(probe, taken)
  for _, switch in ipairs(switches.all) do
    if switch.kind == "assumed" and not probe.decided[switch.name] then
      local tier = tier_of(switch.name)
      local is_out_of_reach = not tier or evidence.of[switch.name].tier == "cannot"
      local reason = is_out_of_reach and "no call can show it"
        or taken[tier] and "not looked at" or "needs " .. WHERE[tier]
      probe:leave(switch.name, reason)
    end
  end
end

---@class alicloud.conformance.Options
---@field client alicloud.ClientOptions how the service is reached; the tier sets the mode
---@field region string
---@field tiers string[]
---@field lab? table group, reversed, drill, disks, instance_source, instance_target
---@field journal? { append: fun(record: table, lasting: boolean?) }
---@field resumed? { decided: table, memory: table, messages: table? } of the run that is continued
---@field left? string[] gets the commands that undo what was left behind
---@field progress? fun(text: string)

---@class alicloud.conformance.Result
---@field started number unix seconds
---@field region string
---@field tiers string[]
---@field account string? a pseudonym
---@field regions string[]
---@field decisions alicloud.conformance.Decision[]
---@field messages table<string, { status: integer, text: string }>
---@field timings table<string, number[]>
---@field calls integer
---@field stopped string? why it ended early
---@field failure alicloud.Error? of the first call, without which nothing could be observed
---@field left string[] commands that undo what was left behind

local function take_up(probe, resumed)
  if not resumed then return end
  probe.decided, probe.memory = resumed.decided or {}, resumed.memory or {}
  probe.messages, probe.timings = resumed.messages or {}, resumed.timings or {}
  probe.order = tables.keys(probe.decided)
end

local function run_tier(given, name, lab, before)
  local tier = M.tier(name)
  local allowed, reads = allowed_of(tier)
  local client <close> = clients.new(options_of(given, tier))
  local way = open_adapter(given.client, client, reads)
  local probe = open_probe(given, client, way, allowed)
  if before then hand_over(before, probe) else take_up(probe, given.resumed) end
  local ok, raised = pcall(take_tier, probe, lab, tier)
  way.close()
  if not ok then error(raised, 0) end
  return probe
end

local function result_of(given, lab, probe, started)
  local decisions = {}
  for i, name in ipairs(probe.order) do decisions[i] = probe.decided[name] end
  return { started = started, region = given.region, tiers = given.tiers, account = lab.account,
    regions = lab.regions or { given.region }, decisions = decisions, messages = probe.messages,
    timings = probe.timings, calls = probe.calls, stopped = lab.stopped,
    failure = lab.failure, left = lab.left }
end

--- Runs tiers one after the other. Raises if the options are wrong.
---@param given alicloud.conformance.Options
---@return alicloud.conformance.Result
function M.run(given)
  local lab, taken, probe = { region = given.region, options = given.lab or {} }, {}, nil
  lab.left = given.left or {}
  local redact, take_keys = redaction.new()
  given = tables.merged(given, { redact = redact, take_keys = take_keys })
  for name, value in pairs(lab.options) do lab[name] = value end
  local first = clients.new(options_of(given, M.tier(given.tiers[1])))
  local started = first.runtime.time()
  first:close()
  for _, name in ipairs(given.tiers) do
    taken[name] = true
    probe = run_tier(given, name, lab, probe)
  end
  leave_rest(probe, taken)
  return result_of(given, lab, probe, started)
end

return M
