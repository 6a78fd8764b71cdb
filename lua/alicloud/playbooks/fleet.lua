--- Moves many groups at once: all of a region, or named ones. It looks at every group, moves a few
--- that must succeed (canaries), then the others, as many at a time as the account's quota bears.
---
---     alicloud-dr run fleet groups=pg-orders,pg-payments region=cn-shanghai canary=1
---     alicloud-dr run fleet groups=all region=cn-shanghai tier=1:db-*,2:app-* table=@fleet.csv
---
--- `groups=all` takes every group, and every pair without a group, whose secondary site is in the
--- region. A group that is not ready is left out and the others go on; since nothing was begun for
--- it, that is no failure. More than `max_groups` groups need a person's consent.

local common = require "alicloud.playbooks.common"
local dr = require "alicloud.dr"
local groups = require "alicloud.playbooks.fleet_groups"
local tables = require "alicloud.base.tables"
local tiers = require "alicloud.dr.playbook.tiers"

local given = common.PARAMS

local COLUMNS = {
  { name = "group", type = "id", help = "whose row it is" },
  given.attach, given.stop,
  { name = "fence", type = "choice", values = { "try", "must", "no" },
    help = "stop instances and detach disks of the old side" },
}

local PARAMS = {
  { name = "groups", type = "ids", required = true, help = "the groups, or all" },
  given.region, given.to, given.max_rpo, given.outage_at, given.approvers,
  given.approvals,
  { name = "tier", type = "tiers", revisable = true,
    help = "who moves before whom: 1:db-*,2:app-*, or @FILE" },
  { name = "table", type = "rows", columns = COLUMNS, revisable = true,
    help = "attach, stop and fence of each group: @FILE" },
  given.fence_for, given.stop_shared,
  { name = "parallel", type = "integer", default = 200, revisable = true,
    help = "how many at a time" },
  { name = "canary", type = "count_or_ids", default = 1, revisable = true,
    help = "so many, or those, first, which must succeed" },
  { name = "max_errors", type = "share", default = "5%", revisable = true,
    help = "failures at which nothing more is begun" },
  { name = "max_groups", type = "integer", default = 50, revisable = true,
    help = "more than so many need a person's word" },
  given.verify, given.verify_for,
}

-- The tiers as given, those that take a group, and a function that tells the tier of any group.
local function sort_into_tiers(list, ready, fleet)
  local sorted, words = { list = list, taken = {} }, {}
  local function entry_of(id)
    return tiers.of(list, id, (fleet.seen[id] or {}).name or fleet.called[id])
  end
  function sorted.of(id) return (entry_of(id) or { tier = tiers.LAST }).tier end
  for i, entry in ipairs(list) do words[i] = ("%d:%s"):format(entry.tier, entry.pattern) end
  sorted.text = table.concat(words, ",")
  for _, id in ipairs(ready) do
    local entry = entry_of(id)
    if entry then sorted.taken[entry] = true end
  end
  return sorted
end

local function tell_tiers(own, sorted, ready)
  local by_tier = {}
  for _, id in ipairs(ready) do
    local tier = sorted.of(id)
    by_tier[tier] = by_tier[tier] or {}
    table.insert(by_tier[tier], id)
  end
  for _, tier in ipairs(tables.keys(by_tier)) do
    local title = #sorted.list == 0 and "at once" or tier == tiers.LAST and "no tier, last"
      or "tier " .. tier
    own:note(("%s: %d: %s"):format(title, #by_tier[tier], tables.few(by_tier[tier])))
  end
  for _, entry in ipairs(sorted.list) do
    if not sorted.taken[entry] then
      own:note(("tier %d: %s takes no group that is ready"):format(entry.tier, entry.pattern))
    end
  end
end

-- Notes which groups move when, before any does.
local function tell_order(own, names, ready, canary, sorted)
  own:note(("%d of %d groups are ready"):format(#ready, #names))
  if type(canary) == "table" then
    own:note("canary, first in its tier: " .. tables.few(canary))
  elseif canary > 0 then
    own:note(("canary: %d before the others"):format(canary))
  end
  tell_tiers(own, sorted, ready)
  return { ready = ready, tiers = sorted.text }
end

-- Notes the order again when the tiers were corrected, so that a wrong pattern is seen.
local function tell_each_order(run, names, ready, canary, sorted)
  local count = 0
  repeat
    count = count + 1
    local told = run:step(count == 1 and "order" or "order " .. count,
      { tier = #sorted.list > 0 and sorted.of or nil },
      function(own) return tell_order(own, names, ready, canary, sorted) end)
  until not told or not told.tiers or told.tiers == sorted.text
end

-- The command that stops the services of a group. There is none where the group is open already:
-- the services may run at the new side.
local function stop_of(id, fleet)
  return fleet.seen[id].status ~= "failovered" and fleet:row(id).stop or nil
end

-- Stops the services of a group and fences its old side, as far as its row says.
local function stop_old_side(own, id, fleet, group)
  local row = fleet:row(id)
  common.stop_services(own, group, stop_of(id, fleet),
    { graceful_only = true, timeout = "5m", on_error = "continue", renewed = true },
    { region = fleet.region })
  local try = row.fence == "try"
  return (try or row.fence == "must")
    and common.fence(own, "fence", group, try and "continue" or "stop", try)
end

local function move(own, id, fleet)
  local params, row, group = own.params, fleet:row(id), fleet:group(own, id)
  common.check_corrected(own, group, fleet.seen[id], { move = "failover", attach = row.attach,
    fence = row.fence or "no", max_rpo = params.max_rpo })
  -- Nothing is stopped for a failover that is left out.
  local fenced = not fleet.skips[id .. "/promote"] and stop_old_side(own, id, fleet, group)
  local moved = own:step("promote", { point_of_no_return = true }, function()
    return group:failover { max_rpo = params.max_rpo }
  end)
  if not moved then return { outcome = "skipped" } end
  common.attach(own, group, row.attach)
  if row.fence == "try" and not fenced then
    fenced = common.fence(own, "fence again", group, "continue")
  end
  return { outcome = moved.outcome, fenced = fenced and true or false }
end

local function opened_of(moved)
  local list, skipped = {}, {}
  for _, id in ipairs(tables.keys(moved.ok)) do
    table.insert(moved.ok[id].outcome == "skipped" and skipped or list, id)
  end
  return list, skipped
end

local function outcomes_of(moved, fleet)
  local outcomes = {}
  for id in pairs(fleet.seen) do outcomes[id] = "already_there" end
  for id, err in pairs(fleet.unready) do outcomes[id] = "left out: " .. err.code end
  for id, result in pairs(moved.ok) do outcomes[id] = result.outcome end
  for id, err in pairs(moved.failed) do outcomes[id] = "failed: " .. err.code end
  for id, err in pairs(moved.left_out) do outcomes[id] = "left out: " .. err.code end
  return outcomes
end

local WORDS = { failovered = "opened", already_failovered = "open before",
  already_there = "there before" }

local function tell_counts(own, outcomes)
  local counts, parts, total = {}, {}, 0
  for _, outcome in pairs(outcomes) do
    local word = WORDS[outcome] or outcome:match "^[^:]+"
    counts[word], total = (counts[word] or 0) + 1, total + 1
  end
  for _, word in ipairs(tables.keys(counts)) do
    parts[#parts + 1] = ("%d %s"):format(counts[word], word)
  end
  own:note(("of %d groups: %s"):format(total, table.concat(parts, ", ")))
end

-- Notes what is left to do, with the commands for it.
local function tell_remains(own, moved, fleet)
  local opened, skipped = opened_of(moved)
  local unfenced = {}
  for _, id in ipairs(tables.keys(moved.failed)) do
    own:note(("%s failed; later: %s"):format(id, fleet:later(id, moved.failed[id])))
  end
  for _, id in ipairs(skipped) do
    own:note(("%s was skipped; later: %s"):format(id, fleet:later(id)))
  end
  for _, id in ipairs(opened) do
    if not moved.ok[id].fenced then unfenced[#unfenced + 1] = id end
  end
  if #unfenced > 0 then
    own:note(("the old side of %s is not fenced, keep it from writing: %s"):format(
      tables.few(unfenced), fleet:by_hand("fence", unfenced)))
  end
  if #opened > 0 then
    own:note(("%s %s not protected: %s"):format(tables.few(opened), #opened == 1 and "is" or "are",
      fleet:by_hand("reprotect", opened)))
  end
end

return dr.playbook("fleet", { kind = "unplanned", params = PARAMS,
  summary = "Fail many groups over, tier by tier, with canaries and a brake." }, function(run)
  local params, fleet = run.params, groups.new(run)
  fleet:choose(params.groups)
  fleet:look()
  local ready, standing = fleet:sort()
  if #standing > 0 then
    run:note("stands there already, nothing was done: " .. tables.few(standing))
    if #ready == 0 then return end
  end
  local canary, sorted = params.canary, sort_into_tiers(params.tier or {}, ready, fleet)
  fleet:demand_canaries(canary, ready, sorted.of)
  tell_each_order(run, fleet.names, ready, canary, sorted)
  -- Opens the groups here, so that the gate shows them to the approvers.
  for _, id in ipairs(ready) do fleet:group(run, id) end
  common.approve(run)
  local moved = run:each(ready, { parallel = params.parallel, canary = canary,
    max_errors = params.max_errors, word = "opened", tier = sorted.of,
    leave_out = function(id, err)
      -- Once the services of a group were stopped it cannot be left out: it has failed.
      local is_begun = err.kind ~= "precheck" or err.outcome ~= "not_sent" or stop_of(id, fleet)
      return not is_begun and fleet:left_out(id, err) or nil
    end,
  }, function(id, own) return move(own, id, fleet) end)
  common.verify(run, { groups = table.concat(opened_of(moved), ","), region = fleet.region })
  run:step("what remains", function(own)
    local outcomes = outcomes_of(moved, fleet)
    tell_counts(own, outcomes)
    tell_remains(own, moved, fleet)
    return { groups = outcomes }
  end)
end)
