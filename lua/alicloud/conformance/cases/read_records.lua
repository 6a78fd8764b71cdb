--- Observes what lists and records show: sites, ids, pages, tags, edges.

local ask = require "alicloud.conformance.ask"
local core = require "alicloud.core"

local function describe_unknown(probe, lab)
  local id = "pg-doesnotexist" .. probe.client.runtime.random_hex(4)
  local groups, exchange = ask.groups(probe, lab.region, { GroupIds = id })
  if groups and #groups == 0 then return "empty", "an id that nobody has gives an empty list" end
  if groups then return nil, "a made-up id gave a record" end
  if exchange.code == "NoSuchResource" then return "not_found", "404 NoSuchResource" end
  return exchange.code, "refused with " .. ask.word(exchange)
end

local OUT_OF_BOUNDS = { { MaxResults = "501" }, { PageSize = "101", PageNumber = "1" },
  { MaxResults = "0" } }

local function page_bounds(probe, lab)
  local seen, words = {}, {}
  for i, params in ipairs(OUT_OF_BOUNDS) do
    local groups, exchange = ask.groups(probe, lab.region, params)
    local is_refused = (exchange.code or ""):find "^InvalidParameter" ~= nil
    seen[i] = groups and "clamp" or is_refused and "refuse" or ask.word(exchange)
    words[i] = ("%s %s"):format(params.MaxResults and "MaxResults=" .. params.MaxResults
      or "PageSize=101", seen[i])
  end
  local text = table.concat(words, ", ")
  if seen[1] == seen[2] and seen[2] == seen[3] then return seen[1], text end
  return text, "the three bounds are not treated alike"
end

-- Asks at the destination without Site, after it showed the group with Site=backup only.
local function site_default(probe, lab)
  local id, place = lab.group.ReplicaGroupId, lab.destination
  if lab.source == lab.destination then return nil, "both sides of the group lie in one region" end
  local shown, exchange = ask.is_listed(probe, place, "backup", id)
  if not shown then
    return nil, "Site=backup does not show the group at its destination: " .. ask.word(exchange)
  end
  local produced = ask.is_listed(probe, place, "production", id)
  if produced then return nil, "Site=production shows the group at its destination, too" end
  local without
  without, exchange = ask.is_listed(probe, place, nil, id)
  if without == nil then return nil, "refused with " .. ask.word(exchange) end
  return without and "either" or "production", without
    and "without Site the group is shown at its destination"
    or "without Site only the production side of a group shows it"
end

-- For a reversed group: whether the region where it was created still counts as production side.
local function site_direction(probe, lab)
  local group = lab.reversed
  local id, place = group.ReplicaGroupId, group.PrimaryRegion
  local produced, exchange = ask.is_listed(probe, place, "production", id)
  if produced == nil then return nil, "refused with " .. ask.word(exchange) end
  local backup = ask.is_listed(probe, place, "backup", id)
  if produced == backup then
    return nil, produced and "both values of Site show it" or "no value of Site shows it"
  end
  return produced and "initial" or "current", produced
    and "Site=production is where the group was created"
    or "Site follows the direction of now"
end

local function last_token(probe, lab)
  local groups, exchange = ask.groups(probe, lab.region, { Site = "backup", MaxResults = "500" })
  if not groups then return nil, "refused with " .. ask.word(exchange) end
  local token = exchange.json.NextToken
  if token == nil or token == core.null then return "absent", "the last page has no NextToken" end
  if token == "" then return "empty", "the last page has an empty NextToken" end
  return nil, "there is more than one page of 500"
end

local function empty_pair_ids(_, lab)
  for _, list in ipairs(lab.listings) do
    for _, group in ipairs(list) do
      if group.PairNumber == 0 then
        local ids = group.PairIds
        if ids == nil or ids == core.null then return "absent", "PairIds is not there" end
        return #ids == 0 and "array" or nil, #ids == 0 and "PairIds is an empty list"
          or "PairIds of an empty group names something"
      end
    end
  end
  return nil, "no group without pairs is listed"
end

local KINDS = { DiskReplicaGroup = "group", DiskReplicaPair = "pair" }

local function tag_resource_type(probe, lab)
  local asked_any
  for asked, short in pairs(KINDS) do
    local exchange = ask.raw(probe, "ebs:ListTagResources", { RegionId = lab.region,
      ResourceType = asked })
    local row = exchange.json and exchange.json.TagResources and exchange.json.TagResources[1]
    if row then
      local word = tostring(row.ResourceType)
      if word:lower() == asked:lower() then return "asked", word .. " is answered" end
      return word:lower() == short and "short" or word, word .. " is answered to " .. asked
    end
    asked_any = asked_any or ask.word(exchange)
  end
  return nil, asked_any == "200" and "nothing is tagged in " .. lab.region
    or "answered with " .. tostring(asked_any)
end

local function zones_of(probe, lab)
  local exchange = ask.raw(probe, "ebs:DescribeRegions", { RegionId = lab.region })
  local zones, all = {}, 0
  for _, region in ipairs(exchange.json and exchange.json.Regions or {}) do
    for _, zone in ipairs(region.Zones or {}) do
      all = all + 1
      if region.RegionId == lab.region then zones[#zones + 1] = zone.ZoneId end
    end
  end
  return zones, all
end

local MOST_ZONES = 12

-- Whether every zone can replicate to all others, as the emulator assumes.
local function edges(probe, lab)
  local zones, all = zones_of(probe, lab)
  if #zones == 0 then return nil, "no zones are listed for " .. lab.region end
  local words, is_whole = {}, true
  for i = 1, math.min(#zones, MOST_ZONES) do
    local exchange = ask.raw(probe, "ebs:ListReplicaEdgeSupported", { RegionId = lab.region,
      Azone = zones[i], MaxResults = "100" })
    if exchange.status ~= 200 then return nil, "refused with " .. ask.word(exchange) end
    local count = 0
    for _, region in ipairs(exchange.json.SupportedRegions or {}) do
      count = count + #(region.Zones or {})
    end
    words[i], is_whole = ("%s → %d zones"):format(zones[i], count), is_whole and count == all - 1
  end
  return is_whole and "fixed" or "listed", table.concat(words, ", ") .. " of " .. all
end

local function user_tags(probe, lab)
  local keys = ask.raw(probe, "ebs:DescribeUserTagKeys", { RegionId = lab.region })
  local first = keys.json and keys.json.TagKeys and keys.json.TagKeys[1]
  local values = ask.raw(probe, "ebs:DescribeUserTagValues", { RegionId = lab.region,
    TagKey = type(first) == "string" and first or "none" })
  if keys.status ~= 200 or values.status ~= 200 then
    return nil, ("answered with %s and %s"):format(ask.word(keys), ask.word(values))
  end
  local fits = core.is_array(keys.json.TagKeys) and core.is_array(values.json.TagValues)
  return fits and "fixed" or "other fields", fits and "TagKeys and TagValues are lists"
    or "TagKeys or TagValues is no list"
end

return {
  { name = "describe_unknown", look = ask.twice(describe_unknown) },
  { name = "page_bounds", look = page_bounds },
  { name = "site_default", needs = { "group" }, look = ask.twice(site_default) },
  { name = "site_direction", needs = { "reversed" }, look = ask.twice(site_direction) },
  { name = "last_token", look = last_token },
  { name = "empty_pair_ids", look = empty_pair_ids },
  { name = "tag_resource_type", look = tag_resource_type },
  { name = "edges", look = edges },
  { name = "user_tags", look = user_tags },
}
