-- What users of the library are given leads to nothing that the library itself decides by: service
-- data, plans and settings of clients.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local helper = require "spec.helper"
local lab = require "spec.dr.lab"
local services = require "alicloud.service"
local stages = require "spec.dr.playbook.stage"
local walk = require "spec.walk"

-- Every table of the service data, with all of it loaded.
local function service_data()
  local roots, tables = {}, {}
  for _, product in ipairs { "ebs", "ecs", "sts" } do
    local data = services.data(product)
    roots[product] = { data, data.waiters, data.states, data.errors }
  end
  walk.over(roots, function(value, path) tables[value] = path end)
  for _, list in pairs(roots) do tables[list] = nil end
  return tables
end

local function assert_closed(roots)
  local data = service_data()
  local count = walk.over(roots, function(value, path)
    assert.is_nil(data[value], ("%s is %s"):format(path, data[value]))
    local fields = type(value) == "table" and value or {}
    assert.is_nil(rawget(fields, "forms"), path .. " is what a client knows")
    assert.is_nil(rawget(fields, "adapter"), path .. " is what a client knows")
    assert.is_nil(rawget(fields, "flat"), path .. " is a plan")
  end)
  assert.is_true(count >= #roots)
end

describe("what a user of the library reaches", function()
  it("from a client, its services, its calls and their results", function()
    local bench = lab.new()
    local client = bench.client
    local service = client:service "ebs"
    local result = assert(client:call "DescribeRegions")
    local _, refused = client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-none" })
    local started = client:start("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-none" })
    local running = client:start "DescribeRegions"
    started:wait()
    assert_closed {
      alicloud = alicloud, client = client, derived = client:with { mode = "observe" },
      service = service, method = service.DescribeRegions, result = result, error = refused,
      meta = alicloud.meta(result), started = started, running = running,
      help = service:help "FailoverDiskReplicaGroup", all = service:help(),
      pollable = client:pollable(), network = client:network(), stats = client:stats(),
      identity = client:identity(), dependencies = client:dependencies(),
    }
    running:result()
  end)

  it("from groups, their snapshots and checks, and what a change gives", function()
    local bench = lab.new()
    local group = bench:group()
    assert_closed {
      dr = dr, group = group, snapshot = assert(group:observe()),
      checked = { group:precheck {} }, changed = { bench:failover() }, events = bench.events,
      listed = { dr.groups(bench.client, { region = lab.SECONDARY }) },
    }
  end)

  it("from a run, its steps and groups", function()
    local seen = {}
    local stage = stages.new()
    assert(stage:run(function(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      local step = run:step("look", function(...)
        seen.running = { run, group, ... }
        assert_closed { run = run, group = group, client = run.client, given = { ... } }
        return group:observe()
      end)
      seen.step = step
      assert_closed { run = run, step = step }
    end))
    assert_closed(seen)
  end)
end)

describe("what a user has given or was given", function()
  it("is the library's no more: a future and a service are read-only", function()
    local client = lab.new().client
    local future = client:start "DescribeRegions"
    assert.has_error(function() future.plan = {} end, "a future is read-only")
    assert.equal("alicloud.Future", getmetatable(future))
    assert.error_matches(function() future.done {} end, "not a future")
    rawset(future, "plan", { mutating = false })
    rawset(future, "task", false)
    assert.is_table(future:result())
    assert.has_error(function() client:service("ebs").data = {} end, "a service is read-only")
  end)

  it("changes nothing of a client that was made", function()
    local rate = { action = 5, actions = { DescribeRegions = 5 } }
    local retry, endpoint = { attempts = 1 }, { ["cn-shanghai"] = "http://127.0.0.1:1" }
    local answer = { status = 200, body = '{"RequestId":"R"}' }
    local client = helper.client({ answer, answer, answer, answer },
      { rate = rate, retry = retry, endpoint = endpoint })
    rate.actions.DescribeRegions, retry.attempts = 0.001, 99
    endpoint["cn-shanghai"] = "http://127.0.0.1:2"
    local derived = client:with { timeout = 3 }
    for _, one in ipairs { client, derived } do
      assert.equal("127.0.0.1:1", one:prepare("DescribeRegions").host)
      for _ = 1, 2 do assert.is_table((one:call "DescribeRegions")) end
    end
  end)

  it("and a witness is told, is not what is sent afterwards", function()
    local client, transport = helper.client({
      { failure = "connect", sent = false }, { status = 200, body = '{"RequestId":"R"}' },
    }, { witness = {
      before = function(call)
        call.params.ReplicaGroupId = "pg-other"
        return true
      end,
      after = function() end,
    } })
    client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
    assert.equal(2, #transport.requests)
    for _, request in ipairs(transport.requests) do
      assert.truthy((request.url .. (request.body or "")):find("ReplicaGroupId=pg-orders", 1, true))
    end
  end)
end)
