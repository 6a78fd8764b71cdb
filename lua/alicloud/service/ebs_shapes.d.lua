---@meta

--- Parameters and results of operations of ebs 2021-07-30. Made by `make types` from the service data; change that instead.

---@class alicloud.ebs.AddDiskReplicaPairParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the group, which is its production region; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaGroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field ReplicaPairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.ChangeResourceGroupParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field NewResourceGroupId string resource group to move it to; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field RegionId? string region of the resource; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceId string the resource; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field ResourceType string what the ids are of; diskreplicapair or diskreplicagroup or dedicatedblockstoragecluster

---@class alicloud.ebs.ClearPairDrillParams
---@field DrillId string the drill, as its start call named it; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field PairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field RegionId? string region where the drill took place, that of the secondary disks; a region id such as cn-shanghai (lower-case letters, digits and hyphens)

---@class alicloud.ebs.ClearReplicaGroupDrillParams
---@field DrillId string the drill, as its start call named it; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field GroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field RegionId? string region where the drill took place, that of the secondary disks; a region id such as cn-shanghai (lower-case letters, digits and hyphens)

---@class alicloud.ebs.CreateDiskReplicaGroupParams
---@field Bandwidth? integer not open for public use; an integer of at least 0 (Kbit/s)
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field Description? string what it is for; 2-256 characters, not beginning with http:// or https://
---@field DestinationRegionId string region of the secondary disks; may be the same, in another zone; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field DestinationZoneId string zone of the secondary disks; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field EnableRtc? boolean replication time control; false if absent
---@field GroupName? string name of the group; 2-128 letters, digits and : _ - with a letter first, not http:// or https://
---@field RPO? 900 recovery point objective; it overrides that of the pairs (s)
---@field RegionId? string region of the primary disks, where production runs; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceGroupId? string resource group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field SourceZoneId string zone of the primary disks; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field Tag? { Key?: string, Value?: string }[] tags of the new resource; a list of at most 20

---@class alicloud.ebs.CreateDiskReplicaGroupResult
---@field ReplicaGroupId? string
---@field RequestId string

---@class alicloud.ebs.CreateDiskReplicaPairParams
---@field Bandwidth? 10240|20480|51200|102400 bandwidth to pay ahead for; with PREPAY 10240 unless given (Kbit/s)
---@field ChargeType? "PREPAY"|"POSTPAY" pay for bandwidth ahead, or for traffic afterwards; POSTPAY if absent
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field Description? string what it is for; 2-256 characters, not beginning with http:// or https://
---@field DestinationDiskId string the secondary disk: same category, performance level and size, not attached; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field DestinationRegionId string region of the secondary disks; may be the same, in another zone; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field DestinationZoneId string zone of the secondary disks; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field DiskId string the primary disk; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field EnableRtc? boolean replication time control; false if absent
---@field PairName? string name of the pair; 2-128 letters, digits and : _ . - with a letter first, not http:// or https://
---@field Period? 1|2|3|6|12|24|36|60 how long to pay ahead (months)
---@field PeriodUnit? "Month" unit of Period
---@field RPO? 900 recovery point objective (s)
---@field RegionId? string region of the primary disks, where production runs; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceGroupId? string resource group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field SourceZoneId string zone of the primary disks; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field Tag? { Key?: string, Value?: string }[] tags of the new resource; a list of at most 20

---@class alicloud.ebs.CreateDiskReplicaPairResult
---@field ReplicaPairId? string
---@field OrderId? string
---@field RequestId string

---@class alicloud.ebs.DeleteDiskReplicaGroupParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the group, which is its production region; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaGroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.DeleteDiskReplicaPairParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the primary disks, where production runs; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaPairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.DescribeDiskReplicaGroupsParams: alicloud.PageParams
---@field GroupIds? string|string[] groups to read; all if absent; 1-100 ids, comma-separated text or a list
---@field MaxResults? integer items per page; an integer from 1 to 500; 10 if absent
---@field Name? string part of the name; text without control characters
---@field RegionId? string either region of the group; see Site; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceGroupId? string resource group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field Site? "production"|"backup" which site the region is in the wanted records; production if absent
---@field Tag? { Key?: string, Value?: string }[] resources that carry all these tags; a list of at most 20

---@class alicloud.ebs.DescribeDiskReplicaGroupsResult.ReplicaGroups.Tags
---@field TagKey? string
---@field TagValue? string

---@class alicloud.ebs.DescribeDiskReplicaGroupsResult.ReplicaGroups
---@field ReplicaGroupId? string
---@field GroupName? string
---@field Description? string
---@field Status? string
---@field SourceRegionId? string
---@field SourceZoneId? string
---@field DestinationRegionId? string
---@field DestinationZoneId? string
---@field PrimaryRegion? string
---@field PrimaryZone? string
---@field StandbyRegion? string
---@field StandbyZone? string
---@field Site? string
---@field RPO? integer s
---@field LastRecoverPoint? integer unix s
---@field PairIds? string[]
---@field PairNumber? integer
---@field Bandwidth? integer Kbit/s
---@field EnableRtc? boolean
---@field ResourceGroupId? string
---@field Tags? alicloud.ebs.DescribeDiskReplicaGroupsResult.ReplicaGroups.Tags[]

---@class alicloud.ebs.DescribeDiskReplicaGroupsResult: alicloud.Page
---@field ReplicaGroups alicloud.ebs.DescribeDiskReplicaGroupsResult.ReplicaGroups[]

---@class alicloud.ebs.DescribeDiskReplicaPairProgressParams
---@field RegionId? string region of the primary or of the secondary disk; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaPairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.DescribeDiskReplicaPairProgressResult
---@field Progress? integer percent
---@field RecoverPoint? integer unix s
---@field RequestId string

---@class alicloud.ebs.DescribeDiskReplicaPairsParams: alicloud.PageParams
---@field MaxResults? integer items per page; an integer from 1 to 500; 10 if absent
---@field Name? string part of the name; text without control characters
---@field PairIds? string|string[] pairs to read; all if absent; 1-100 ids, comma-separated text or a list
---@field RegionId? string region of the primary or of the secondary disk; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaGroupId? string members of this group; "-" for pairs in no group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field ResourceGroupId? string resource group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field Site? "production"|"backup" which site the region is in the wanted records; production if absent
---@field Tag? { Key?: string, Value?: string }[] resources that carry all these tags; a list of at most 20

---@class alicloud.ebs.DescribeDiskReplicaPairsResult.ReplicaPairs.Tags
---@field TagKey? string
---@field TagValue? string

---@class alicloud.ebs.DescribeDiskReplicaPairsResult.ReplicaPairs
---@field ReplicaPairId? string
---@field PairName? string
---@field Description? string
---@field Status? string
---@field StatusMessage? string
---@field SourceRegion? string
---@field SourceZoneId? string
---@field SourceDiskId? string
---@field DestinationRegion? string
---@field DestinationZoneId? string
---@field DestinationDiskId? string
---@field PrimaryRegion? string
---@field PrimaryZone? string
---@field StandbyRegion? string
---@field StandbyZone? string
---@field Site? string
---@field ReplicaGroupId? string
---@field ReplicaGroupName? string
---@field RPO? integer s
---@field LastRecoverPoint? integer unix s
---@field CreateTime? integer unix s
---@field ExpiredTime? integer unix s
---@field Bandwidth? integer Kbit/s
---@field ChargeType? string
---@field EnableRtc? boolean
---@field ResourceGroupId? string
---@field Tags? alicloud.ebs.DescribeDiskReplicaPairsResult.ReplicaPairs.Tags[]

---@class alicloud.ebs.DescribeDiskReplicaPairsResult: alicloud.Page
---@field ReplicaPairs alicloud.ebs.DescribeDiskReplicaPairsResult.ReplicaPairs[]

---@class alicloud.ebs.DescribePairDrillsParams: alicloud.PageParams
---@field DrillId? string only this drill; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field MaxResults? integer items per page; an integer from 1 to 500; 10 if absent
---@field PairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field RegionId? string region where the drill took place, that of the secondary disks; a region id such as cn-shanghai (lower-case letters, digits and hyphens)

---@class alicloud.ebs.DescribePairDrillsResult.Drills
---@field DrillDiskId? string
---@field DrillDiskStatus? string
---@field DrillId? string
---@field Status? string
---@field StatusMessage? string
---@field StartAt? integer unix s
---@field RecoverPoint? integer unix s

---@class alicloud.ebs.DescribePairDrillsResult: alicloud.Page
---@field Drills alicloud.ebs.DescribePairDrillsResult.Drills[]

---@class alicloud.ebs.DescribeRegionsParams
---@field AcceptLanguage? "zh-CN"|"en-US"|"ja" language of LocalName; zh-CN if absent
---@field RegionId? string region to ask; the endpoint follows it; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceType? "ear"|"lens"|"dbsc" ear is asynchronous replication; say it, the default is not always that

---@class alicloud.ebs.DescribeRegionsResult.Regions.Zones
---@field ZoneId? string
---@field LocalName? string
---@field ResourceTypes? string[]

---@class alicloud.ebs.DescribeRegionsResult.Regions
---@field RegionId? string
---@field LocalName? string
---@field RegionEndpoint? string
---@field Zones? alicloud.ebs.DescribeRegionsResult.Regions.Zones[]

---@class alicloud.ebs.DescribeRegionsResult
---@field Regions alicloud.ebs.DescribeRegionsResult.Regions[]
---@field RequestId string

---@class alicloud.ebs.DescribeReplicaGroupDrillsParams: alicloud.PageParams
---@field DrillId? string only this drill; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field GroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field MaxResults? integer items per page; an integer from 1 to 500; 10 if absent
---@field RegionId? string region where the drill took place, that of the secondary disks; a region id such as cn-shanghai (lower-case letters, digits and hyphens)

---@class alicloud.ebs.DescribeReplicaGroupDrillsResult.Drills.PairsInfo
---@field PairId? string
---@field DrillDiskId? string
---@field DrillDiskStatus? string

---@class alicloud.ebs.DescribeReplicaGroupDrillsResult.Drills
---@field GroupId? string
---@field PairsInfo? alicloud.ebs.DescribeReplicaGroupDrillsResult.Drills.PairsInfo[]
---@field DrillId? string
---@field Status? string
---@field StatusMessage? string
---@field StartAt? integer unix s
---@field RecoverPoint? integer unix s

---@class alicloud.ebs.DescribeReplicaGroupDrillsResult: alicloud.Page
---@field Drills alicloud.ebs.DescribeReplicaGroupDrillsResult.Drills[]

---@class alicloud.ebs.DescribeUserTagKeysParams
---@field MaxResults? integer items per page; an integer from 1 to 100; 10 if absent
---@field NextToken? string from the page before; page numbers are ignored with it; text without control characters
---@field RegionId? string region to ask; the endpoint follows it; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field TagFilterKey? string part of the key; text without control characters

---@class alicloud.ebs.DescribeUserTagKeysResult
---@field TagKeys string[]
---@field MaxResults? integer
---@field NextToken? string
---@field RequestId string

---@class alicloud.ebs.DescribeUserTagValuesParams
---@field MaxResults? integer items per page; an integer from 1 to 100; 10 if absent
---@field NextToken? string from the page before; page numbers are ignored with it; text without control characters
---@field RegionId? string region to ask; the endpoint follows it; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field TagFilterValue? string part of the value; text without control characters
---@field TagKey? string the key; text without control characters

---@class alicloud.ebs.DescribeUserTagValuesResult
---@field TagValues string[]
---@field MaxResults? integer
---@field NextToken? string
---@field RequestId string

---@class alicloud.ebs.FailoverDiskReplicaGroupParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the secondary disks now: after a reverse, the other one; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaGroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.FailoverDiskReplicaPairParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the secondary disks now: after a reverse, the other one; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaPairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.ListReplicaEdgeSupportedParams
---@field Azone string zone to replicate from; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field MaxResults? integer items per page; an integer of at least 1
---@field NextToken? string from the page before; page numbers are ignored with it; text without control characters
---@field RegionId? string region of the primary disks, where production runs; a region id such as cn-shanghai (lower-case letters, digits and hyphens)

---@class alicloud.ebs.ListReplicaEdgeSupportedResult.SupportedRegions.Zones
---@field ZoneId? string
---@field SupportRtc? boolean

---@class alicloud.ebs.ListReplicaEdgeSupportedResult.SupportedRegions
---@field RegionId? string
---@field Zones? alicloud.ebs.ListReplicaEdgeSupportedResult.SupportedRegions.Zones[]

---@class alicloud.ebs.ListReplicaEdgeSupportedResult
---@field SupportedRegions alicloud.ebs.ListReplicaEdgeSupportedResult.SupportedRegions[]
---@field MaxResults? integer
---@field NextToken? string
---@field RequestId string

---@class alicloud.ebs.ListTagResourcesParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field NextToken? string from the page before; page numbers are ignored with it; text without control characters
---@field RegionId? string region of the resource; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceId? string[] the resources; a list of at most 50
---@field ResourceType string what the ids are of; diskreplicapair or diskreplicagroup or dedicatedblockstoragecluster
---@field Tag? { Key?: string, Value?: string }[] resources that carry all these tags; a list of at most 20

---@class alicloud.ebs.ListTagResourcesResult.TagResources
---@field TagKey? string
---@field TagValue? string
---@field ResourceId? string
---@field ResourceType? string

---@class alicloud.ebs.ListTagResourcesResult
---@field TagResources alicloud.ebs.ListTagResourcesResult.TagResources[]
---@field NextToken? string
---@field RequestId string

---@class alicloud.ebs.ModifyDiskReplicaGroupParams
---@field Bandwidth? integer not open for public use; an integer of at least 0 (Kbit/s)
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field Description? string what it is for; 2-256 characters, not beginning with http:// or https://
---@field EnableRtc? boolean replication time control; false if absent
---@field GroupName? string name of the group; 2-128 letters, digits and : _ - with a letter first, not http:// or https://
---@field RPO? 900 recovery point objective (s)
---@field RegionId? string region of the group, which is its production region; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaGroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.ModifyDiskReplicaPairParams
---@field Bandwidth? integer not open for public use; an integer of at least 0 (Kbit/s)
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field Description? string what it is for; 2-256 characters, not beginning with http:// or https://
---@field EnableRtc? boolean not for a pair inside a group; false if absent
---@field PairName? string name of the pair; 2-128 letters, digits and : _ . - with a letter first, not http:// or https://
---@field RPO? 900 recovery point objective (s)
---@field RegionId? string region of the primary or of the secondary disk; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaPairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.RemoveDiskReplicaPairParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the group, which is its production region; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaGroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field ReplicaPairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.ReprotectDiskReplicaGroupParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the secondary disks now: after a reverse, the other one; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaGroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field ReverseReplicate? boolean false cancels the failover: the next sync overwrites what the secondary has written since; true if absent

---@class alicloud.ebs.ReprotectDiskReplicaPairParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the secondary disks now: after a reverse, the other one; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaPairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field ReverseReplicate? boolean false cancels the failover: the next sync overwrites what the secondary has written since; true if absent

---@class alicloud.ebs.StartDiskReplicaGroupParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field OneShot? boolean one synchronisation now, then stop; once in half an RPO (450 s); false if absent
---@field RegionId? string region of the group, which is its production region; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaGroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.StartDiskReplicaPairParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field OneShot? boolean one synchronisation now, then stop; once in half an RPO (450 s); false if absent
---@field RegionId? string region of the primary or of the secondary disk; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaPairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.StartPairDrillParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field PairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field RegionId? string region of the secondary disks now: after a reverse, the other one; a region id such as cn-shanghai (lower-case letters, digits and hyphens)

---@class alicloud.ebs.StartPairDrillResult
---@field DrillId? string
---@field RequestId string

---@class alicloud.ebs.StartReplicaGroupDrillParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field GroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots
---@field RegionId? string region of the secondary disks now: after a reverse, the other one; a region id such as cn-shanghai (lower-case letters, digits and hyphens)

---@class alicloud.ebs.StartReplicaGroupDrillResult
---@field DrillId? string
---@field RequestId string

---@class alicloud.ebs.StopDiskReplicaGroupParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the group, which is its production region; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaGroupId string the group; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.StopDiskReplicaPairParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the primary or of the secondary disk; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ReplicaPairId string the pair; an id of 1-64 letters, digits, hyphens, underscores and dots

---@class alicloud.ebs.TagResourcesParams
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the resource; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceId string[] the resources; a list of 1-50
---@field ResourceType string what the ids are of; diskreplicapair or diskreplicagroup or dedicatedblockstoragecluster
---@field Tag { Key: string, Value: string }[] the tags; a list of 1-20

---@class alicloud.ebs.UntagResourcesParams
---@field All? boolean take all tags off; only without TagKey; false if absent
---@field ClientToken? string idempotency token; one per intent, made when absent; other parameters need another one, after a refusal, too; 1-64 printable ASCII characters
---@field RegionId? string region of the resource; a region id such as cn-shanghai (lower-case letters, digits and hyphens)
---@field ResourceId string[] the resources; a list of 1-50
---@field ResourceType string what the ids are of; diskreplicapair or diskreplicagroup or dedicatedblockstoragecluster
---@field TagKey? string[] the tags to take off; a list of at most 20
