-- Lists of many pages.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local helper = require "spec.helper"
local tables = require "alicloud.base.tables"

-- A region with so many pages of groups, all of them asked for with the token of the one before.
local function region_of(pages, size)
  return { send = function(request)
    local page = tonumber(request.url:match "NextToken=(%d+)") or 1
    local groups = {}
    for i = 1, size do
      groups[i] = { ReplicaGroupId = ("pg-%06d"):format((page - 1) * size + i) }
    end
    return { status = 200, headers = {}, body = core.encode {
      RequestId = "R-" .. page, ReplicaGroups = core.array(groups),
      NextToken = page < pages and tostring(page + 1) or nil,
    } }
  end }
end

describe("the groups of a region", function()
  it("are read to the last of ten thousand", function()
    local client = alicloud.client {
      region = "cn-shanghai", access_key_id = "id", access_key_secret = "secret", rate = false,
      runtime = helper.runtime(), transport = region_of(100, 100),
    }
    local ids = assert(dr.group_ids(client, { site = "backup" }))
    assert.equal(10000, #ids)
    assert.equal("pg-000001", ids[1])
    assert.equal("pg-010000", ids[10000])
  end)
end)

describe("a group whose record spells its types otherwise", function()
  -- Reads one group of two pairs from answers of which each value was changed.
  local function read(change, around)
    local place = { SourceRegionId = "cn-hangzhou", SourceRegion = "cn-hangzhou",
      DestinationRegionId = "cn-shanghai", DestinationRegion = "cn-shanghai", SourceZoneId = "a",
      DestinationZoneId = "b", Status = "normal", ReplicaGroupId = "pg-1" }
    local function record(more)
      local made = {}
      for name, value in pairs(tables.merged(place, more)) do made[name] = change(value) end
      return made
    end
    local client = alicloud.client { region = "cn-shanghai", access_key_id = "i",
      access_key_secret = "s", runtime = helper.runtime(), transport = { send = function(request)
        local name = request.action:find "Groups" and "ReplicaGroups" or "ReplicaPairs"
        local of_pairs = { record { ReplicaPairId = "pair-1", LastRecoverPoint = helper.NOW - 60 },
          record { ReplicaPairId = "pair-2", LastRecoverPoint = helper.NOW - 70 } }
        local list = name == "ReplicaPairs" and of_pairs or { record { GroupName = 2026, RPO = 900,
          PairNumber = 2, LastRecoverPoint = helper.NOW - 70 } }
        return { status = 200, headers = {}, body = around .. core.encode { RequestId = "r",
          TotalCount = change(#list), NextToken = core.null, [name] = core.array(list) } }
      end } }
    return dr.group(client, "pg-1"):look()
  end

  it("is the same group", function()
    local plain = assert(read(function(value) return value end, ""))
    assert.same({ "2026", 900, 2, 2, helper.NOW - 70 }, { plain.name, plain.declared_rpo,
      plain.pair_number, #plain.pairs, plain.recover_point })
    for name, change in pairs {
      text = function(value) return type(value) == "number" and tostring(value) or value end,
      float = function(value) return type(value) == "number" and value + 0.0 or value end,
    } do
      assert.same(plain, assert(read(change, "\xef\xbb\xbf")), name)
    end
  end)

  it("is not read where an item of the list is no record", function()
    local client = alicloud.client { region = "cn-shanghai", access_key_id = "i",
      access_key_secret = "s", runtime = helper.runtime(), transport = { send = function()
        return { status = 200, headers = {}, body = '{"RequestId":"r","ReplicaGroups":["pg-1"]}' }
      end } }
    local _, err = dr.group_ids(client, {})
    assert.equal("Client.MalformedPage", err.code)
    assert.matches("item 1 of the list is a string", err.message)
  end)
end)
