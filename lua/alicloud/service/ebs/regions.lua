--- Where replication is available, and from which zone to which.

local response = require "alicloud.service.common.response"
local shared = require "alicloud.service.ebs.shared"

local param = shared.params

return {
  DescribeRegions = {
    summary = "Lists the regions and zones of a storage feature.",
    mutating = false, token = false, region = "either", timeout = 10, per_second = 40,
    ram = { level = "get", resource = "*" },
    params = {
      RegionId = shared.with("region", { required = false }),
      ResourceType = {
        type = "string", values = { "ear", "lens", "dbsc" },
        doc = "ear is asynchronous replication; say it, the default is not always that",
      },
      AcceptLanguage = {
        type = "string", values = { "zh-CN", "en-US", "ja" }, default = "zh-CN",
        doc = "language of LocalName",
      },
    },
    response = response.of {
      "Regions[].RegionId", "Regions[].LocalName", "Regions[].RegionEndpoint",
      "Regions[].Zones[].ZoneId", "Regions[].Zones[].LocalName",
      "Regions[].Zones[].ResourceTypes[]", "RequestId",
    },
    errors = shared.errors(),
  },

  -- The error table of this operation is not published.
  ListReplicaEdgeSupported = {
    summary = "Lists the zones to which a zone can replicate.",
    mutating = false, token = false, region = "source", timeout = 10,
    ram = { level = "list", resource = "*", inferred = true },
    params = {
      RegionId = param.source_region,
      Azone = { type = "string", format = "id", required = true, doc = "zone to replicate from" },
      MaxResults = { type = "integer", min = 1, doc = "items per page" },
      NextToken = param.next_token,
    },
    paging = {
      items = "SupportedRegions", input = "NextToken", output = "NextToken", limit = "MaxResults",
    },
    response = response.of {
      "SupportedRegions[].RegionId", "SupportedRegions[].Zones[].ZoneId",
      { "SupportedRegions[].Zones[].SupportRtc", "boolean" }, { "MaxResults", "integer" },
      "NextToken", "RequestId",
    },
    errors = shared.errors(),
  },
}
