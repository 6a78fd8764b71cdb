--- Tags of resources, and moving a resource to another resource group.

local response = require "alicloud.service.common.response"
local shared = require "alicloud.service.ebs.shared"

local param = shared.params

local ONE = "{ResourceType}/{ResourceId}"

-- Documented in lower case; the service accepts any case.
local resource_type = {
  type = "string", required = true, any_case = true,
  values = { "diskreplicapair", "diskreplicagroup", "dedicatedblockstoragecluster" },
  doc = "what the ids are of",
}

local function resources(required)
  return {
    type = "list", max_items = 50, required = required,
    items = { type = "string", format = "id", doc = "a resource" },
    doc = "the resources",
  }
end

local tags = {
  type = "list", max_items = 20, required = true,
  items = { type = "map", fields = {
    Key = { type = "string", format = "tag_key", required = true, doc = "tag key" },
    Value = { type = "string", format = "tag_value", required = true, doc = "tag value" },
  } },
  doc = "the tags",
}

local limits = {
  "Duplicate.TagKey", "NumberExceed.ResourceIds", "NumberExceed.Tags",
  "InvalidResourceId.NotFound", "InvalidResourceType.NotFound",
}

local function tag_errors(own)
  for _, code in ipairs(limits) do own[#own + 1] = code end
  return shared.younger_errors(own)
end

-- The two operations that list the tags in use come from another part of the service: they take
-- their parameters in the form body, and their error table is not published.
local function in_use(own, items)
  local params = {
    RegionId = shared.with("region", { required = false }),
    MaxResults = { type = "integer", min = 1, max = 100, default = 10, doc = "items per page" },
    NextToken = param.next_token,
  }
  for name, rule in pairs(own) do params[name] = rule end
  return {
    mutating = false, token = false, region = "either", timeout = 10, form = true,
    ram = { level = "list", resource = "*", inferred = true },
    params = params,
    paging = {
      items = items, input = "NextToken", output = "NextToken", limit = "MaxResults", max = 100,
      default = 100,
    },
    response = response.of {
      { items .. "[]", "string" }, { "MaxResults", "integer" }, "NextToken", "RequestId",
    },
    errors = shared.errors(),
  }
end

local keys = in_use({
  TagFilterKey = { type = "string", format = "text", doc = "part of the key" },
}, "TagKeys")
keys.summary = "Lists the tag keys in use."

local values = in_use({
  TagKey = { type = "string", format = "text", doc = "the key" },
  TagFilterValue = { type = "string", format = "text", doc = "part of the value" },
}, "TagValues")
values.summary = "Lists the values in use of a tag key."

return {
  TagResources = {
    summary = "Adds tags to resources, or gives tags that are there a new value.",
    mutating = true, token = true, region = "resource", timeout = 30,
    ram = { level = "update", resource = ONE, inferred = true },
    params = {
      RegionId = param.resource_region,
      ResourceType = resource_type,
      ResourceId = resources(true),
      Tag = tags,
      ClientToken = param.token,
    },
    response = response.accepted,
    errors = tag_errors { "MissingParameter.ResourceType" },
  },

  UntagResources = {
    summary = "Takes tags off resources.",
    mutating = true, token = true, region = "resource", timeout = 30,
    ram = { level = "update", resource = ONE, inferred = true },
    params = {
      RegionId = param.resource_region,
      ResourceType = resource_type,
      ResourceId = resources(true),
      TagKey = {
        type = "list", max_items = 20,
        items = { type = "string", format = "tag_key", doc = "a tag key" },
        doc = "the tags to take off",
      },
      All = { type = "boolean", default = false, doc = "take all tags off; only without TagKey" },
      ClientToken = param.token,
    },
    depends = { { on = "All", is = true, refuse = "TagKey" } },
    response = response.accepted,
    errors = tag_errors { "OperationDenied.QuotaExceed", "InvalidRegionId.NotFound" },
  },

  ListTagResources = {
    summary = "Lists the tags of resources, or the resources of tags.",
    -- Accepts a token although it only reads.
    mutating = false, token = false, region = "resource", timeout = 10,
    ram = { level = "list", resource = ONE, inferred = true },
    params = {
      RegionId = param.resource_region,
      ResourceType = resource_type,
      ResourceId = resources(false),
      Tag = param.tag_filter,
      NextToken = param.next_token,
      ClientToken = param.token,
    },
    paging = { items = "TagResources", input = "NextToken", output = "NextToken" },
    response = response.of {
      "TagResources[].TagKey", "TagResources[].TagValue", "TagResources[].ResourceId",
      "TagResources[].ResourceType", "NextToken", "RequestId",
    },
    errors = tag_errors {
      "OperationDenied.QuotaExceed", "IdempotentParameterMismatch", "InvalidRegionId.NotFound",
    },
  },

  ChangeResourceGroup = {
    summary = "Moves a resource to another resource group.",
    mutating = true, token = true, region = "resource", timeout = 30, per_second = 25,
    ram = { level = "update", resource = ONE, inferred = true },
    params = {
      RegionId = param.resource_region,
      ResourceType = resource_type,
      ResourceId = { type = "string", format = "id", required = true, doc = "the resource" },
      NewResourceGroupId = shared.with("resource_group", {
        required = true, doc = "resource group to move it to",
      }),
      ClientToken = param.token,
    },
    response = response.accepted,
    errors = shared.younger_errors {
      "OperationDenied.QuotaExceed", "InvalidResourceType.NotFound", "InvalidResourceId.NotFound",
      "InvalidResourceGroup.NotFound", "MissingParameter.ResourceGroup",
      "MissingParameter.ResourceType",
    },
  },

  DescribeUserTagKeys = keys,
  DescribeUserTagValues = values,
}
