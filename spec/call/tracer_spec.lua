-- What a client's tracer is told, and that it can hurt no call.

local emulator = require "alicloud.emulator"

local function client_of(tracer, faults, more)
  local emu = emulator.new { faults = faults }
  local given = { region = "cn-shanghai", runtime = emu.runtime, transport = emu.transport,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    tracer = tracer }
  for name, value in pairs(more or {}) do given[name] = value end
  return require "alicloud".client(given)
end

local BUSY = { { match = { action = "DescribeRegions", count = 1 },
  effect = { error = { code = "Throttling", status = 429 } } } }

describe("a client's tracer", function()
  local told

  local tracer = { begin = function(call)
    told[#told + 1] = ("begin %s:%s %s %s %s"):format(call.product, call.action, call.region,
      call.run_id, call.step)
    return {
      attempt = function(number, retry)
        told[#told + 1] = ("attempt %d %s"):format(number, retry and retry.code or "-")
        return function(is_ok, answer)
          told[#told + 1] = ("answered %s %d"):format(is_ok, answer.status)
        end
      end,
      finish = function(err) told[#told + 1] = "finish " .. (err and err.code or "-") end,
    }
  end }

  before_each(function() told = {} end)

  it("is told of a call and each of its attempts, in order", function()
    local client <close> = client_of(tracer, BUSY)
    assert(client:with({ caller = function() return "r1", "look" end }):call "ebs:DescribeRegions")
    assert.same({ "begin ebs:DescribeRegions cn-shanghai r1 look", "attempt 1 -",
      "answered false 429", "attempt 2 Throttling", "answered true 200", "finish -" }, told)
  end)

  it("is told of a call that never left", function()
    local client <close> = client_of(tracer, nil, { mode = "observe" })
    local _, err = client:call("ebs:FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
    assert.equal("Client.ObserveMode", err.code)
    assert.same({ "begin ebs:FailoverDiskReplicaGroup cn-shanghai nil nil",
      "finish Client.ObserveMode" }, told)
  end)

  it("hurts no call, whatever it raises or returns", function()
    local function raise() error "no" end
    for _, begin in ipairs { raise, function() return 5 end, function() return {} end,
      function() return { attempt = raise, finish = raise } end,
      function() return { attempt = function() return raise end } end } do
      local client <close> = client_of({ begin = begin }, BUSY)
      assert(client:call "ebs:DescribeRegions")
    end
  end)

  it("is a table with a function begin", function()
    assert.error_matches(function() client_of {} end, "option tracer: got a table; allowed: a "
      .. "table with the function begin")
  end)
end)
