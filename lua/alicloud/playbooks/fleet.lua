--- Many groups at once: all of a region, or those that are named. First a look at every one, then a
--- few that must succeed, then the others, as many at a time as the account's quota bears.
---
---     alicloud-dr run fleet groups=pg-orders,pg-payments region=cn-shanghai canary=1
---     alicloud-dr run fleet groups=all region=cn-shanghai tier=1:db-*,2:app-* table=@fleet.csv
---
--- `groups=all` takes every group that has its secondary site in the region. A group that is not
--- ready is left out, and the others go on without it; that is no failure, since nothing of it was
--- begun. More than `max_groups` need a person's word.

local alicloud = require "alicloud"
local common = require "alicloud.playbooks.common"
local dr = require "alicloud.dr"
local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"
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
  given.fence_for,
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

local MOST_NAMES = 12

local function few(list)
  if #list <= MOST_NAMES then return table.concat(list, ", ") end
  return ("%s and %d more"):format(table.concat(list, ", ", 1, MOST_NAMES), #list - MOST_NAMES)
end

local function refusal(fields)
  fields.kind, fields.outcome = fields.kind or "state", "not_sent"
  return alicloud.error.new(fields)
end

local function unique(names)
  local list, known = {}, {}
  for _, id in ipairs(names) do
    if not known[id] then known[id], list[#list + 1] = true, id end
  end
  return list
end

local function choose(run, names, region)
  if names[1] ~= "all" then return unique(names) end
  local ids, err = dr.group_ids(run.client, { region = region, site = "backup" })
  if not ids then return nil, err end
  if #ids == 0 then return nil, "no group has its secondary site in " .. region end
  return ids
end

-- A row for nobody is a slip of the hand; one for a group that stays where it is is not.
local function check_rows(run, rows, names, region)
  local ids, err = dr.group_ids(run.client, { region = region })
  if not ids then return nil, err end
  local known, chosen, unused = {}, {}, {}
  for _, id in ipairs(ids) do known[id] = true end
  for _, id in ipairs(names) do known[id], chosen[id] = true, true end
  for _, id in ipairs(tables.keys(rows)) do
    if not known[id] then
      return nil, refusal { code = "Client.BadParameter", message = ("table: unknown group %s%s")
        :format(schema.show(id), schema.did_you_mean(id, known)) }
    end
    if not chosen[id] then unused[#unused + 1] = id end
  end
  if #unused > 0 then run:note("rows of groups that stay: " .. table.concat(unused, ", ")) end
  return true
end

-- What a person types to move one group alone.
local function later(run, id, row, region)
  local words = { "failover", "group=" .. id, "region=" .. region }
  local attach = row.attach
  if type(attach) == "table" then
    local list = {}
    for i, disk in ipairs(tables.keys(attach)) do list[i] = disk .. ":" .. attach[disk] end
    attach = table.concat(list, ",")
  end
  if run.params.to then words[#words + 1] = "to=" .. run.params.to end
  words[#words + 1] = ("max_rpo=%.14gs"):format(run.params.max_rpo)
  if attach then words[#words + 1] = "attach=" .. attach end
  for _, name in ipairs { "stop", "fence" } do
    if row[name] then words[#words + 1] = name .. "=" .. row[name] end
  end
  return shell.command("run", words)
end

local function reason(run, id, err, row, region)
  return ("%s was left out: %s: %s; later: %s"):format(id, err.code, err.message,
    later(run, id, row, region))
end

-- Ready, or standing there already; else the findings say why it is not.
local function look_at(group, max_rpo)
  local report, err = group:precheck { max_rpo = max_rpo }
  if not report then return nil, err end
  local snapshot = report.snapshot
  local seen = { ok = report.ok, status = snapshot.status, name = snapshot.name }
  if report.ok then return seen end
  local standing = snapshot.role == "primary" and group:standing()
  if standing and standing.outcome == "already_there" and not standing.open then
    seen.ok, seen.already_there = true, true
  else
    seen.findings = report.findings
  end
  return seen
end

-- A look at every group. What is not ready, or cannot be read, is left out.
local function look(run, names, region, row_of)
  local params, items = run.params, {}
  for i, id in ipairs(names) do items[i] = { id = "ready " .. id, group = id } end
  return run:each(items, { parallel = params.parallel, max_groups = params.max_groups,
    leave_out = function(item, err)
      return reason(run, item.group, err, row_of(item.group), region)
    end,
  }, function(item, own)
    local group = own:group(item.group, { region = region, to = params.to })
    return own:step("check", function() return look_at(group, params.max_rpo) end)
  end)
end

local PLACE = { failovered = 3, failover_failed = 2 }

local function seen_of(looks, id)
  local seen = looks.ok["ready " .. id]
  return seen ~= true and seen or seen and {}
end

-- Those that are ready, and those that stand there already and replicate from there. What is open
-- there, or has failed before, proves least and is last.
local function ready_of(names, looks)
  local ready, standing, place = {}, {}, {}
  for i, id in ipairs(names) do
    local seen = seen_of(looks, id)
    if seen then table.insert(seen.already_there and standing or ready, id) end
    place[id] = { PLACE[seen and seen.status] or 1, i }
  end
  table.sort(ready, function(a, b)
    local one, other = place[a], place[b]
    return one[1] < other[1] or one[1] == other[1] and one[2] < other[2]
  end)
  return ready, standing
end

local function demand_ready(names, ready, standing, looks)
  if #ready + #standing > 0 then return end
  local first = tables.keys(looks.left_out)[1]
  local err = looks.left_out[first]
  error(refusal { kind = err.kind, code = err.code, hint = err.hint,
    message = ("none of %d groups can be failed over; first: %s: %s"):format(#names,
      first:match "^ready (.*)$", err.message) }, 0)
end

-- A canary that was named has to be one of those that are ready.
local function demand_canaries(canary, names, ready, looks)
  if type(canary) ~= "table" then return end
  local chosen, can = {}, {}
  for _, id in ipairs(names) do chosen[id] = true end
  for _, id in ipairs(ready) do can[id] = true end
  for _, id in ipairs(canary) do
    local err = looks.left_out["ready " .. id]
    if not can[id] then
      error(refusal { kind = err and err.kind, code = err and err.code or "Client.BadParameter",
        message = err and ("the canary %s is not ready: %s"):format(id, err.message)
          or ("canary: unknown group %s%s"):format(schema.show(id),
            schema.did_you_mean(id, chosen)),
        hint = ("resumed with canary=%s, that one comes first; with canary=0, all go without one")
          :format(ready[1]) }, 0)
    end
  end
end

local function sort_into_tiers(list, ready, looks)
  local sorted = { list = list, of = {}, taken = {} }
  for _, id in ipairs(ready) do
    local entry = tiers.of(list, id, seen_of(looks, id).name)
    sorted.of[id] = entry and entry.tier or tiers.LAST
    if entry then sorted.taken[entry] = true end
  end
  return sorted
end

local function tell_tiers(own, sorted, ready)
  local by_tier = {}
  for _, id in ipairs(ready) do
    local tier = sorted.of[id]
    by_tier[tier] = by_tier[tier] or {}
    table.insert(by_tier[tier], id)
  end
  for _, tier in ipairs(tables.keys(by_tier)) do
    local title = #sorted.list == 0 and "at once" or tier == tiers.LAST and "no tier, last"
      or "tier " .. tier
    own:note(("%s: %d: %s"):format(title, #by_tier[tier], few(by_tier[tier])))
  end
  for _, entry in ipairs(sorted.list) do
    if not sorted.taken[entry] then
      own:note(("tier %d: %s takes no group that is ready"):format(entry.tier, entry.pattern))
    end
  end
end

-- Says who moves when, before anything does.
local function tell_order(own, names, ready, canary, sorted)
  own:note(("%d of %d groups are ready"):format(#ready, #names))
  if type(canary) == "table" then
    own:note("canary, first in its tier: " .. few(canary))
  elseif canary > 0 then
    own:note(("canary: %d before the others"):format(canary))
  end
  tell_tiers(own, sorted, ready)
  return { ready = ready }
end

local function move(own, id, row, region)
  local params, variables = own.params, { group = id, region = region }
  local group = own:group(id, { region = region, to = params.to })
  common.command(own, "stop services", row.stop,
    { graceful_only = true, timeout = "5m", on_error = "continue" }, variables)
  local try = row.fence == "try"
  local fenced = (try or row.fence == "must")
    and common.fence(own, "fence", group, try and "continue" or "stop", try)
  local moved = own:step("promote", { point_of_no_return = true }, function()
    return group:failover { max_rpo = params.max_rpo }
  end)
  if not moved then return { outcome = "skipped" } end
  common.attach(own, group, row.attach)
  if try and not fenced then fenced = common.fence(own, "fence again", group, "continue") end
  return { outcome = moved.outcome, fenced = fenced and true or false }
end

local function opened_of(moved)
  local list = {}
  for _, id in ipairs(tables.keys(moved.ok)) do
    if moved.ok[id].outcome ~= "skipped" then list[#list + 1] = id end
  end
  return list
end

-- Who stands where now. What is left to be done, and with which command, a person reads here.
local function tell_outcomes(own, moved, looks, row_of, region)
  local opened, unfenced, outcomes = opened_of(moved), {}, {}
  for id, result in pairs(moved.ok) do outcomes[id] = result.outcome end
  for _, id in ipairs(opened) do
    if not moved.ok[id].fenced then unfenced[#unfenced + 1] = id end
  end
  for id, err in pairs(moved.failed) do outcomes[id] = "failed: " .. err.code end
  for id, err in pairs(moved.left_out) do outcomes[id] = "left out: " .. err.code end
  for name, err in pairs(looks.left_out) do
    outcomes[name:match "^ready (.*)$"] = "left out: " .. err.code
  end
  for _, id in ipairs(tables.keys(moved.failed)) do
    own:note(("%s failed; later: %s"):format(id, later(own, id, row_of(id), region)))
  end
  if #unfenced > 0 then
    own:note("the old side is not fenced, keep it from writing: " .. few(unfenced))
  end
  if #opened > 0 then
    own:note(("%s not protected: %s"):format(#opened == 1 and "1 group is" or #opened
      .. " groups are", shell.command("reprotect", { "GROUP" }, { shell.option("--region",
      region) })))
  end
  return { groups = outcomes }
end

return dr.playbook("fleet", { kind = "unplanned", params = PARAMS,
  summary = "Fail many groups over, tier by tier, with canaries and a brake." }, function(run)
  local params = run.params
  local region, rows = params.region or run.client.region, params.table or {}
  local function row_of(id) return rows[id] or {} end

  local names = run:step("choose", function(own) return choose(own, params.groups, region) end)
  if next(rows) then
    run:step("table", function(own) return check_rows(own, rows, names, region) end)
  end
  local looks = look(run, names, region, row_of)
  local ready, standing = ready_of(names, looks)
  demand_ready(names, ready, standing, looks)
  if #standing > 0 then
    run:note("stands there already, nothing was done: " .. few(standing))
    if #ready == 0 then return end
  end
  demand_canaries(params.canary, names, ready, looks)
  local canary, sorted = params.canary, sort_into_tiers(params.tier or {}, ready, looks)
  run:step("order", function(own) return tell_order(own, names, ready, canary, sorted) end)
  -- Whoever approves, approves of these.
  for _, id in ipairs(ready) do run:group(id, { region = region, to = params.to }) end
  common.approve(run)
  local moved = run:each(ready, { parallel = params.parallel, canary = canary,
    max_errors = params.max_errors, tier = function(id) return sorted.of[id] end,
    leave_out = function(id, err)
      -- What was stopped for it is down now: that is a failure.
      if err.kind ~= "precheck" or err.outcome ~= "not_sent" or row_of(id).stop then return nil end
      return reason(run, id, err, row_of(id), region)
    end,
  }, function(id, own) return move(own, id, row_of(id), region) end)
  common.verify(run, { groups = table.concat(opened_of(moved), ","), region = region })
  run:step("what remains", { plan = false }, function(own)
    return tell_outcomes(own, moved, looks, row_of, region)
  end)
end)
