--- The errors of drills, tags and resource groups, a younger layer with words of its own.
-- Source: error tables of the published metadata, 2024-07-30. Some of their messages have gaps to
-- fill, so none is given here.

return {
  ["InvalidParameter.Conflict"] = {
    status = 400,
    meaning = "Parameters that depend on each other do not fit together.",
    cure = "read which ones the message names; drills want PairId or GroupId and the DrillId that "
      .. "belongs to it",
  },
  ["InvalidParameter.Format"] = {
    status = 400,
    meaning = "A parameter is not written as it should be.",
    cure = "correct the parameter that the message names; ids come whole and without spaces",
  },
  ["MissingParameter.ResourceType"] = {
    status = 404,
    meaning = "ResourceType is missing.",
    cure = "add ResourceType: diskreplicapair or diskreplicagroup",
  },
  ["MissingParameter.ResourceGroup"] = {
    status = 404,
    meaning = "The resource group to move to is missing.",
    cure = "add NewResourceGroupId",
  },
  ["NumberExceed.ResourceIds"] = {
    status = 400,
    meaning = "More than 50 resources in one call.",
    cure = "split the list into calls of at most 50",
  },
  ["NumberExceed.Tags"] = {
    status = 400,
    meaning = "More than 20 tags in one call, or on one resource.",
    cure = "take tags off, or split the call",
  },
  ["Duplicate.TagKey"] = {
    status = 400,
    meaning = "The same tag key stands twice in the call.",
    cure = "leave each key once",
  },
  ["InvalidResourceType.NotFound"] = {
    status = 404,
    meaning = "The service does not know this ResourceType.",
    cure = "use diskreplicapair or diskreplicagroup",
  },
  ["InvalidResourceId.NotFound"] = {
    status = 404,
    meaning = "The region asked does not have one of the resources.",
    cure = "check the ids, that ResourceType is theirs, and that RegionId is their region",
  },
  ["InvalidRegionId.NotFound"] = {
    status = 404,
    meaning = "There is no such region.",
    cure = "compare it with what DescribeRegions lists",
  },
  ["InvalidResourceGroup.NotFound"] = {
    status = 404,
    meaning = "There is no such resource group in this account.",
    cure = "look its id up in the resource management console; it begins with rg-",
  },
  ["NoPermission.SLR"] = {
    status = 403,
    meaning = "The service wants its role AliyunServiceLinkedRoleForEBS, and these credentials "
      .. "may not create it.",
    cure = "have an administrator create the role once, or grant ram:CreateServiceLinkedRole; a "
      .. "failover does not need it",
  },
}
