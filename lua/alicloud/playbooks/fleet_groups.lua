--- The groups of the playbook `fleet`: which are chosen, which are ready, and what a person types
--- for one that is not.

local alicloud = require "alicloud"
local common = require "alicloud.playbooks.common"
local dr = require "alicloud.dr"
local ready = require "alicloud.playbooks"
local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"
local step_names = require "alicloud.dr.playbook.step_names"
local tables = require "alicloud.base.tables"
local ways = require "alicloud.dr.playbook.way"

local M = {}

---@class alicloud.playbooks.Fleet
---@field run alicloud.dr.PlaybookRun
---@field region string region where the groups are opened
---@field rows table<string, table<string, any>> rows of the parameter `table`, by group
---@field names string[] groups that were chosen
---@field seen table<string, table> result of the look at each group that can be moved or is there
---@field unready table<string, alicloud.Error> why other groups are left out
---@field skips table<string, true> steps that are left out, "GROUP/promote"
---@field called table<string, string> names of groups that were looked at, ready or not
---@field ages table<string, number> seconds: age of the recovery point of groups that are not ready
local Fleet = {}
Fleet.__index = Fleet

-- Seconds by which the look at one group may take longer than those at all others. It is given up
-- then: others can be read, so this is no outage of the cloud.
local BEHIND = 60
local SLICE = 1

local HOUR = 3600

---@param run alicloud.dr.PlaybookRun
---@return alicloud.playbooks.Fleet
function M.new(run)
  local params = run.params
  return setmetatable({ run = run, region = params.region or run.client.region,
    rows = params.table or {}, names = {}, seen = {}, unready = {},
    skips = tables.set(run:skips()), called = {}, ages = {} }, Fleet)
end

--- An error with the outcome "not_sent".
---@param fields table
---@return alicloud.Error
function M.refusal(fields)
  fields.kind, fields.outcome = fields.kind or "state", "not_sent"
  return alicloud.error.new(fields)
end

--- The row of a group in the parameter `table`; empty if it has none.
---@param id string
---@return table
function Fleet:row(id)
  return self.rows[id] or {}
end

--- The group object in a branch of the run.
---@param own alicloud.dr.PlaybookRun
---@param id string
---@return alicloud.dr.Group
function Fleet:group(own, id)
  return own:group(id, { region = self.region, to = self.run.params.to })
end

local function unique(names)
  local list, known = {}, {}
  for _, id in ipairs(names) do
    if not known[id] then known[id], list[#list + 1] = true, id end
  end
  return list
end

-- A row of an unknown group is refused as mistyped; a row of a group that is not moved is noted.
local function check_rows(fleet, own)
  local ids, err = dr.group_ids(own.client, { region = fleet.region, lone_pairs = true })
  if not ids then return nil, err end
  local known, chosen, unused = {}, {}, {}
  for _, id in ipairs(ids) do known[id] = true end
  for _, id in ipairs(fleet.names) do known[id], chosen[id] = true, true end
  for _, id in ipairs(tables.keys(fleet.rows)) do
    if not known[id] then
      return nil, M.refusal { code = "Client.BadParameter", parameter = "table",
        message = ("table: unknown group %s%s"):format(schema.show(id),
          schema.did_you_mean(id, known)) }
    end
    if not chosen[id] then unused[#unused + 1] = id end
  end
  if #unused > 0 then own:note("rows of groups that stay: " .. tables.few(unused)) end
  return true
end

-- Checks the table again whenever it was corrected. Journals of earlier versions hold only that it
-- was checked.
local function check_table(fleet)
  local checked, count = table.concat(tables.keys(fleet.rows), ","), 0
  repeat
    count = count + 1
    local found = fleet.run:step(count == 1 and "table" or "table " .. count, function(own)
      local ok, err = check_rows(fleet, own)
      return ok and { checked = checked }, err
    end)
  until type(found) ~= "table" or found.checked == checked
end

-- Why a name to skip is wrong, and the group that it means; nil if it is not wrong.
local function skip_problem(key, chosen)
  local steps = step_names.of { steps = ready.STEPS.fleet }
  local branch = key:match "^([^/]+)/"
  local id = branch and (branch:match "^ready (.*)$" or branch:match "^once more (.*)$" or branch)
  if id and not chosen[id] then
    return "group " .. schema.show(id) .. schema.did_you_mean(id, chosen)
  end
  if step_names.has(steps, key) then return nil end
  return "step " .. schema.show(key) .. step_names.near(steps, key), id or chosen[key] and key
end

-- A mistyped --skip is refused: the group that it should keep back would be moved.
local function check_skips(fleet)
  local chosen = tables.set(fleet.names)
  for _, key in ipairs(tables.keys(fleet.skips)) do
    local problem, id = skip_problem(key, chosen)
    if problem then
      error(M.refusal { code = "Client.BadParameter", message = "skip: unknown " .. problem,
        hint = ("resume it with --skip %s/promote=WHY, or another step of it; without that it goes "
          .. "with the others"):format(id or "GROUP") }, 0)
    end
  end
end

--- Chooses the groups, and checks the table and the steps to skip against them.
---@param names string[] ids, or "all"
function Fleet:choose(names)
  self.names = self.run:step("choose", function(own)
    local is_all = tables.set(names).all
    if is_all and names[2] then
      return nil, M.refusal { code = "Client.BadParameter", parameter = "groups",
        message = "groups: got all beside names; allowed: all, or ids with a comma between" }
    end
    if not is_all then return unique(names) end
    local ids, err = dr.group_ids(own.client, { region = self.region, site = "backup",
      lone_pairs = true })
    if not ids then return nil, err end
    if #ids == 0 then return nil, "no group has its secondary site in " .. self.region end
    return ids
  end)
  if next(self.rows) then check_table(self) end
  check_skips(self)
end

local function attach_text(attach)
  if type(attach) ~= "table" then return attach end
  local list = {}
  for i, disk in ipairs(tables.keys(attach)) do list[i] = disk .. ":" .. attach[disk] end
  return table.concat(list, ",")
end

-- An outage given as an absolute time; one given as "so long ago" would be another time later.
local function outage_text(outage_at)
  local text = outage_at and tostring(outage_at)
  return text and (tonumber(text) or text:find "T") and text or nil
end

-- The parameter `to` for a later run: left out if the group does not have that side, and ZONE for a
-- person to fill in if one is needed.
local function side_text(to, err)
  if err.code == "Client.UnknownSide" then return nil end
  return to or err.code == "Client.DirectionNeeded" and "ZONE" or nil
end

--- The command that moves one group alone later.
---@param id string
---@param err? alicloud.Error why it was not moved; nil: a person skipped it
---@return string
function Fleet:later(id, err)
  local params, row = self.run.params, self:row(id)
  err = err or {}
  local max_rpo = params.max_rpo
  if err.code == "Client.RecoveryPointTooOld" and self.ages[id] then
    max_rpo = (self.ages[id] // HOUR + 2) * HOUR
  end
  local words = { "failover", "group=" .. id, "region=" .. self.region }
  for _, each in ipairs { { "to", side_text(params.to, err) },
    { "max_rpo", ("%.14gs"):format(max_rpo) },
    { "outage_at", outage_text(params.outage_at) }, { "attach", attach_text(row.attach) },
    { "stop", row.stop }, { "fence", row.fence } } do
    if each[2] then words[#words + 1] = each[1] .. "=" .. each[2] end
  end
  return shell.command("run", words, ways.options(self.run.way))
end

--- The command that does something by hand for one of some groups.
---@param verb string
---@param ids string[] with more than one, the command has GROUP for a person to fill in
---@return string
function Fleet:by_hand(verb, ids)
  local options, to = { shell.option("--region", self.region) }, self.run.params.to
  if to then options[2] = shell.option("--to", to) end
  for _, option in ipairs(ways.options(self.run.way)) do options[#options + 1] = option end
  return shell.command(verb, { ids[2] and "GROUP" or ids[1] }, options)
end

-- The options that overrule the obstacle, if a person may do that.
local function force_text(err)
  local options = {}
  for i, code in ipairs(err.forcible or {}) do options[i] = shell.option("--force", code) end
  return #options > 0 and ("; to overrule it, add %s --why TEXT"):format(table.concat(options, " "))
    or ""
end

--- What is noted about a group that is left out.
---@param id string
---@param err alicloud.Error
---@return string
function Fleet:left_out(id, err)
  return ("%s was left out: %s: %s%s; later: %s"):format(id, err.code, err.message,
    force_text(err), self:later(id, err))
end

local function stands_there(group, snapshot)
  local standing = snapshot.role == "primary" and group:standing()
  return standing and standing.outcome == "already_there" and not standing.open
end

-- Looks at a group; with instances to attach or to stop, also at them.
local function look_before(own, group, row, progress)
  local options = { max_rpo = own.params.max_rpo, progress = progress }
  if not (row.attach or row.fence) then return group:precheck(options) end
  options.move, options.attach, options.fence = "failover", row.attach, row.fence or "no"
  return common.preflight(own, group, options)
end

-- The result of a look: the group is ready or there already, or its findings say why not.
local function look_at(own, group, row, progress)
  local report, err = look_before(own, group, row, progress)
  if not report then return nil, err end
  local snapshot = report.snapshot
  local seen = { ok = report.ok, status = snapshot.status, name = snapshot.name,
    checked = common.text_of(row.attach) }
  if report.ok then return seen end
  if stands_there(group, snapshot) then
    seen.ok, seen.already_there = true, true
    return seen
  end
  seen.findings = report.findings
  return seen, nil, snapshot.recover_point and snapshot.read_at - snapshot.recover_point
end

-- What looks that run at the same time share: whether any was read, and when the last one ended.
local function new_watch(loop, any_read)
  local watch = { any_read = any_read, last = loop.now() }
  function watch.ended(read)
    watch.any_read, watch.last = watch.any_read or read, loop.now()
  end
  function watch.is_behind(heard)
    return watch.any_read and loop.now() - math.max(watch.last, heard) >= BEHIND
  end
  return watch
end

local function behind()
  return nil, M.refusal { kind = "timeout", code = "Client.StepTimeout",
    message = ("it could not be read, while others could, for %d s"):format(BEHIND) }
end

-- Runs a look. Reads outlast an outage of the cloud; but if others can be read, the look is given
-- up after BEHIND seconds in which it made no progress and no other look ended.
local function look_within(own, watch, body)
  local heard = own.loop.now()
  local task <close> = own.loop.spawn(body, function() heard = own.loop.now() end)
  while not task:wait(SLICE) do
    if watch.is_behind(heard) then return behind() end
  end
  local seen, err, age = task:result()
  watch.ended(seen ~= nil)
  return seen, err, age
end

local function look_once(fleet, names, title, is_last)
  local params, items = fleet.run.params, {}
  for i, id in ipairs(names) do items[i] = { id = title .. id, group = id } end
  local watch = new_watch(fleet.run.loop, is_last)
  local looks = fleet.run:each(items, { parallel = params.parallel, max_groups = params.max_groups,
    word = "looked at",
    leave_out = function(item, err)
      local is_behind = not is_last and err.code == "Client.StepTimeout"
      return is_behind or fleet:left_out(item.group, err)
    end,
  }, function(item, own)
    local group = fleet:group(own, item.group)
    return own:step("check", function()
      local seen, err, age = look_within(own, watch, function(progress)
        return look_at(own, group, fleet:row(item.group), progress)
      end)
      fleet.ages[item.group], fleet.called[item.group] = age, seen and seen.name
      return seen, err
    end)
  end)
  for i, id in ipairs(names) do
    local seen = looks.ok[items[i].id]
    fleet.seen[id], fleet.unready[id] = seen == true and {} or seen, looks.left_out[items[i].id]
  end
end

-- Waits until one of the groups that were read before can be read again: then the cloud answers.
local function await_cloud(fleet)
  local id = tables.keys(fleet.seen)[1]
  fleet.run:step("cloud answers", { on_error = "continue" }, function(own)
    local snapshot, err = fleet:group(own, id):look()
    return snapshot and true, err
  end)
end

--- Looks at every group; one that is not ready or cannot be read is left out.
function Fleet:look()
  look_once(self, self.names, "ready ", false)
  local late = {}
  for _, id in ipairs(self.names) do
    local err = self.unready[id]
    if err and err.code == "Client.StepTimeout" then late[#late + 1] = id end
  end
  if #late == 0 then return end
  await_cloud(self)
  look_once(self, late, "once more ", true)
end

local PLACE = { failovered = 3, failover_failed = 2 }

--- The groups that can be moved, and those that are there already and replicate from there. Groups
--- that are open there or have failed before prove least as canaries and come last. Raises if there
--- are neither.
---@return string[] movable
---@return string[] standing
function Fleet:sort()
  local movable, standing, place = {}, {}, {}
  for i, id in ipairs(self.names) do
    local seen = self.seen[id]
    if seen then table.insert(seen.already_there and standing or movable, id) end
    place[id] = { PLACE[seen and seen.status] or 1, i }
  end
  table.sort(movable, function(a, b)
    local one, other = place[a], place[b]
    return one[1] < other[1] or one[1] == other[1] and one[2] < other[2]
  end)
  if #movable + #standing > 0 then return movable, standing end
  local id = tables.keys(self.unready)[1]
  local err = self.unready[id]
  return error(M.refusal { kind = err.kind, code = err.code, hint = err.hint,
    forcible = err.forcible,
    message = ("none of %d groups can be failed over; first: %s: %s"):format(#self.names, id,
      err.message) }, 0)
end

-- The group to suggest as a canary instead of another: one of its tier, if there is one, since a
-- canary of a later tier would let all of this tier go before it.
local function instead_of(id, movable, tier_of)
  local first
  for _, other in ipairs(movable) do
    if tier_of(other) == tier_of(id) then return other end
    if not first or tier_of(other) < tier_of(first) then first = other end
  end
  return first
end

--- Raises if a named canary is not among the groups that can be moved.
---@param canary integer|string[]
---@param movable string[]
---@param tier_of fun(id: string): integer
function Fleet:demand_canaries(canary, movable, tier_of)
  if type(canary) ~= "table" then return end
  local chosen, can = tables.set(self.names), tables.set(movable)
  for _, id in ipairs(canary) do
    local err = self.unready[id]
    if not can[id] then
      error(M.refusal { kind = err and err.kind, code = err and err.code or "Client.BadParameter",
        parameter = "canary",
        message = err and ("the canary %s is not ready: %s"):format(id, err.message)
          or chosen[id] and ("the canary %s stands there already and proves nothing"):format(id)
          or ("canary: unknown group %s%s"):format(schema.show(id),
            schema.did_you_mean(id, chosen)),
        hint = ("resumed with canary=%s, that one comes first; with canary=0, all go without one")
          :format(instead_of(id, movable, tier_of)) }, 0)
    end
  end
end

return M
