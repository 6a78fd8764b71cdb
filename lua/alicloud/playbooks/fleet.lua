--- Many groups at once: all of a region, or those that are named. First a look at every one, then a
--- few that must succeed, then the others, as many at a time as the account's quota bears.
---
---     alicloud-dr run fleet groups=pg-orders,pg-payments region=cn-shanghai canary=1
---
--- `groups=all` takes every group that has its secondary site in the region. A group that is not
--- ready is left out, and counts as an error before anything has moved; more than `max_groups` need
--- a person's word.

local common = require "alicloud.playbooks.common"
local dr = require "alicloud.dr"

local given = common.PARAMS

local PARAMS = {
  { name = "groups", type = "ids", required = true, help = "the groups, or all" },
  given.region, given.to, given.max_rpo, given.approvers, given.approvals,
  { name = "parallel", type = "integer", default = 200, help = "how many at a time" },
  { name = "canary", type = "count", default = 1, help = "so many first, which must succeed" },
  { name = "max_errors", type = "share", default = "5%",
    help = "failures at which nothing more is begun" },
  { name = "max_groups", type = "integer", default = 50,
    help = "more than so many need a person's word" },
  given.verify, given.verify_for,
}

local function choose(run, names, region)
  if names[1] ~= "all" then return names end
  local ids, err = dr.group_ids(run.client, { region = region, site = "backup" })
  if not ids then return nil, err end
  if #ids == 0 then return nil, "no group has its secondary site in " .. region end
  return ids
end

-- What is not ready is left out; too many of those, and nothing has moved yet.
local function only_ready(run, names, region)
  local params, items, ready = run.params, {}, {}
  for i, id in ipairs(names) do items[i] = { id = "ready " .. id, group = id } end
  local looks = run:each(items, { parallel = params.parallel, max_errors = params.max_errors,
    max_groups = params.max_groups }, function(item, own)
    local group = own:group(item.group, { region = region, to = params.to })
    return own:step("check", function()
      local report, err = group:precheck { max_rpo = params.max_rpo }
      return report and { ok = report.ok, findings = not report.ok and report.findings or nil }, err
    end)
  end)
  for i, id in ipairs(names) do
    if looks.ok[items[i].id] then ready[#ready + 1] = id end
  end
  return ready
end

return dr.playbook("fleet", { kind = "unplanned", params = PARAMS,
  summary = "Fail many groups over, with canaries and a brake." }, function(run)
  local params = run.params
  local region = params.region or run.client.region

  local names = run:step("choose", function(own) return choose(own, params.groups, region) end)
  local ready = only_ready(run, names, region)
  common.approve(run)
  local moved = run:each(ready, { parallel = params.parallel, canary = params.canary,
    max_errors = params.max_errors }, function(id, own)
    local group = own:group(id, { region = region, to = params.to })
    return own:step("promote", { point_of_no_return = true }, function()
      return group:failover { max_rpo = params.max_rpo }
    end)
  end)
  common.verify(run, { groups = table.concat(ready, ","), region = region })
  run:step("what remains", { plan = false }, function(own)
    local who = #ready == 1 and "1 group is" or #ready .. " groups are"
    own:note(who .. " not protected: alicloud-dr reprotect")
    return { failed = moved.failed }
  end)
end)
