--- Public evidence on each assumption of the emulator: documents, the vendor's own code, and
-- answers that others published. First the assumptions that a read can settle, then the others.

local M = {}

---@class alicloud.emulator.Evidence
---@field strength "confirmed"|"leaning"|"contradicted"|"unknown"  of the switch's default
---@field toward any  the switch's value that the evidence supports; nil: none
---@field text string  what the sources show
---@field source string  names of public sources
---@field decided_by string  the cheapest observation that would settle it
---@field tier "read"|"burst"|"drill"|"throwaway"|"cannot"|"none"  calls that the observation needs

-- In the order of listings.
M.STRENGTHS = { "confirmed", "leaning", "unknown", "contradicted" }

local PROVIDER = "GitHub aliyun/terraform-provider-alicloud"
local METADATA = "GitHub dew-serverless/acs-sdk-php, data/ebs/2021-07-30/api-docs.json"
local GROUPS_PAGE = "alibabacloud.com help, DescribeDiskReplicaGroups (2026)"
local LENS_PAGE = "alibabacloud.com help, DescribeLensMonitorDisks (2026)"
local RPC_PAGE = "help.aliyun.com/zh/vod/calling-methods"
local GROUP_RESOURCE = PROVIDER .. ", resource_alicloud_ebs_disk_replica_group.go"
local GROUP_TEST = PROVIDER .. ", resource_alicloud_ebs_disk_replica_group_test.go"
local PAIR_TEST = PROVIDER .. ", resource_alicloud_ebs_disk_replica_pair_test.go"
local TOKENS_PAGE = "help.aliyun.com/document_detail/25693.html"
local CSI = "GitHub kubernetes-sigs/alibaba-cloud-csi-driver"

---@type table<string, alicloud.emulator.Evidence>  by the name of the switch
M.of = {
  edges = { strength = "contradicted", tier = "read",
    text = "The page on limits has a list that differs from zone to zone, so not every zone "
      .. "replicates to every other.",
    source = "alibabacloud.com help, limits of async replication",
    decided_by = "ListReplicaEdgeSupported for each zone; its answers become the world's list" },
  user_tags = { strength = "unknown", tier = "read",
    text = "No page shows an answer of DescribeUserTagKeys or DescribeUserTagValues.",
    source = "none found",
    decided_by = "both calls: the names of the fields in their answers" },
  messages = { strength = "leaning", toward = "fixed", tier = "read",
    text = "The metadata has a text for every code of block storage, the help pages for those of "
      .. "ECS, published answers for five of the gateway's. Whether block storage says them so "
      .. "was seen nowhere.",
    source = METADATA .. "; GitHub AlibabaCloudDocs/ecs; issues jeessy2/ddns-go 936, 1291",
    decided_by = "compare the text of every refusal that is met" },
  endpoint_region = { strength = "leaning", toward = "match", tier = "read",
    text = "ECS refuses such a request, and users of the vendor's CLI got an error or an empty "
      .. "list. Nothing was found of block storage.",
    source = "GitHub issues aliyun/alibaba-cloud-sdk-go 440, aliyun/aliyun-cli 313 and pull "
      .. "request 566",
    decided_by = "DescribeDiskReplicaGroups at the endpoint of one region with the RegionId of "
      .. "another and a known id: a list, a refusal, or an empty list" },
  ecs_endpoint_region = { strength = "confirmed", toward = "match", tier = "read",
    text = "ECS answered InvalidOperation.NotSupportedEndpoint to a region that its endpoint does "
      .. "not serve.",
    source = "GitHub issue aliyun/alibaba-cloud-sdk-go 440, pull request banzaicloud/cloudinfo 358",
    decided_by = "DescribeDisks at the endpoint of one region with the RegionId of another" },
  site_default = { strength = "leaning", toward = "production", tier = "read",
    text = "The page says that without Site the records of the production site are returned, and "
      .. "that Site is for pairs of one region. Of pairs across regions it says nothing.",
    source = GROUPS_PAGE,
    decided_by = "Describe a known id at its recovery region without Site, with production, and "
      .. "with backup" },
  site_direction = { strength = "leaning", toward = "current", tier = "read",
    text = "The page calls Source the side of now and Primary that of the beginning, and ties "
      .. "Site to the production site.",
    source = GROUPS_PAGE,
    decided_by = "a reversed group, asked at its Primary region with Site=production" },
  describe_unknown = { strength = "confirmed", toward = "empty", tier = "read",
    text = "A test of the vendor's provider asks for a made-up group and wants no record and no "
      .. "error. Its resource knows NoSuchResource as well.",
    source = PROVIDER .. ", data_source_alicloud_ebs_disk_replica_groups_test.go",
    decided_by = "DescribeDiskReplicaGroups with an id that cannot exist" },
  page_bounds = { strength = "leaning", toward = "clamp", tier = "read",
    text = "A sibling operation counts every number above the limit as the limit.",
    source = LENS_PAGE,
    decided_by = "MaxResults=501, PageSize=101, MaxResults=0: a refusal, or the size in the "
      .. "answer" },
  last_token = { strength = "leaning", toward = "absent", tier = "read",
    text = "The page of a sibling operation says that NextToken is not returned where there is no "
      .. "more.",
    source = LENS_PAGE,
    decided_by = "a list of one page: is the key there" },
  site_status = { strength = "leaning", toward = "own", tier = "cannot",
    text = "The page speaks of records and status at the site that is named, so the two sites may "
      .. "tell different ones, in an outage above all.",
    source = GROUPS_PAGE,
    decided_by = "the same id at both sites within a second, while one region is down" },
  empty_pair_ids = { strength = "leaning", toward = "absent", tier = "read",
    text = "After an Add the vendor's provider waits until PairIds is not null, which an empty "
      .. "list would satisfy at once. Weak.",
    source = PROVIDER .. ", service_alicloud_ebs_v2.go",
    decided_by = "an empty group: is the key there" },
  tag_resource_type = { strength = "unknown", tier = "read",
    text = "The description of the field lists the long words, the sample answer says pair, and "
      .. "the vendor's provider sends DiskReplicaPair.",
    source = METADATA .. "; " .. PROVIDER,
    decided_by = "ListTagResources of a group that has a tag" },
  default_format = { strength = "unknown", tier = "read",
    text = "The general page says XML for the older signatures, the pages of VPC say JSON. Nothing "
      .. "is said of V3.",
    source = RPC_PAGE,
    decided_by = "a V3 call without Accept and Format: is it JSON" },
  default_format_rpc = { strength = "leaning", toward = "XML", tier = "read",
    text = "The general page says XML, and a user got XML though the client asked for JSON. The "
      .. "pages of VPC say JSON.",
    source = RPC_PAGE .. "; GitHub issue aliyun/alibaba-cloud-sdk-go 89",
    decided_by = "a call with an RPC signature, without Format and Accept" },
  signature_status = { strength = "confirmed", toward = 400, tier = "read",
    text = "Users published the answer many times, with HTTP 400 where they told the status.",
    source = "GitHub issues jeessy2/ddns-go 936, 375; openwrt/packages 27670",
    decided_by = "a call with a wrong secret" },
  access_key_status = { strength = "confirmed", toward = 404, tier = "read",
    text = "RDS, monitoring, DNS and containers answer 404.",
    source = "GitHub issues honwen/aliyun-ddns-cli 24, aylei/aliyun-exporter 36, "
      .. "aliyun/ack-set-context 2",
    decided_by = "a call with a made-up key" },
  unknown_action = { strength = "confirmed", toward = "InvalidAction.NotFound", tier = "read",
    text = "ECS, image search and containers answer InvalidAction.NotFound. InvalidApi.NotFound "
      .. "was seen where the operation exists and is not open to the caller.",
    source = "GitHub aliyun/aliyun-cli pull request 415; issues aliyun/openapi-sdk-php-client 230, "
      .. "certd/certd 167, aliyun/aliyun-openapi-python-sdk 129",
    decided_by = "a made-up Action, and one of another product" },
  time_window = { strength = "confirmed", toward = 900, tier = "read",
    text = "The page on the V3 signature says fifteen minutes, and so does a report of a user.",
    source = "alibabacloud.com/help/en/doc-detail/2593177.htm; GitHub issue "
      .. "Skyline-Gazer/CFWorker4AliCDT 16",
    decided_by = "ever older and newer x-acs-date, fifteen calls each way" },
  time_window_rpc = { strength = "leaning", toward = 1860, tier = "read",
    text = "The page on the older signature says thirty-one minutes, the page of the error code "
      .. "fifteen.",
    source = RPC_PAGE .. "; GitHub issue overtrue/laravel-mail-aliyun 4",
    decided_by = "ever older and newer Timestamp, fifteen calls each way" },
  throttle = { strength = "contradicted", tier = "burst",
    text = "Quotas are published, so the service refuses at some rate; the emulator does not "
      .. "unless it is told to. For sibling operations a blocked caller's code is published too.",
    source = LENS_PAGE .. "; " .. METADATA,
    decided_by = "many fast reads of one cheap operation: none refused, free again in the next "
      .. "second, or shut until the full minute" },
  block_code = { strength = "leaning", toward = "BLOCK.LimitedRequest", tier = "burst",
    text = "The metadata has this spelling for five sibling operations; the page of the product's "
      .. "codes has the other one.",
    source = METADATA .. "; help.aliyun.com, ECS, error codes of ebs 2021-07-30",
    decided_by = "the burst that decides throttle" },
  throttle_limit = { strength = "leaning", toward = 0, tier = "burst",
    text = "The quota table has 40 requests a second, and 10 for drills.",
    source = "alibabacloud.com help, quotas of block storage",
    decided_by = "the burst that decides throttle" },
  wall_clock = { strength = "unknown", tier = "none",
    text = "The service has one clock. The switch is for clients of the emulator only.",
    source = "none needed",
    decided_by = "nothing: there is no such thing at the service" },

  dark_site = { strength = "unknown", tier = "cannot",
    text = "Nobody has published what the service does while a site is down.",
    source = "none found",
    decided_by = "a recorded outage" },
  timings = { strength = "leaning", toward = "fixed", tier = "throwaway",
    text = "Only the waits of the vendor's provider bound them: five minutes to create, delete, "
      .. "drill and clear, twenty for a first copy of a blank disk, a failover and a reversal.",
    source = GROUP_RESOURCE .. "; resource_alicloud_ebs_replica_group_drill.go",
    decided_by = "a whole life, looked at every two seconds" },
  busy_primary = { strength = "leaning", toward = "refuse", tier = "throwaway",
    text = "The page demands that the old primary disk be detached, and names no code.",
    source = METADATA .. ", ReprotectDiskReplicaGroup",
    decided_by = "attach a source disk to a running instance after a failover, then reprotect" },
  delete_side = { strength = "leaning", toward = "source", tier = "throwaway",
    text = "The page says that a pair must be deleted where its primary disk is.",
    source = METADATA .. ", DeleteDiskReplicaPair",
    decided_by = "DeleteDiskReplicaPair at the recovery region" },
  delete_created = { strength = "confirmed", toward = "allow", tier = "throwaway",
    text = "Two tests of the vendor's provider create pairs, never start them, and delete them "
      .. "within five minutes. The page does not list created.",
    source = PAIR_TEST,
    decided_by = "delete a pair that was never started" },
  token_everywhere = { strength = "leaning", toward = "heed", tier = "throwaway",
    text = "The metadata has ClientToken for the start of drills and for tags, and the provider "
      .. "sends one there without being refused.",
    source = METADATA .. "; " .. PROVIDER,
    decided_by = "TagResources twice with one token and another value" },
  attach_secondary = { strength = "unknown", tier = "throwaway",
    text = "The page says that a secondary disk can be attached once its pair is deleted. Of the "
      .. "states before nothing is said.",
    source = METADATA .. ", DeleteDiskReplicaPair",
    decided_by = "AttachDisk of the secondary while stopped, and while normal" },
  standby_attached = { strength = "leaning", toward = "running", tier = "throwaway",
    text = "The cure on the page is to shut the machine of the secondary disk down or to detach "
      .. "it, so a stopped machine may do no harm.",
    source = "help.aliyun.com/document_detail/354205.html",
    decided_by = "attach the secondary to a stopped instance, then start replication" },
  first_full_sync = { strength = "leaning", toward = "refuse", tier = "throwaway",
    text = "The page demands a finished first copy before a failover, and names no code.",
    source = METADATA .. ", FailoverDiskReplicaGroup",
    decided_by = "a first start with OneShot, and a failover before LastRecoverPoint is there" },
  failover_states = { strength = "leaning", toward = "documented", tier = "throwaway",
    text = "The page lists nine states from which a group fails over, and the table has "
      .. "InvalidStatus. No answer was published.",
    source = METADATA .. ", FailoverDiskReplicaGroup",
    decided_by = "a failover of a group that is created and has a pair" },
  wrong_side = { strength = "unknown", tier = "throwaway",
    text = "The failover's table has both codes. The provider's tests stay in one region, which "
      .. "cannot tell them apart.",
    source = METADATA .. "; " .. GROUP_TEST,
    decided_by = "a failover with the RegionId of the production region" },
  side_names = { strength = "unknown", tier = "throwaway",
    text = "Nobody says whether Primary in the codes means the side of now or of the beginning.",
    source = "none found",
    decided_by = "after a reversal, a failover at the production side of now" },
  group_home = { strength = "unknown", tier = "throwaway",
    text = "The page asks for the region of the group, and the provider's tests have one only.",
    source = METADATA .. "; " .. GROUP_TEST,
    decided_by = "a start at the recovery region, before a reversal and after it" },
  modify_side = { strength = "leaning", toward = "source", tier = "throwaway",
    text = "The table has the codes of a wrong side, and does not say which side is wrong.",
    source = METADATA .. ", ModifyDiskReplicaPair",
    decided_by = "ModifyDiskReplicaPair with RPO at the recovery region" },
  pair_in_group = { strength = "leaning", toward = "deny", tier = "throwaway",
    text = "The page forbids it, and names no code.",
    source = "alibabacloud.com help, user guide of async replication",
    decided_by = "StartDiskReplicaPair of a stopped member" },
  add_mixed = { strength = "unknown", tier = "throwaway",
    text = "The page allows created and stopped for both; the provider only ever adds a created "
      .. "pair to a created group.",
    source = METADATA .. ", AddDiskReplicaPair; " .. GROUP_TEST,
    decided_by = "add a created pair to a stopped group" },
  group_first_sync = { strength = "unknown", tier = "throwaway",
    text = "The notes of Start say initial_syncing; the list of the field's values and the "
      .. "provider's list of allowed ones lack it.",
    source = METADATA .. "; " .. GROUP_RESOURCE,
    decided_by = "Describe right after the first start of a group" },
  reprotect_recover_point = { strength = "unknown", tier = "throwaway",
    text = "No page and no test looks at the recovery point after a reversal.",
    source = "none found",
    decided_by = "Describe after a reversal, before the next start" },
  reprotect_again = { strength = "unknown", tier = "cannot",
    text = "The page names failovered only. The provider repeats a reversal for twenty minutes on "
      .. "InvalidStatus and InternalError.",
    source = METADATA .. "; " .. GROUP_RESOURCE,
    decided_by = "a reversal that failed" },
  clear_busy = { strength = "confirmed", toward = "invalid_status", tier = "drill",
    text = "The vendor's provider clears right after it started a drill, and repeats exactly on "
      .. "OperationDenied.InvalidStatus.",
    source = PROVIDER .. ", resource_alicloud_ebs_replica_group_drill.go",
    decided_by = "start a drill and clear it at once" },
  describe_deleted = { strength = "leaning", toward = "show", tier = "throwaway",
    text = "After a delete the provider asks until the list is empty, and would fail on a refusal.",
    source = PROVIDER .. ", service_alicloud_ebs_v2.go",
    decided_by = "Describe by id every second after a delete" },
  repeat_failover = { strength = "leaning", toward = "noop", tier = "throwaway",
    text = "The page lists failovering and failovered among the states from which a failover is "
      .. "allowed.",
    source = METADATA .. ", FailoverDiskReplicaGroup",
    decided_by = "a second failover, and a look at once" },
  mixed_failover_states = { strength = "leaning", toward = "compatible", tier = "throwaway",
    text = "On a failover the provider repeats on InvalidStatus, and not on "
      .. "PairGroupStatusConflict.",
    source = GROUP_RESOURCE,
    decided_by = "a failover of two pairs, asked again while one is done" },
  pair_order = { strength = "leaning", toward = "together", tier = "throwaway",
    text = "The user guide says that all pairs fail over at the same time. What the record shows "
      .. "meanwhile is not said.",
    source = "alibabacloud.com help, user guide of async replication",
    decided_by = "the statuses of two pairs every second during a failover" },
  token_lifetime = { strength = "unknown", tier = "throwaway",
    text = "No edition of the page on idempotence says how long a token is known.",
    source = TOKENS_PAGE,
    decided_by = "tokens of one, ten and fifty minutes, each sent again with other words" },
  token_errors = { strength = "leaning", toward = "some", tier = "throwaway",
    text = "An engineer of the vendor found that CreateDisk keeps the token of some failures and "
      .. "not of others; the page asks for a new one when stock ran out.",
    source = CSI .. ", commits e8951c7a7 and f05e9472a, pull request 876; " .. TOKENS_PAGE,
    decided_by = "start an empty group, add a pair, and start again with the same token" },
  token_mismatch = { strength = "leaning", toward = "error", tier = "throwaway",
    text = "ECS answers so. For block storage the code is listed for CreateDiskReplicaPair and "
      .. "ListTagResources.",
    source = CSI .. ", pull request 876; " .. METADATA,
    decided_by = "CreateDiskReplicaGroup twice with one token and another Description" },
  token_pending = { strength = "leaning", toward = "error", tier = "throwaway",
    text = "ECS and EIP answer LastTokenProcessing, for which the provider repeats since 2025.",
    source = PROVIDER .. ", commits d1c66fc76 and 8b6576d08, pull request 9700",
    decided_by = "two requests at once with one token; a race that often ends undecided" },
}

return M
