-- What the service shows otherwise than assumed is told once, and changes nothing.

local alicloud = require "alicloud"
local differences = require "alicloud.base.differences"
local emulator = require "alicloud.emulator"
local helper = require "spec.helper"
local lab = require "spec.dr.lab"
local documented = require "alicloud.service.ebs.states"

local ok, refuse = helper.ok, helper.refuse

local function group(changes)
  local record = { ReplicaGroupId = "pg-a", Status = "normal", SourceRegionId = "cn-hangzhou",
    DestinationRegionId = "cn-shanghai", PairNumber = 2, PairIds = { "pair-1", "pair-2" },
    LastRecoverPoint = 1795317000 }
  for name, value in pairs(changes or {}) do record[name] = value end
  return record
end

local function groups(...)
  return ok { ReplicaGroups = { ... }, NextToken = "" }
end

local GROUPS, PAIRS = "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs"

-- The lines that a client has told of some answers, and what it has made of the last one. `between`
-- is called with client and answer before each call but the first.
local function told(answers, action, params, between)
  local warnings = {}
  local client, _, control = helper.client(answers, { warnings = warnings, retries = 0 })
  local result, err
  for i = 1, #answers do
    if i > 1 and between then between(client, control) end
    result, err = client:call(action or GROUPS, params or { Site = "backup" })
  end
  return warnings, result, err, client
end

local function assert_told(assumption, text, warnings)
  assert.same({ differences.line(assumption, text) }, warnings)
end

describe("a difference", function()
  it("is none where all is as it is documented", function()
    assert.same({}, (told { groups(group()), groups(group { Status = "syncing" }),
      groups(group { PairIds = { "pair-1,pair-2" } }), groups() }))
  end)

  it("is told in one line that names the assumption and the next command", function()
    assert.equal("the service differs from what this program assumes (codes): X is refused; see "
      .. "`alicloud-dr explain codes`", differences.line("codes", "X is refused"))
  end)

  it("is a word of a status that is not known, once, and the answer stays as it is", function()
    local odd = groups(group { Status = "levitating" })
    local warnings, result, _, client = told { odd, odd, odd }
    assert_told("status_words", 'the status "levitating" of a group', warnings)
    assert.equal("levitating", result.ReplicaGroups[1].Status)
    assert.same({ { assumption = "status_words", text = 'the status "levitating" of a group' } },
      client.differences.list)
  end)

  it("is such a word of a pair and of a drill", function()
    local pair = { ReplicaPairId = "pair-1", Status = "odd" }
    assert_told("status_words", 'the status "odd" of a pair',
      (told({ ok { ReplicaPairs = { pair } } }, PAIRS)))
    assert_told("status_words", 'the status "odd" of a drill',
      (told({ ok { Drills = { { DrillId = "d-1", Status = "odd" } } } },
        "DescribeReplicaGroupDrills", { GroupId = "pg-a" })))
  end)

  it("is a field that is documented nowhere, of the answer, a record, or what is in it", function()
    assert_told("answer_fields", "DescribeDiskReplicaGroups answers a field Extra",
      (told { ok { ReplicaGroups = {}, Extra = 1 } }))
    assert_told("answer_fields", "DescribeDiskReplicaGroups answers a field ReplicaGroups[].Extra",
      (told { groups(group(), group { ReplicaGroupId = "pg-b", Extra = true }) }))
    assert_told("answer_fields",
      "DescribeDiskReplicaGroups answers a field ReplicaGroups[].Tags[].Extra",
      (told { groups(group { Tags = { { TagKey = "a", Extra = {} } } }) }))
    assert_told("answer_fields",
      "DescribeReplicaGroupDrills answers a field Drills[].PairsInfo[].PairInfo",
      (told({ ok { Drills = { { PairsInfo = { PairInfo = { { PairId = "pair-1" } } } } } } },
        "DescribeReplicaGroupDrills", { GroupId = "pg-a" })))
  end)

  it("is looked for in some records of each status, and not in every one", function()
    local list = {}
    for i = 1, 500 do list[i] = group { ReplicaGroupId = "pg-" .. i } end
    list[400].Extra = 1
    assert.equal(0, #told { groups(table.unpack(list)) })
    list[400].Status = "stopped"
    assert.equal(1, #told { groups(table.unpack(list)) })
  end)

  it("is seen in a record that was as usual before", function()
    local usual = groups(group())
    for _, odd in ipairs { { LastRecoverPoint = 1795317000000 }, { PairNumber = 9 },
      { Status = "levitating" }, { SourceRegionId = "cn-shanghai",
        DestinationRegionId = "cn-hangzhou" }, { Status = "stopped", Extra = 1 } } do
      assert.equal(1, #told { usual, usual, usual, usual, usual, groups(group(odd)) })
    end
  end)

  it("is no field of a product of which only some fields are described", function()
    assert.same({}, (told({ ok { Disks = { Disk = { { Extra = 1 } } } } }, "ecs:DescribeDisks",
      {})))
  end)

  it("is a code that no table has; one of throttling is none", function()
    local warnings, result, err = told { refuse(403, "OperationDenied.Never") }
    assert_told("codes", "DescribeDiskReplicaGroups is refused with OperationDenied.Never (403)",
      warnings)
    assert.is_nil(result)
    assert.equal("rejected", err.outcome)
    assert.equal("OperationDenied.Never", err.code)
    for _, code in ipairs { "OperationDenied", "Throttling.Odd", "NoSuchResource" } do
      assert.same({}, (told { refuse(400, code) }), code)
    end
    assert.same({}, (told { helper.broken("timeout", true) }))
  end)

  it("is a time that looks like milliseconds", function()
    for _, point in ipairs { 1795317000000, "1795317000000" } do
      assert_told("times_in_seconds",
        "LastRecoverPoint of DescribeDiskReplicaGroups looks like milliseconds",
        (told { groups(group { LastRecoverPoint = point }) }))
    end
    assert.equal(1, #told({ ok { Progress = 3, RecoverPoint = 1795317000000 } },
      "DescribeDiskReplicaPairProgress", { ReplicaPairId = "pair-1" }))
  end)

  it("is a Site that means another direction", function()
    local turned = groups(group { SourceRegionId = "cn-shanghai",
      DestinationRegionId = "cn-hangzhou" })
    assert_told("site_direction",
      "asked with Site=backup, cn-shanghai shows what goes from cn-shanghai to cn-hangzhou",
      (told { turned }))
    assert.same({}, (told({ turned }, GROUPS, { Site = "production" })))
    assert.equal(1, #told({ groups(group()) }, GROUPS, {}))
    local zones = group { SourceRegionId = "cn-shanghai" }
    assert.same({}, (told({ groups(zones) }, GROUPS, { Site = "production" })))
    assert.equal(1, #told({ ok { ReplicaPairs = { { ReplicaPairId = "pair-1", Status = "normal",
      SourceRegion = "cn-shanghai", DestinationRegion = "cn-hangzhou" } } } }, PAIRS))
  end)

  it("is a group that counts other pairs than it names", function()
    assert_told("pair_count", "pg-a counts 3 pairs and names 2",
      (told { groups(group { PairNumber = 3 }) }))
  end)

  it("is a total below what the pages show", function()
    local page = ok { ReplicaGroups = { group(), group { ReplicaGroupId = "pg-b" } },
      TotalCount = 1 }
    assert_told("total_count", "DescribeDiskReplicaGroups counts 1 and shows 2",
      (told({ page }, GROUPS, { Site = "backup", PageNumber = 1 })))
    assert.same({}, (told({ page }, GROUPS, { Site = "backup", MaxResults = 10 })))
  end)

  it("is at most ten lines of one assumption, and hurts nobody", function()
    local noted = differences.new(function() error "no terminal" end)
    local heard = {}
    local stop = noted:listen(function(assumption, text)
      heard[#heard + 1] = assumption .. " " .. text
      error "a listener that fails"
    end)
    for i = 1, 20 do noted:note("codes", "code " .. i) end
    assert.equal(10, #heard)
    assert.equal("codes code 1", heard[1])
    stop()
    noted:note("status_words", "a\27[2J word")
    assert.equal(10, #heard)
    assert.equal("a\\x1b[2J word", noted.list[11].text)
    assert.error_matches(function() noted:listen "x" end, "allowed: a function")
  end)

  it("is shared by clients that derive from one another", function()
    local client = helper.client { groups(group { Status = "odd" }) }
    assert(client:with({ timeout = 3 }):call(GROUPS, { Site = "backup" }))
    assert.equal(1, #client.differences.list)
  end)

  it("is never made by an answer that cannot be read", function()
    for _, odd in ipairs { 7, "x", { 1, 2 }, { a = 1 } } do
      local _, result = told { ok { ReplicaGroups = odd } }
      assert.is_table(result)
      assert.is_table(select(2, told { groups { PairIds = odd, PairNumber = odd, Status = odd,
        ReplicaGroupId = odd, LastRecoverPoint = odd } }))
    end
  end)
end)

describe("an order of states", function()
  local function look(word) return groups(group { Status = word }) end

  local function after(seconds)
    return function(_, control) control.elapsed = control.elapsed + seconds end
  end

  it("is told where the documents do not have it", function()
    local warnings = told({ look "failovered", look "syncing", look "normal" }, nil, nil, after(5))
    assert_told("state_order", "a group went from failovered to syncing within 10 s, and nothing "
      .. "here asked for that", warnings)
  end)

  it("says nothing of two looks that lie far apart, or at different sites", function()
    assert.same({}, (told({ look "failovered", look "syncing" }, nil, nil, after(11))))
    local warnings = {}
    local client = helper.client({ look "failovered", ok { ReplicaGroups = { group {
      Status = "syncing", SourceRegionId = "cn-shanghai", DestinationRegionId = "cn-hangzhou" } } },
    }, { warnings = warnings })
    assert(client:call(GROUPS, { Site = "backup" }))
    assert(client:call(GROUPS, { Site = "production" }))
    assert.same({}, warnings)
  end)

  it("passes over a step that no look has shown, and over a broken disk", function()
    for _, words in ipairs { { "normal", "failovered" }, { "failovered", "stopped" },
      { "created", "normal" }, { "normal", "stopped" }, { "syncing", "invalid" },
      { "invalid", "created" } } do
      assert.same({}, (told({ look(words[1]), look(words[2]) }, nil, nil, after(3))))
    end
  end)

  it("begins anew with a change of this client's own", function()
    local warnings = {}
    local client = helper.client({ look "failovered", ok(), look "syncing" },
      { warnings = warnings })
    assert(client:call(GROUPS, { Site = "backup" }))
    assert(client:call("StartDiskReplicaGroup", { ReplicaGroupId = "pg-a" }))
    assert(client:call(GROUPS, { Site = "backup" }))
    assert.same({}, warnings)
  end)

  it("agrees with what is taken for the same state when nobody calls", function()
    local follows = require "alicloud.call.state_order".follows
    local model = require "alicloud.dr.model.states"
    for _, before in ipairs(documented.group) do
      for _, now in ipairs(documented.group) do
        if model.follows(before, now) then assert.is_true(follows(before, now), before) end
      end
    end
  end)

  it("is data: every word is documented, and each operation begins where it is legal", function()
    local words = {}
    for _, word in ipairs(documented.group) do words[word] = true end
    for word, following in pairs(documented.moves) do
      assert.is_true(words[word], word)
      for _, next_word in ipairs(following) do assert.is_true(words[next_word], next_word) end
    end
    local operations = require "alicloud.service.ebs".operations
    local BEGINS = { StopDiskReplicaGroup = "stopping", StopDiskReplicaPair = "stopping",
      FailoverDiskReplicaGroup = "failovering", FailoverDiskReplicaPair = "failovering",
      ReprotectDiskReplicaGroup = "reprotecting", ReprotectDiskReplicaPair = "reprotecting",
      StartDiskReplicaGroup = "syncing", StartDiskReplicaPair = "syncing" }
    local follows = require "alicloud.call.state_order".follows
    for action, word in pairs(BEGINS) do
      local legal = operations[action].legal_states
      for _, from in ipairs(legal.group or legal.pair) do
        assert.is_true(follows(from, word), action .. " from " .. from)
      end
    end
  end)
end)

describe("the emulator", function()
  local CALLS = {
    { "FailoverDiskReplicaGroup", "cn-shanghai" }, { "ReprotectDiskReplicaGroup", "cn-shanghai" },
    { "StartDiskReplicaGroup", "cn-shanghai" }, { "StopDiskReplicaGroup", "cn-shanghai" },
    { "StartDiskReplicaGroup", "cn-shanghai", { OneShot = true } },
    { "FailoverDiskReplicaGroup", "cn-hangzhou" },
    { "ReprotectDiskReplicaGroup", "cn-hangzhou", { ReverseReplicate = false } },
  }

  local function look_around(client)
    for _, region in ipairs { "cn-shanghai", "cn-hangzhou" } do
      for _, site in ipairs { "backup", "production" } do
        local params = { RegionId = region, Site = site, PageNumber = 1, PageSize = 100 }
        for _, action in ipairs { GROUPS, PAIRS } do
          assert(client:call(action, params, { region = region }))
        end
      end
    end
  end

  local function live(assume, hostile)
    local warnings = {}
    local emu = emulator.new { assume = assume, hostile = hostile, world = {
      regions = { "cn-hangzhou", "cn-shanghai" }, groups = { { id = "pg-a", name = "orders",
        pairs = 2, status = "normal", recover_point_age = 300,
        source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" } } } }
    emu.runtime.warn = function(line) warnings[#warnings + 1] = line end
    local client <close> = alicloud.client { region = "cn-shanghai", runtime = emu.runtime,
      transport = emu.transport, access_key_id = emu.access_key_id,
      access_key_secret = emu.access_key_secret }
    look_around(client)
    for _, call in ipairs(CALLS) do
      local params = { RegionId = call[2], ReplicaGroupId = "pg-a" }
      for name, value in pairs(call[3] or {}) do params[name] = value end
      assert(client:call(call[1], params, { region = call[2] }))
      for _ = 1, 30 do
        look_around(client)
        client.loop.sleep(5)
      end
      client.loop.sleep(3600)
    end
    return warnings, client
  end

  it("shows no difference in a whole life, and none in a drill", function()
    assert.same({}, (live()))
    local bench = lab.new()
    assert(bench:group():drill { check = function()
      return bench:group():drills() ~= nil
    end })
    assert.same({}, bench.client.differences.list)
  end)

  it("shows them where it is made to be otherwise", function()
    for assumption, made in pairs {
      status_words = { nil, { unknown_status = "levitating" } },
      times_in_seconds = { nil, { recover_point_as = "milliseconds" } },
      pair_count = { nil, { pair_count_off = 1 } },
      site_direction = { { site_direction = "initial" } },
    } do
      local warnings = live(made[1], made[2])
      assert.is_true(#warnings > 0, assumption)
      for _, line in ipairs(warnings) do
        assert.is_truthy(line:find("(" .. assumption .. ")", 1, true), line)
      end
    end
  end)
end)
