--- Switches of the model. "assumed" ones are choices where no public document decides;
-- "hostile" ones make the service worse than documented, to find clients that trust it too much.

local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.emulator.Switch
---@field name string
---@field kind "assumed"|"hostile"
---@field default any
---@field rule alicloud.schema.Rule  allowed values
---@field text string  what the model does, and what the switch changes

local function choice(...) return { values = { ... }, type = "string" } end

local SECONDS = { type = "number", min = 0 }
local YES_NO = { type = "boolean" }

-- An assumption that is listed and has one value only: no fact suggests another model, or the
-- description of the world decides it.
local function fixed(name, text)
  return { name = name, kind = "assumed", default = "fixed", rule = choice "fixed", text = text }
end

---@type alicloud.emulator.Switch[]
M.all = {
  fixed("dark_site", "Work that needs a site which is down ends in the failed state of its "
    .. "operation; creating towards a region in maintenance gives InvalidStatus. No switch: no "
    .. "document says what else could happen."),
  fixed("edges", "Every zone may replicate to every other one. No switch: which may is not "
    .. "published, only the service's own answer tells."),
  fixed("user_tags", "The answers of DescribeUserTagKeys and DescribeUserTagValues have the fields "
    .. "of the vendor's SDK; no response table is published, so there is nothing to switch to."),
  fixed("messages", "The texts of block storage and ECS are those that the vendor publishes for "
    .. "each code; only the gateway's own are made up in part. A fault rule sets others."),
  fixed("timings", "How long states last is made up, within the time limits of the vendor's "
    .. "provider and its tests: 5 minutes to create, delete, drill and clear, 20 for a first copy "
    .. "of 20 GiB, a failover and a reversal. The field timings of a world sets it."),
  { name = "busy_primary", kind = "assumed", default = "refuse", rule = choice("refuse", "allow"),
    text = "A reversal while an old primary disk is attached to an instance that is not stopped "
      .. "gives OperationDenied; the document asks for the disk to be free and names no code." },
  { name = "delete_side", kind = "assumed", default = "source", rule = choice("source", "either"),
    text = "Deleting a pair anywhere but at its source region gives OperationDenied." },
  { name = "delete_created", kind = "assumed", default = "allow", rule = choice("allow", "refuse"),
    text = "A pair that was never started can be deleted, as the vendor's provider does in its "
      .. "tests; refuse gives OperationDenied.InvalidStatus, since the notes of the operation do "
      .. "not list created." },
  { name = "token_everywhere", kind = "assumed", default = "heed",
    rule = choice("heed", "ignore"),
    text = "Drill, tag and resource group operations heed a ClientToken if they are given one, "
      .. "as the published metadata lists the parameter for most of them; their pages do not." },
  { name = "attach_secondary", kind = "assumed", default = "idle",
    rule = choice("idle", "failovered", "any"),
    text = "A secondary disk can be attached while its pair is created, create_failed, stopped, "
      .. "failovered or invalid, else DiskError; failovered: not before a failover; any: always." },
  { name = "standby_attached", kind = "assumed", default = "any", rule = choice("any", "running"),
    text = "A start is refused with StandbyDeviceAttached while a secondary disk is attached; "
      .. "running: only while its instance is not stopped, since the vendor's cure is to shut the "
      .. "instance down or to detach the disk." },
  { name = "first_full_sync", kind = "assumed", default = "refuse",
    rule = choice("refuse", "allow"),
    text = "A failover of a group without a recovery point is refused with "
      .. "OperationDenied.InvalidStatus; the document demands the first full sync but names no "
      .. "code." },
  { name = "failover_states", kind = "assumed", default = "documented",
    rule = choice("documented", "any"),
    text = "A failover is refused in a state that its document does not list, and while the state "
      .. "of a pair differs from that of its group; any: it is taken." },
  { name = "wrong_side", kind = "assumed", default = "primary_code",
    rule = choice("primary_code", "not_found"),
    text = "A failover asked at the primary region gives OperateNotAllowedForPrimary, "
      .. "not NoSuchResource." },
  { name = "side_names", kind = "assumed", default = "initial", rule = choice("initial", "current"),
    text = "OperateNotAllowedForPrimary and …ForStandby name the side as it was at creation, as "
      .. "the fields PrimaryRegion and StandbyRegion do; current names the side as it is now." },
  { name = "group_home", kind = "assumed", default = "either",
    rule = choice("either", "source", "initial"),
    text = "Start, stop, delete, add and remove of a group are served at both sides; source: only "
      .. "at the production side of now, initial: only where the group was created." },
  { name = "modify_side", kind = "assumed", default = "source", rule = choice("source", "either"),
    text = "RPO, Bandwidth and EnableRtc are modified at the source side only, else "
      .. "OperateNotAllowedForPrimary or …ForStandby; names and descriptions at both." },
  { name = "pair_in_group", kind = "assumed", default = "deny", rule = choice("deny", "allow"),
    text = "A pair in a group cannot be started, stopped, failed over, reprotected or deleted on "
      .. "its own: OperationDenied. The document forbids it and names no code." },
  { name = "add_mixed", kind = "assumed", default = "conflict",
    rule = choice("conflict", "accept"),
    text = "A pair joins a group only in the group's own status (both created or both stopped), "
      .. "else PairGroupStatusConflict." },
  { name = "group_first_sync", kind = "assumed", default = "initial_syncing",
    rule = choice("initial_syncing", "syncing"),
    text = "A group shows its first full copy as initial_syncing, which the notes of Start say "
      .. "and the list of the field's values does not." },
  { name = "reprotect_recover_point", kind = "assumed", default = "keep",
    rule = choice("keep", "clear"),
    text = "After a reversal LastRecoverPoint stays until the first cycle in the new direction; "
      .. "clear removes it." },
  { name = "reprotect_again", kind = "assumed", default = "accept",
    rule = choice("accept", "refuse"),
    text = "Reprotection is repeated from reprotect_failed, as failover is from failover_failed; "
      .. "the usage notes name failovered only, and then there is no way out of that state." },
  { name = "clear_busy", kind = "assumed", default = "invalid_status",
    rule = choice("invalid_status", "denied"),
    text = "Clearing a drill that is executing gives OperationDenied.InvalidStatus, which the "
      .. "vendor's Terraform provider retries, not the OperationDenied of the table." },
  { name = "describe_deleted", kind = "assumed", default = "show",
    rule = choice("show", "refuse"),
    text = "A record in status deleted is shown as such; refuse answers a Describe of its id with "
      .. "the OperationDenied.InvalidStatus of the table, for which no cause is documented." },
  { name = "endpoint_region", kind = "assumed", default = "ignore",
    rule = choice("ignore", "match"),
    text = "An endpoint of block storage serves requests for another RegionId than its own; match "
      .. "refuses them with InvalidOperation.NotSupportedEndpoint." },
  { name = "ecs_endpoint_region", kind = "assumed", default = "match",
    rule = choice("match", "ignore"),
    text = "An endpoint of ECS refuses requests for another RegionId than its own with "
      .. "InvalidOperation.NotSupportedEndpoint; ignore serves them." },
  { name = "repeat_failover", kind = "assumed", default = "noop", rule = choice("noop", "restart"),
    text = "Failover of a group that is failovering or failovered succeeds and changes nothing; "
      .. "restart begins the failover again (a second effect)." },
  { name = "mixed_failover_states", kind = "assumed", default = "compatible",
    rule = choice("compatible", "conflict"),
    text = "While a failover runs or has failed in part, pairs and group may differ without "
      .. "PairGroupStatusConflict." },
  { name = "pair_order", kind = "assumed", default = "staggered",
    rule = choice("staggered", "together"),
    text = "The pairs of a group turn failovered one after the other, the group last." },
  { name = "token_lifetime", kind = "assumed", default = 3600, rule = SECONDS,
    text = "A ClientToken is remembered for an hour of model time." },
  { name = "token_errors", kind = "assumed", default = "some",
    rule = choice("forget", "some", "remember"),
    text = "A refusal for a state, a quota or a want of stock occupies its ClientToken: a repeat "
      .. "gets it again, whatever has changed. Other refusals do not; forget: none does, remember: "
      .. "all do. The vendor's CSI driver found that it differs by code." },
  { name = "token_mismatch", kind = "assumed", default = "error", rule = choice("error", "first"),
    text = "A token with other parameters gives IdempotentParameterMismatch on every operation; "
      .. "first answers with the first result." },
  { name = "token_pending", kind = "assumed", default = "error", rule = choice("error", "accept"),
    text = "A repeat while the first request is still at work gives LastTokenProcessing." },
  { name = "site_default", kind = "assumed", default = "production",
    rule = choice("production", "either"),
    text = "Describe without Site shows the records whose production side is the asked region." },
  { name = "site_direction", kind = "assumed", default = "current",
    rule = choice("current", "initial"),
    text = "Site means the current direction of replication, not the one at creation." },
  { name = "site_status", kind = "assumed", default = "same", rule = choice("same", "own"),
    text = "Both sites show the same status; own: a site that is dark knows nothing new, and is "
      .. "half a minute late when it is back. The page calls the status that of the asked site." },
  { name = "describe_unknown", kind = "assumed", default = "empty",
    rule = choice("empty", "not_found"),
    text = "Describe with an id that does not exist in the region gives an empty list." },
  { name = "empty_pair_ids", kind = "assumed", default = "array",
    rule = choice("array", "absent"),
    text = "A group without pairs has an empty list PairIds; absent: it has none, since the "
      .. "vendor's provider waits until there is one." },
  { name = "last_token", kind = "assumed", default = "empty", rule = choice("empty", "absent"),
    text = "The last page has an empty NextToken; absent: it has none, as the page of a sibling "
      .. "operation says." },
  { name = "page_bounds", kind = "assumed", default = "refuse", rule = choice("refuse", "clamp"),
    text = "Paging values out of bounds give InvalidParameter." },
  { name = "default_format", kind = "assumed", default = "JSON", rule = choice("JSON", "XML"),
    text = "Without Format and without an Accept that names XML the answer to a V3 signature is "
      .. "JSON." },
  { name = "default_format_rpc", kind = "assumed", default = "XML", rule = choice("JSON", "XML"),
    text = "Without Format and without an Accept that names JSON the answer to an RPC signature "
      .. "is XML, as the vendor's page on calling methods says." },
  { name = "signature_status", kind = "assumed", default = 400, rule = { values = { 400, 403 } },
    text = "SignatureDoesNotMatch comes with HTTP 400." },
  { name = "access_key_status", kind = "assumed", default = 404, rule = { values = { 404, 400 } },
    text = "InvalidAccessKeyId.NotFound comes with HTTP 404." },
  { name = "unknown_action", kind = "assumed", default = "InvalidAction.NotFound",
    rule = choice("InvalidAction.NotFound", "InvalidApi.NotFound"),
    text = "The code for an operation that the product does not have. One that it has and this "
      .. "emulator lacks is answered as not open: InvalidApi.NotFound." },
  { name = "time_window", kind = "assumed", default = 900, rule = SECONDS,
    text = "A request with a V3 signature is good for 15 minutes before and after the server's "
      .. "clock." },
  { name = "time_window_rpc", kind = "assumed", default = 1860, rule = SECONDS,
    text = "A request with an RPC signature is good for 31 minutes, as the vendor's page on "
      .. "calling methods says." },
  { name = "throttle", kind = "assumed", default = "off", rule = choice("off", "second", "minute"),
    text = "Requests are counted by region and action. second: more than the quota of a second are "
      .. "refused with Throttling.Api and its headers; minute: then everything is refused until "
      .. "the next full minute, with the code of block_code (429) and no header." },
  { name = "block_code", kind = "assumed", default = "BLOCK.LimitedRequest",
    rule = choice("BLOCK.LimitedRequest", "BLOCK.LimitedRquest"),
    text = "How the code of a blocked minute is spelt; both spellings were seen." },
  { name = "throttle_limit", kind = "assumed", default = 0, rule = SECONDS,
    text = "Quota of every action a second; 0: the documented ones, 40, and 10 for drills." },
  { name = "tag_resource_type", kind = "assumed", default = "asked",
    rule = choice("asked", "short"),
    text = "ListTagResources names the type as it was asked; short says pair or group." },
  { name = "wall_clock", kind = "assumed", default = "accept", rule = choice("accept", "refuse"),
    text = "The window also accepts the machine's own time, because a client that has the "
      .. "machine's clock cannot follow one that stands or runs faster." },

  { name = "pair_ids", kind = "hostile", default = "array",
    rule = choice("array", "comma", "empty"),
    text = "comma: PairIds is one element with a comma-separated list, as the official sample; "
      .. "empty: it names no pair." },
  { name = "pair_count_off", kind = "hostile", default = 0, rule = { type = "integer", min = -9 },
    text = "PairNumber is wrong by so many." },
  { name = "mixed_pairs", kind = "hostile", default = false, rule = YES_NO,
    text = "The last pair of a group is shown one state further within a cycle or a stop, and "
      .. "while it is, a failover is refused with PairGroupStatusConflict." },
  { name = "odd_look", kind = "hostile", default = 0, rule = { type = "integer", min = 0 },
    text = "The look at a group that has this number shows its sides exchanged; 0: none." },
  { name = "recover_point_as", kind = "hostile", default = "seconds",
    rule = choice("seconds", "text", "milliseconds", "rfc3339", "future", "other_direction",
      "group_absent", "absent", "zero", "empty"),
    text = "LastRecoverPoint is text, milliseconds, RFC 3339, ten minutes ahead, or two hours old "
      .. "as from before a reversal; group_absent: only pairs have one, absent: none has; zero or "
      .. "empty: it says 0 or nothing." },
  { name = "old_record", kind = "hostile", default = false, rule = YES_NO,
    text = "Describe shows groups and pairs as they were before their sides changed places: failed "
      .. "over, the other way round, and listed there." },
  { name = "membership", kind = "hostile", default = "agrees",
    rule = choice("agrees", "pairs", "group"),
    text = "What does not know yet that the last pair has joined its group: pairs, the lists of "
      .. "pairs; group, the group itself, which counts and names one less." },
  { name = "group_ahead", kind = "hostile", default = false, rule = YES_NO,
    text = "The group says failovered, stopped or normal before its pairs do." },
  { name = "empty_list", kind = "hostile", default = false, rule = YES_NO,
    text = "Describe answers with an empty list." },
  { name = "short_list", kind = "hostile", default = 0, rule = { type = "integer", min = 0 },
    text = "Describe loses that many records at the end of each page." },
  { name = "stale_read", kind = "hostile", default = 0, rule = SECONDS,
    text = "Describe shows the state of that many model seconds ago." },
  { name = "unknown_status", kind = "hostile", default = "", rule = { type = "string" },
    text = "This word stands in place of failovering in every Describe." },
  { name = "permissive", kind = "hostile", default = false, rule = YES_NO,
    text = "A failover in the wrong region is accepted." },
  { name = "token_errors_random", kind = "hostile", default = false, rule = YES_NO,
    text = "Whether a refusal occupies its ClientToken is left to chance." },
  { name = "token_forget", kind = "hostile", default = false, rule = YES_NO,
    text = "ClientTokens are forgotten at once." },
}

local BY_KIND = { assumed = {}, hostile = {} }
for _, switch in ipairs(M.all) do BY_KIND[switch.kind][switch.name] = switch.rule end

--- The settings of an emulator with every switch at its default.
---@return table<string, any>
function M.defaults()
  local settings = {}
  for _, switch in ipairs(M.all) do settings[switch.name] = switch.default end
  return settings
end

--- Returns settings with changes to switches of one kind. The given table is not modified, because
-- several emulators may share it.
---@param settings table<string, any>
---@param changes table<string, any>|nil
---@param kind "assumed"|"hostile"
---@return table<string, any>|nil settings
---@return string|nil problem
function M.apply(settings, changes, kind)
  if changes == nil then return settings end
  local problem = schema.problem(changes, BY_KIND[kind])
  if problem then return nil, problem end
  return tables.merged(settings, changes)
end

--- Reads `name=value` as typed on a command line.
---@param text string
---@param kind "assumed"|"hostile"
---@return table<string, any>|nil changes
---@return string|nil problem
function M.parse(text, kind)
  local name, value = text:match("^([%w_]+)=(.*)$")
  if not name then name, value = text, "true" end
  if value == "true" or value == "false" then value = value == "true" end
  local changes = { [name] = math.tointeger(value) or tonumber(value) or value }
  local problem = schema.problem(changes, BY_KIND[kind])
  if problem then return nil, problem end
  return changes
end

return M
