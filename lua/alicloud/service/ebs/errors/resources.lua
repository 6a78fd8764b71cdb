--- The errors of drills, tags and resource groups, a newer layer of the service with its own codes.
-- Source: error tables of the published metadata, 2024-07-30. Some of their messages have
-- placeholders, so none is given here.

local api_error = require "alicloud.service.common.api_error"

return {
  ["InvalidParameter.Conflict"] = api_error(400, nil,
    "Parameters that depend on each other do not fit together.",
    "read which ones the message names; drills want PairId or GroupId and the DrillId that belongs "
      .. "to it"),
  ["InvalidParameter.Format"] = api_error(400, nil,
    "A parameter is not written as it should be.",
    "correct the parameter that the message names; ids come whole and without spaces"),
  ["MissingParameter.ResourceType"] = api_error(404, nil,
    "ResourceType is missing.",
    "add ResourceType: diskreplicapair or diskreplicagroup"),
  ["MissingParameter.ResourceGroup"] = api_error(404, nil,
    "The resource group to move to is missing.",
    "add NewResourceGroupId"),
  ["NumberExceed.ResourceIds"] = api_error(400, nil,
    "More than 50 resources in one call.",
    "split the list into calls of at most 50"),
  ["NumberExceed.Tags"] = api_error(400, nil,
    "More than 20 tags in one call, or on one resource.",
    "take tags off, or split the call"),
  ["Duplicate.TagKey"] = api_error(400, nil,
    "The same tag key stands twice in the call.",
    "leave each key once"),
  ["InvalidResourceType.NotFound"] = api_error(404, nil,
    "The service does not know this ResourceType.",
    "use diskreplicapair or diskreplicagroup"),
  ["InvalidResourceId.NotFound"] = api_error(404, nil,
    "The region asked does not have one of the resources.",
    "check the ids, that ResourceType is theirs, and that RegionId is their region"),
  ["InvalidRegionId.NotFound"] = api_error(404, nil,
    "There is no such region.",
    "compare it with what DescribeRegions lists"),
  ["InvalidResourceGroup.NotFound"] = api_error(404, nil,
    "There is no such resource group in this account.",
    "look its id up in the resource management console; it begins with rg-"),
  ["NoPermission.SLR"] = api_error(403, nil,
    "The service wants its role AliyunServiceLinkedRoleForEBS, and these credentials may not "
      .. "create it.",
    "have an administrator create the role once, or grant ram:CreateServiceLinkedRole; a failover "
      .. "does not need it"),
}
