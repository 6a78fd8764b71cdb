--- The decision that people are asked to approve at a gate: one plain value with all that the
--- answer depends on. The run makes it from its own state, the approvers sign its canonical text,
--- and a reader of the journal makes that text again from the record `gate_open`.

local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local journals = require "alicloud.dr.journal"
local snapshots = require "alicloud.dr.model.snapshot"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Decision
---@field version integer version of this format
---@field run string run id
---@field gate string
---@field playbook { name: string, digest: string }
---@field kind string
---@field mode string
---@field params table as the journal has them
---@field region string of the run's client
---@field groups { id: string, region: string, from: string?, to: string?,
---recover_point: number? }[] groups that the run has named before the gate, with direction and
---recovery point of the last look
---@field need integer how many approvals are needed
---@field approvers { name: string, key: string, from: "playbook"|"requester" }[] sorted by name;
---from: who gave the key
---@field expires number seconds for which an approval counts
---@field accept_loss { seconds: number, by: string, why: string }?
---@field force { code: string, why: string, by: string }[]? overruled findings of pre-checks
---@field skips { step: string, why: string, by: string? }[]? steps that will be skipped
---@field incident string?
---@field outage_at string? since when nothing has been written, as it was declared
---@field requester string

M.VERSION = 1

--- How many digits of a public key are shown.
M.KEY_DIGITS = 16

--- The fields that follow from the state of the run.
---@param state alicloud.dr.RunState
---@return table
function M.of_state(state)
  local run = state.run
  return { version = M.VERSION, run = run.run_id, kind = run.kind, mode = state.mode,
    playbook = { name = run.playbook, digest = state.digest }, params = state.params,
    region = state.region, accept_loss = state.accept_loss, incident = run.incident,
    force = state.force, outage_at = state.outage and state.outage.said,
    requester = run.requester }
end

-- The name of a place, with the zone, since both sides may lie in one region.
local function place_of(region, zone)
  return region and snapshots.place_name { region = region, zone = zone }
end

-- The groups that the branch, or a branch around it, has named; not those of other branches.
local function groups_of(engine, prefix)
  local list = core.array {}
  for _, bound in pairs(engine.bound) do
    if prefix:sub(1, #bound.prefix) == bound.prefix then
      local look = engine.state.looks[bound.id] or {}
      list[#list + 1] = { id = bound.id, region = bound.region,
        from = place_of(look.from, look.from_zone), to = place_of(look.to, look.to_zone),
        recover_point = look.recover_point }
    end
  end
  table.sort(list, function(a, b)
    if a.id ~= b.id then return a.id < b.id end
    return a.region < b.region
  end)
  return list
end

-- The steps that will be skipped; neither gates nor finished steps are among them.
local function skips_of(engine)
  local list = core.array {}
  for _, step in ipairs(tables.keys(engine.skips)) do
    local past, wish = engine.state.steps[step], engine.skips[step]
    local is_gate = step:find "^gate:" or step:find "/gate:"
    if not is_gate and not (past and past.status == "done") then
      list[#list + 1] = { step = step, why = wish.why, by = wish.by }
    end
  end
  return #list > 0 and list or nil
end

--- The decision at a gate, now.
---@param engine alicloud.dr.Engine
---@param prefix string of the branch
---@param gate string key
---@param options alicloud.dr.GateOptions checked
---@param approvers { name: string, key: string, from: string }[]
---@return alicloud.dr.Decision
function M.now(engine, prefix, gate, options, approvers)
  local decision = M.of_state(engine.state)
  decision.gate, decision.need, decision.expires = gate, options.need, options.seconds
  decision.approvers, decision.groups = approvers, groups_of(engine, prefix)
  decision.skips = skips_of(engine)
  return journals.plain(decision)
end

--- The canonical JSON of a decision; an approval signs it with signer and time.
---@param decision alicloud.dr.Decision
---@return string
function M.text(decision)
  return core.encode(decision)
end

--- The digest of a decision, which names it in an approval.
---@param decision alicloud.dr.Decision
---@return string sha256, 64 hexadecimal digits
function M.digest(decision)
  return core.sha256("alicloud-dr decision\n" .. M.text(decision))
end

-- The text of all fields but groups and skips, which are compared in other ways.
local function rest_of(decision)
  local copy = tables.copy(decision)
  copy.groups, copy.skips = nil, nil
  return core.encode(copy)
end

local function differs(a, b)
  return a ~= nil and b ~= nil and a ~= b
end

local function has_group(decision, group, turned)
  for _, known in ipairs(decision.groups) do
    if known.id == group.id and known.region == group.region then
      return turned or not (differs(known.from, group.from) or differs(known.to, group.to))
    end
  end
  return false
end

-- The entry of a group in another decision, if its source is the same.
local function same_group(decision, group)
  for _, known in ipairs(decision.groups) do
    if known.id == group.id and known.region == group.region and known.from == group.from then
      return known
    end
  end
end

--- Whether more would be lost now than was shown: a recovery point is older, or no longer known.
---@param asked alicloud.dr.Decision the one that was approved
---@param now alicloud.dr.Decision
---@return boolean
function M.loses_more(asked, now)
  for _, group in ipairs(now.groups) do
    local known = same_group(asked, group)
    local shown = known and known.recover_point
    if shown and (group.recover_point or 0) < shown then return true end
  end
  return false
end

--- Whether a step would be skipped now that was not shown to the approvers.
---@param asked alicloud.dr.Decision
---@param now alicloud.dr.Decision
---@return boolean
function M.leaves_out_more(asked, now)
  local told = tables.index(asked.skips or {}, "step")
  for _, skip in ipairs(now.skips or {}) do
    if not told[skip.step] then return true end
  end
  return false
end

--- Whether approvals of an earlier decision hold for the present one. That may lack groups, since a
--- resumed run does not name the groups of finished steps again.
---@param asked alicloud.dr.Decision
---@param now alicloud.dr.Decision
---@param turned boolean ignore other directions, a larger loss and more skips: after the gate the
---run itself reverses groups
---@return boolean
function M.covers(asked, now, turned)
  if rest_of(asked) ~= rest_of(now) then return false end
  local worse = M.loses_more(asked, now) or M.leaves_out_more(asked, now)
  if worse and not turned then return false end
  for _, group in ipairs(now.groups) do
    if not has_group(asked, group, turned) then return false end
  end
  return true
end

--- The first field of a decision that contradicts the records before it; nil: there is none.
---@param decision alicloud.dr.Decision
---@param state alicloud.dr.RunState of the records before it
---@return string|nil field
function M.contradiction(decision, state)
  local told = M.of_state(state)
  for _, name in ipairs { "version", "run", "playbook", "kind", "mode", "params", "region",
    "accept_loss", "force", "incident", "outage_at", "requester" } do
    if core.encode { decision[name] } ~= core.encode { told[name] } then return name end
  end
  return nil
end

--- The public key of a name.
---@param decision alicloud.dr.Decision
---@param name string
---@return string|nil key
---@return string|nil from
function M.key_of(decision, name)
  for _, approver in ipairs(decision.approvers) do
    if approver.name == name then return approver.key, approver.from end
  end
  return nil
end

local function shown(value)
  return type(value) == "string" and value or core.encode(value)
end

local function parameters_of(params)
  local list = {}
  for _, name in ipairs(tables.keys(params)) do
    list[#list + 1] = name .. "=" .. shown(params[name])
  end
  return #list > 0 and table.concat(list, " ") or "none"
end

local function direction_of(group)
  if not (group.from and group.to) then return "direction not looked at yet" end
  return ("%s → %s"):format(group.from, group.to)
end

local FROM = { playbook = "from the playbook",
  requester = "given by whoever runs it" }

--- The decision in words, for the person who signs it. Texts are as they were given, not cleaned.
---@param decision alicloud.dr.Decision
---@return { [1]: string, [2]: string }[] label and value
function M.words(decision)
  local loss, lines = decision.accept_loss, {}
  local function add(label, value) lines[#lines + 1] = { label, value } end
  add("gate", ("%s, of run %s"):format(decision.gate, decision.run))
  add("playbook", decision.playbook.name)
  add("its digest", decision.playbook.digest)
  add("kind", ("%s, %s"):format(decision.kind, decision.mode))
  for _, group in ipairs(decision.groups) do
    local point = group.recover_point and core.iso8601(math.floor(group.recover_point))
    add("group", ("%s in %s, %s%s"):format(group.id, group.region, direction_of(group),
      point and ", last recovery point " .. point or ""))
  end
  add("parameters", parameters_of(decision.params))
  add("region", decision.region)
  add("data loss", loss and ("up to %s is accepted by %s: %s"):format(
    duration.format(loss.seconds), loss.by, loss.why)
    or "nothing accepted beyond the parameters")
  for _, force in ipairs(decision.force or {}) do
    add("overruled", ("%s, by %s: %s"):format(force.code, force.by, force.why))
  end
  for _, skip in ipairs(decision.skips or {}) do
    add("left out", ("step %s, by %s: %s"):format(skip.step, skip.by or "?", skip.why))
  end
  if decision.outage_at then add("outage", "nothing written since " .. decision.outage_at) end
  if decision.incident then add("incident", decision.incident) end
  add("asked for by", decision.requester)
  add("approvals", ("%d of %d; each counts for %s"):format(decision.need, #decision.approvers,
    duration.format(decision.expires)))
  for _, each in ipairs(decision.approvers) do
    add("approver", ("%s, key %s…, %s"):format(each.name, each.key:sub(1, M.KEY_DIGITS),
      FROM[each.from] or each.from))
  end
  return lines
end

return M
