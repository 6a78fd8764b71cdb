-- Lists of many pages.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local helper = require "spec.helper"

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
