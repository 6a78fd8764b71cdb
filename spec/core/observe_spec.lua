-- A transport that only observes sends what says, wherever it says so, that it is an operation
-- known to read. What the caller says beside it does not count.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local posix = require "spec.posix"
local reply = require "spec.server.reply"
local scratch = require "spec.scratch"
local server_module = require "spec.server"
local services = require "alicloud.service"
local transport = require "alicloud.transport"

local request, call, outcome = exchange.request, exchange.call, exchange.outcome

local READS = core.actions { "2021-07-30 DescribeRegions", "2014-05-26 DescribeDisks" }

describe("a set of operations", function()
  it("knows whole names of one version", function()
    assert.is_true(READS:has("2021-07-30", "DescribeRegions"))
    assert.is_true(READS:has("2014-05-26", "DescribeDisks"))
    for _, other in ipairs { { "2014-05-26", "DescribeRegions" }, { "2021-07-30", "" },
      { "", "DescribeRegions" }, { "2021-07-30", "DescribeRegion" }, { "2021-07-30 D", "" },
      { "2021-07-30", "DescribeRegionss" }, { "2021-07-30", "describeregions" },
      { "2021-07-30", "DescribeRegions\0" }, { "2021-07-30", ("x"):rep(1000) } } do
      assert.is_false(READS:has(other[1], other[2]), table.concat(other, " "))
    end
    assert.is_false(core.actions {}:has("2021-07-30", "DescribeRegions"))
  end)

  it("keeps what it was made of, whatever becomes of the list", function()
    local list = {}
    for i = 1, 300 do list[i] = ("2021-07-30 Describe%d"):format(i * 7919 % 1000) end
    local set = core.actions(list)
    local names = table.move(list, 1, #list, 1, {})
    for i = 1, #list do list[i] = "2021-07-30 Failover" end
    for _, name in ipairs(names) do assert.is_true(set:has(name:match "^(%S+) (%S+)$")) end
    assert.is_false(set:has("2021-07-30", "Failover"))
    assert.has_error(function() set.has = print end)
    assert.are.equal("alicloud.Actions/1", getmetatable(set))
  end)

  it("takes versions and actions and nothing else", function()
    for _, entry in ipairs { "", "DescribeRegions", "2021-07-30", "2021-07-30 ", "2021-7-30 A",
      "2021-07-30  A", "2021-07-30 A B", "2021-07-30 A\n", "2021-07-30 A\0", 1, {} } do
      assert.is_false(pcall(core.actions, { "2021-07-30 DescribeRegions", entry }), tostring(entry))
    end
    assert.is_false(pcall(core.actions))
    assert.is_false(pcall(core.actions, "2021-07-30 A"))
  end)
end)

describe("a transport that observes", function()
  local server, observer

  before_each(function()
    server = server_module.new(behaviour.answer(reply.http()))
    observer = transport.new { observe = true, reads = READS }
  end)
  after_each(function()
    observer:close()
    server:close()
  end)

  local function is_sent(asked)
    local result = call(server, observer, asked)
    if result.failure ~= "refused" then
      assert.are.equal("accepted", (outcome(result)))
      return true
    end
    assert.is_false(result.sent)
    assert.are.equal("this transport only observes", result.detail)
    return false
  end

  local function headers(changes)
    local all = request(server.url).headers
    for name, value in pairs(changes) do all[name] = value or nil end
    return all
  end

  it("sends what it knows to read, and opens no socket for anything else", function()
    assert.is_false(is_sent(request(server.url, { mutating = true })))
    assert.is_false(is_sent(request(server.url, { headers = headers {
      ["x-acs-action"] = "FailoverDiskReplicaGroup" } })))
    server:step()
    assert.are.equal(0, #server.connections)
    assert.are.equal(0, observer:stats().connections)
    assert.is_true(is_sent(request(server.url)))
  end)

  it("takes an unknown action, another version and a request without for a change", function()
    for _, changes in ipairs {
      { ["x-acs-action"] = "DescribeSomething" }, { ["x-acs-version"] = "2099-01-01" },
      { ["x-acs-action"] = false }, { ["x-acs-version"] = false },
      { ["x-acs-action"] = "DescribeDisks" }, { ["x-acs-action"] = "" },
    } do
      assert.is_false(is_sent(request(server.url, { headers = headers(changes) })))
    end
    assert.is_false(is_sent { method = "GET", url = server.url .. "/", headers = {}, timeout = 5 })
  end)

  it("takes what the places do not agree about for a change", function()
    for _, query in ipairs { "Action=FailoverDiskReplicaGroup", "a=b&action=StopDisk", "A%63tion=X",
      "%41CTION=X", "x;Action=X", "Version=2099-01-01", "Action", "Action=",
      "Action=DescribeRegions&Action=X", "Action=DescribeRegions%00" } do
      assert.is_false(is_sent(request(server.url, { url = server.url .. "/?" .. query })), query)
      assert.is_false(is_sent(request(server.url, { body = query })), query)
    end
    assert.is_false(is_sent(request(server.url, { headers = headers {
      ["X-Acs-Action"] = "FailoverDiskReplicaGroup" } })))
    for _, query in ipairs { "", "Actions=X", "TagAction=X", "Action%5B%5D=X", "x=Action",
      "Action=DescribeRegions&Version=2021-07-30", "%zz=1&=&&", "%4" } do
      assert.is_true(is_sent(request(server.url, { url = server.url .. "/?" .. query })), query)
    end
  end)

  it("takes every other path than / for a change", function()
    for _, rest in ipairs { "/clusters", "//", "/x?", "/clusters/?a=b", "?Action=X&a=/" } do
      assert.is_false(is_sent(request(server.url, { url = server.url .. rest })), rest)
    end
    for _, rest in ipairs { "", "?", "?a=/", "/?a=/&b=http://x/y?Action=Z" } do
      assert.is_true(is_sent(request(server.url, { url = server.url .. rest })), rest)
    end
  end)

  it("knows the older signature's requests by their query or form", function()
    local function signed(action, method)
      local host = server.url:match "//(.*)$"
      local one = core.sign {
        algorithm = "HMAC-SHA1", method = method, scheme = "http", host = host, path = "/",
        action = action, version = "2021-07-30", access_key_id = "spec",
        access_key_secret = "spec-secret", date = "2026-01-02T03:04:05Z",
        nonce = "0123456789abcdef",
        form = method == "POST" and { GroupName = "x" } or nil,
      }
      return { method = one.method, url = one.url, headers = one.headers, body = one.body,
        timeout = 30 }
    end
    for _, method in ipairs { "GET", "POST" } do
      assert.is_true(is_sent(signed("DescribeRegions", method)), method)
      assert.is_false(is_sent(signed("FailoverDiskReplicaGroup", method)), method)
    end
  end)

  it("without a set sends nothing, and takes no other for one", function()
    local strict <close> = transport.new { observe = true }
    assert.are.equal("refused", call(server, strict, request(server.url)).failure)
    for _, other in ipairs { "2021-07-30 DescribeRegions", {}, core.secret "x", true } do
      local ok, message = pcall(transport.new, { observe = true, reads = other })
      assert.is_false(ok)
      assert.truthy(message:find("allowed: what core.actions makes", 1, true), message)
    end
  end)

  it("keeps its set", function()
    local own <close> = transport.new { observe = true,
      reads = core.actions { "2021-07-30 DescribeRegions" } }
    for _ = 1, 3 do collectgarbage() end
    assert.are.equal("accepted", (outcome(call(server, own, request(server.url)))))
  end)

  it("is that of every client that observes, with either signature", function()
    local program = [[
      local alicloud, url, algorithm = require "alicloud", ...
      local client = alicloud.client { region = "cn-shanghai", endpoint = url, mode = "observe",
        access_key_id = "spec", access_key_secret = "spec-secret", algorithm = algorithm }
      for _, call in ipairs {
        { "DescribeRegions" }, { "ecs:DescribeDisks", { DiskIds = { "d-1" } } },
        { "FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-1" } },
        { "ecs:DeleteInstance", { InstanceId = "i-1" }, { mutating = false } },
      } do
        local _, err = client:call(table.unpack(call))
        print(err and err.code or "answered")
      end
    ]]
    local script = scratch.file(program, ".lua")
    for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "HMAC-SHA1" } do
      local pid, output = posix.spawn { "lua5.4", script, server.url, algorithm }
      local how
      repeat
        server:step()
        how = posix.wait(pid, true)
      until how
      assert.are.equal("answered\nanswered\nClient.ObserveMode\nClient.ObserveMode\n",
        output:read "a")
      output:close()
    end
  end)
end)

describe("the operations that read", function()
  it("are those of the service data that neither change anything nor give keys", function()
    local reading = services.reading()
    for _, product in ipairs { "ebs", "ecs", "sts" } do
      local data = services.data(product)
      for action, operation in pairs(data.operations) do
        local reads = not operation.mutating and action ~= "AssumeRole"
        assert.are.equal(reads, reading:has(data.version, action), action)
        assert.are.equal(reads, services.reads(product, action, data.version), action)
        assert.is_false(services.reads(product, action, "2099-01-01"), action)
        assert.is_false(services.reads("other", action, data.version), action)
      end
    end
    assert.are.equal(reading, services.reading())
    assert.is_function(alicloud.client)
  end)

  it("have no parameter that a request names its operation with", function()
    for _, product in ipairs { "ebs", "ecs", "sts" } do
      for action, operation in pairs(services.data(product).operations) do
        for name in pairs(operation.params) do
          assert.is_nil(({ action = true, version = true })[name:lower()], action)
        end
      end
    end
  end)
end)
