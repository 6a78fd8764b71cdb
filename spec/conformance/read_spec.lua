-- The tiers that a reader would try first, against emulators behind a socket: by itself everything
-- is as assumed, and what cannot be seen changes nothing. Each switch alone: flips_spec.

local bench = require "spec.conformance.bench"
local conformance = require "alicloud.conformance"
local reports = require "alicloud.conformance.report"
local switches = require "alicloud.emulator.switches"
local tables = require "alicloud.base.tables"
local verdicts = require "alicloud.conformance.verdicts"

local ALL = { tiers = { "read", "burst", "drill" }, lab = { drill = "pg-orders" } }

local READS = { Describe = true, List = true, Get = true }

-- What these tiers can show.
local SEEN = tables.set { "signature_status", "access_key_status", "unknown_action",
  "default_format", "default_format_rpc", "time_window", "time_window_rpc", "endpoint_region",
  "ecs_endpoint_region", "describe_unknown", "page_bounds", "site_default", "site_direction",
  "last_token", "empty_pair_ids", "tag_resource_type", "throttle", "clear_busy" }

local function values_of(switch)
  return switch.rule.values or switch.rule.type == "boolean" and { true } or { 13 }
end

-- All flips together that cannot be seen.
local function hidden()
  local all = {}
  for _, switch in ipairs(switches.all) do
    local is_flip = switch.kind == "assumed" and switch.default ~= "fixed"
    if is_flip and not SEEN[switch.name] then
      for _, value in ipairs(values_of(switch)) do
        if value ~= switch.default then all[switch.name] = value end
      end
    end
  end
  return all
end

local function run(assume, given)
  return bench.run(tables.merged(tables.merged(ALL, given or {}), { assume = assume }))
end

describe("a conformance run", function()
  it("finds everything as assumed in an emulator that nobody has switched", function()
    local result, emu = run()
    assert.same({}, bench.differences(result))
    local decisions = bench.by_name(result)
    for name in pairs(SEEN) do assert.equal("confirmed", decisions[name].verdict, name) end
    assert.equal("acct-001", result.account)
    assert.same({}, result.left)
    assert.equal(2, #emu:ledger(), "a drill, and nothing else")
    assert.equal(0, #emu.world.drills)
  end)

  it("looks in every tier at what a switch or a guess assumes", function()
    for _, tier in ipairs(conformance.TIERS) do
      for _, case in ipairs(conformance.tier(tier).cases) do
        local name = case.name
        assert.is_true(not name or case.guess ~= nil or verdicts.switch(name) ~= nil, name)
      end
    end
  end)

  it("changes nothing and takes about 60 calls with the first tier", function()
    local result, emu = bench.run()
    assert.same({}, emu:ledger())
    assert.is_true(result.calls <= 65, result.calls)
    for _, entry in ipairs(emu:requests()) do
      local action = entry.action
      assert.matches("^%u%l+", action)
      assert.is_true(READS[action:match "^%u%l+"] == true, action)
    end
  end)

  it("tells of every assumption, and why not", function()
    local decisions = bench.by_name(bench.run())
    for _, switch in ipairs(switches.all) do
      if switch.kind == "assumed" then
        local decision = decisions[switch.name]
        assert.is_table(decision, switch.name)
        assert.is_true(decision.verdict ~= "undecided" or decision.text ~= nil, switch.name)
      end
    end
    assert.equal("needs --drill GROUP", decisions.clear_busy.text)
    assert.equal("needs --burst", decisions.throttle.text)
  end)

  it("is not misled by what it cannot see", function()
    assert.same({}, bench.differences(run(hidden())))
  end)

  it("names two that lie close together", function()
    for _, assume in ipairs { { describe_unknown = "not_found", site_default = "either" },
      { site_direction = "initial", site_default = "either" },
      { throttle = "minute", throttle_limit = 30 }, { throttle = "second", throttle_limit = 30 },
      { default_format = "XML", unknown_action = "InvalidApi.NotFound" } } do
      local wanted = {}
      for name, value in pairs(assume) do
        if verdicts.switch(name).default ~= value then
          wanted[#wanted + 1] = ("%s=%s"):format(name, tostring(value))
        end
      end
      table.sort(wanted)
      assert.same(wanted, bench.differences(run(assume)))
    end
  end)

  it("does not tell what one endpoint for all regions hides", function()
    local decisions = bench.by_name(bench.run { region_ports = false })
    assert.equal("undecided", decisions.endpoint_region.verdict)
    assert.equal("one endpoint serves all regions here", decisions.endpoint_region.text)
  end)

  it("reports what no switch knows, and does not take it for a switch", function()
    local result = bench.run { messages = {
      ["InvalidAccessKeyId.NotFound"] = { status = 418, text = "Nobody has that key." } } }
    assert.same({ "access_key_status=418", "messages=others" }, bench.differences(result))
    assert.equal("new", bench.by_name(result).access_key_status.verdict)
    local file = reports.file(result, "spec")
    assert.is_nil(file.assume.access_key_status)
    assert.same({ status = 418, text = "Nobody has that key." },
      file.messages["InvalidAccessKeyId.NotFound"])
  end)

  it("names guesses that a hostile service makes wrong", function()
    assert.same({ "pair_ids_form=comma" }, bench.differences(run(nil,
      { hostile = { pair_ids = "comma" } })))
    assert.same({ "recover_point_unit=milliseconds" }, bench.differences(run(nil,
      { hostile = { recover_point_as = "milliseconds" } })))
  end)

  it("needs a group with pairs for what is about groups", function()
    local world = { regions = bench.WORLD.regions, groups = {} }
    local result = bench.run { world = world }
    assert.same({}, bench.differences(result))
    local decisions = bench.by_name(result)
    assert.equal("no group with pairs is listed in cn-shanghai", decisions.site_default.text)
    assert.equal("confirmed", decisions.signature_status.verdict)
  end)

  it("says that a group which was named is not there", function()
    local decisions = bench.by_name(bench.run { lab = { group = "pg-nowhere" } })
    assert.equal("pg-nowhere is not listed in cn-shanghai", decisions.site_default.text)
  end)

  it("stops where the key is refused, and tells nothing", function()
    local result = bench.run { faults = { { effect = { error = { status = 404,
      code = "InvalidAccessKeyId.NotFound" } } } } }
    assert.equal("InvalidAccessKeyId.NotFound", result.failure.code)
    assert.same({}, bench.differences(result))
    for _, decision in ipairs(result.decisions) do assert.equal("undecided", decision.verdict) end
  end)
end)
