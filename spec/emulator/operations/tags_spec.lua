-- Tags of pairs and groups: what an answer calls them, and what a value without a key is told.
-- Source: dew-serverless/acs-sdk-php, data/ebs/2021-07-30/api-docs.json, ListTagResources: its
-- sample says "pair" where the documented values are diskreplicapair and diskreplicagroup.

local caller = require "spec.emulator.caller"

local WORLD = caller.world { tags = { team = "a" } }

local function types(assume, asked)
  local body = caller.new { world = WORLD, assume = assume }:call("ListTagResources",
    { RegionId = "cn-shanghai", ResourceType = asked })
  local list = {}
  for index, row in ipairs(body.TagResources) do list[index] = row.ResourceType end
  return list
end

describe("the type in a list of tags", function()
  it("is the one that was asked for, in the caller's spelling", function()
    assert.same({ "diskreplicagroup" }, types(nil, "diskreplicagroup"))
    assert.same({ "DiskReplicaGroup" }, types(nil, "DiskReplicaGroup"))
  end)

  it("is the word of the sample when that is switched", function()
    assert.same({ "group" }, types({ tag_resource_type = "short" }, "diskreplicagroup"))
  end)
end)

describe("a tag with a value and no key", function()
  it("is refused with the code that the description of the parameter has", function()
    local probe = caller.new { world = WORLD }
    assert.equal("InvalidParameter.TagValue", (probe:code("ListTagResources",
      { RegionId = "cn-shanghai", ResourceType = "diskreplicagroup", ["Tag.1.Value"] = "a" })))
  end)
end)
