-- What stays in a recording and what gets a pseudonym, and that it is the same one everywhere.

local core = require "alicloud.core"
local fields = require "alicloud.conformance.recording.fields"
local pseudonyms = require "alicloud.conformance.recording.pseudonyms"
local redaction = require "alicloud.conformance.recording.redaction"
local search = require "alicloud.conformance.recording.search"

local function cleaned(value)
  local redactor = redaction.new()
  return redactor:clean(value), redactor
end

local PAIR = { ReplicaPairId = "pair-shop-1", PairName = "shop disk", Description = "of Ada",
  Status = "initial_syncing", StatusMessage = "DeviceRemoved", Site = "backup",
  SourceRegion = "cn-hangzhou", SourceZoneId = "cn-hangzhou-g", SourceDiskId = "d-bp1abc",
  DestinationRegion = "ap-southeast-1", DestinationZoneId = "ap-southeast-1a",
  DestinationDiskId = "d-t4nxyz", ReplicaGroupId = "pg-shop", ReplicaGroupName = "shop", RPO = 900,
  LastRecoverPoint = 1795996800, CreateTime = 1793428750, ChargeType = "POSTPAY",
  EnableRtc = false, Bandwidth = 0, ResourceGroupId = "rg-aek2", Tags = core.array {
    { TagKey = "team", TagValue = "payments" } } }

describe("redaction", function()
  it("keeps regions, zones, statuses, numbers, times, and nothing that names somebody", function()
    assert.same({ ReplicaPairId = "pair-001", PairName = "name-001", Description = "text-001",
      Status = "initial_syncing", StatusMessage = "DeviceRemoved", Site = "backup",
      SourceRegion = "cn-hangzhou", SourceZoneId = "cn-hangzhou-g", SourceDiskId = "d-002",
      DestinationRegion = "ap-southeast-1", DestinationZoneId = "ap-southeast-1a",
      DestinationDiskId = "d-001", ReplicaGroupId = "pg-001", ReplicaGroupName = "name-002",
      RPO = 900, LastRecoverPoint = 1795996800, CreateTime = 1793428750, ChargeType = "POSTPAY",
      EnableRtc = false, Bandwidth = 0, ResourceGroupId = "rg-001", Tags = core.array {
        { TagKey = "tag-001", TagValue = "value-001" } } }, (cleaned(PAIR)))
  end)

  it("keeps words of statuses that nobody knows, and pages them", function()
    assert.same({ Status = "half_failovered", NextToken = "page-001", PageNumber = 1 },
      (cleaned { Status = "half_failovered", NextToken = "AAAAAdDWBF2", PageNumber = 1 }))
    assert.same({ Status = "text-001" }, (cleaned { Status = "AAAAAdDWBF2" }))
  end)

  it("gives an original the same pseudonym wherever and however it is written", function()
    local redactor = redaction.new()
    local name = "Shop of Ada"
    redactor:learn { GroupName = name, ReplicaGroupId = "pg-shop", OwnerId = 1234567890123456 }
    local clean = redactor:value {
      A = "pg-shop", PairIds = core.array { "pair-1,pair-2" }, GroupIds = "pg-shop,pg-other",
      DiskIds = '["d-1","d-2"]', OwnerId = 1234567890123456, InstanceId = "d-1",
      Message = "no group pg-shop (" .. name .. ") of acs:ebs:cn-hangzhou:1234567890123456:"
        .. "diskreplicagroup/pg-shop for Shop%20of%20Ada or Shop%2520of%2520Ada",
    }
    assert.same({ A = "pg-001", PairIds = core.array { "pair-001,pair-002" },
      GroupIds = "pg-001,pg-002", DiskIds = '["d-001","d-002"]', OwnerId = "acct-001",
      InstanceId = "d-001", Message = "no group pg-001 (name-001) of acs:ebs:cn-hangzhou:acct-001:"
        .. "diskreplicagroup/pg-001 for name-001 or name-001" }, clean)
  end)

  it("leaves messages that are known as they are", function()
    local data = require "alicloud.service".data "ebs"
    local redactor = redaction.new()
    redactor:learn(PAIR)
    for code, entry in pairs(data.errors) do
      local message = entry.message or ""
      assert.equal(message, redactor:text(message), code)
    end
  end)

  it("looks for what is private in a message that nobody knows", function()
    local redactor = redaction.new()
    for text, clean in pairs {
      ["It's 'my thing', don't"] = "It's 'text-001', don't",
      ["host db1.corp.example (10.1.2.3:443, fe80::1)"] =
        "host host-001 (ip-001:443, ip-002)",
      ["mail ada@shop.example, key LTAI5tAbCdEfG1"] = "mail mail-001, key key-001",
      ["at 2026-11-30T06:00:00Z after 12.5 s, 3 of 4 in cn-shanghai-b"] =
        "at 2026-11-30T06:00:00Z after 12.5 s, 3 of 4 in cn-shanghai-b",
      ["i-bp1 in https://ecs.cn-hangzhou.aliyuncs.com/?Name=x%20y"] =
        "i-001 in https://ecs.cn-hangzhou.aliyuncs.com/?Name=name-001",
    } do
      assert.equal(clean, redactor:text(text))
    end
  end)

  it("keeps of a command line what the command itself has words for", function()
    assert.equal("run text-001 group=pg-001 region=cn-shanghai --record=text-002 -y -o text-003 "
      .. "--max-rpo 20m --region xx-new name:name-001 --region pg-001 pg-002,pg-001",
      redaction.new():command { "run", "shop.lua", "group=pg-shop", "region=cn-shanghai",
        "--record=ada.jsonl", "-y", "-o", "ada", "--max-rpo", "20m", "--region", "xx-new",
        "name:Ada's", "--region", "pg-shop", "pg-x,pg-shop" })
    assert.equal("report text-001 text-002", redaction.new():command { "report", "-oada", "ada" })
  end)

  it("is the same when it is done again", function()
    local once = cleaned(PAIR)
    assert.same(once, (cleaned(once)))
  end)

  it("gives up where it cannot be proved", function()
    local redactor = redaction.new()
    redactor:take_keys { access_key_secret = core.secret "hush-hush-1" }
    assert.is_true(redactor:proves { a = "nothing" })
    for _, text in ipairs { "x hush-hush-1", core.base64 "zhush-hush-1", core.hex "hush-hush-1",
      "hush%2Dhush%2D1", "hush%252Dhush%252D1" } do
      assert.is_false(redactor:proves { { [1] = text } }, text)
      assert.is_false(redactor:proves { [text] = 1 }, text)
    end
    redactor.string = function(_, _, value) return value end
    assert.is_nil(redactor:clean { Note = "hush-hush-1" })
  end)

  it("takes options for what they are", function()
    assert.error_matches(function() redaction.new { drop = true } end,
      'redaction.new: unknown option "drop"')
  end)
end)

describe("an original that is common", function()
  -- A group may be called like a status, and nothing would be written down if that were searched.
  it("has a pseudonym in its field, and is no reason to leave a line out", function()
    for _, name in ipairs { "normal", "1", "db", "shanghai", "syncing", "RegionId", "request",
      "2026-11", "ebs", "pair-0" } do
      local redactor = redaction.new()
      local clean = redactor:clean { GroupName = name, Status = "normal", RequestId = "r",
        Message = ('Group "%s" is not found.'):format(name), SourceRegionId = "cn-shanghai",
        PairNumber = 1 }
      assert.is_table(clean, name)
      assert.equal("name-001", clean.GroupName)
      assert.equal("normal", clean.Status)
      assert.equal("cn-shanghai", clean.SourceRegionId)
    end
  end)

  it("is one that a word contains which is written down anyway, also later", function()
    local redactor = redaction.new()
    local clean = redactor:clean { GroupName = "nowhere", SourceRegionId = "xx-nowhere-1" }
    assert.same({ GroupName = "name-001", SourceRegionId = "xx-nowhere-1" }, clean)
    assert.is_true(redactor.pseudonyms:is_common "nowhere")
    assert.is_false(redactor.pseudonyms:is_common "nowhere-2")
  end)

  it("is told by length, letters and vocabulary", function()
    local all = pseudonyms.new(fields.vocabulary())
    for _, word in ipairs { "short", "12345678", "failover", "name-0017" } do
      assert.is_true(all:is_common(word), word)
    end
    for _, word in ipairs { "orders-db", "1234567890123456", "10.11.12.13", "我的复制组" } do
      assert.is_false(all:is_common(word), word)
    end
  end)
end)

describe("pseudonyms", function()
  it("stay what they are, and get no second meaning", function()
    local all = pseudonyms.new ""
    assert.equal("pg-001", all:of("pg", "pg-a"))
    assert.equal("pg-007", all:of("pg", "pg-007"))
    assert.equal("pg-002", all:of("pg", "pg-001"))
    all:continue_after '{"a":"pg-041","b":"x-pg-99"}'
    assert.equal("pg-042", all:of("pg", "pg-b"))
  end)

  it("refuse a key that is none", function()
    for _, text in ipairs { "", "[]", '{"format":"alicloud-dr pseudonyms 1","originals":{"a":"b"}}',
      '{"format":"x","originals":{}}',
      '{"format":"alicloud-dr pseudonyms 1","originals":{"a":"pg-001","b":"pg-001"}}' } do
      assert.is_nil((pseudonyms.new(""):take(text)), text)
    end
  end)
end)

describe("the search for what must not be there", function()
  it("finds no more than there is", function()
    assert.equal("abc", search.views "abc")
    local secrets = search.secrets()
    secrets:add "ab"
    secrets:add(nil)
    assert.is_false(secrets:are_in "xabx")
  end)
end)

describe("the cost of a recording", function()
  -- A listing of everything has thousands of names and as many times.
  it("takes as long for a record of many as for one of few", function()
    local function steps(count)
      local redactor, taken = redaction.new(), 0
      debug.sethook(function() taken = taken + 1 end, "", 100)
      for i = 1, count do
        local time = ("2026-%02d-%02dT%02d:%02dZ"):format(i % 12 + 1, i % 28 + 1, i % 24, i % 59)
        redactor:learn { DiskId = ("d-%dx%x"):format(i, i * 7919), CreationTime = time }
      end
      debug.sethook()
      return taken
    end
    local few, many = steps(250), steps(2000)
    assert.is_true(many < 12 * few, ("%d, %d"):format(few, many))
  end)
end)
