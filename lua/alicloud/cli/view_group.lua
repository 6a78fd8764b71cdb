--- Shows groups, pre-checks and results to people. Text from the service goes through `clean` here.

local duration = require "alicloud.base.duration"
local fold = require "alicloud.cli.fold"
local plural = require "alicloud.base.plural"
local snapshots = require "alicloud.dr.model.snapshot"
local view_table = require "alicloud.cli.view_table"
local terminal = require "alicloud.cli.terminal"
local widths = require "alicloud.cli.width"
local zones = require "alicloud.cli.zone"

local M = {}

local clean = terminal.clean

local mark = terminal.mark

local function pair_count(snapshot)
  return plural.of(snapshot.pair_number or #snapshot.pairs, "pair")
end

-- The group's id, and its name if it has one.
local function named(io, snapshot)
  local id = clean(snapshot.group_id)
  local name = (snapshot.name or "") ~= "" and snapshot.name ~= snapshot.group_id
    and "  " .. widths.cut(clean(snapshot.name), 40) or ""
  return { text = terminal.paint(io, "bold", id) .. name, width = widths.of(id .. name) }
end

-- Joins facts in lines of the terminal's width; without a terminal in one line.
local function facts_line(io, first, parts)
  for i, part in ipairs(parts) do
    if type(part) == "string" then parts[i] = { text = part } end
  end
  local lines = view_table.wrap(parts, first .. "    ", io.tty and io.columns or math.huge)
  return first .. lines:sub(#first + 5) .. "\n"
end

--- A group in short: direction, status, pairs, age of the recovery point.
---@param io alicloud.cli.Io
---@param snapshot alicloud.dr.Snapshot
---@return string a line, or several on a narrow terminal
function M.group_line(io, snapshot)
  local reversed = snapshot.reversed and " (reversed)" or ""
  return facts_line(io, "  ", { named(io, snapshot),
    clean(snapshots.direction(snapshot)) .. reversed,
    clean(snapshot.status), pair_count(snapshot), snapshots.recovery_point_text(snapshot) })
end

--- A group in one line, which the caller may cut: the most important facts come first.
---@param snapshot alicloud.dr.Snapshot
---@param to? string the side that is meant, if one was named
---@return string
function M.short_line(snapshot, to)
  local age = snapshots.recover_point_age(snapshot)
  local name = (snapshot.name or "") ~= "" and snapshot.name ~= snapshot.group_id
    and "  " .. widths.cut(clean(snapshot.name), 16) or ""
  local parts = { clean(snapshot.group_id) .. name, clean(snapshots.direction(snapshot)),
    clean(snapshot.status), age and "RPO " .. duration.format(age) or "RPO unknown" }
  if to then parts[#parts + 1] = "to " .. clean(to) end
  parts[#parts + 1] = pair_count(snapshot)
  return "  " .. table.concat(parts, "   ")
end

--- The pairs of a group, one line each, more on a narrow terminal.
---@param io alicloud.cli.Io
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.pair_lines(io, snapshot)
  local lines = {}
  for _, pair in ipairs(snapshot.pairs) do
    local age = pair.recover_point and snapshot.read_at
      and duration.format(math.max(0, snapshot.read_at - pair.recover_point)) .. " ago"
      or pair.point_doubt and "unclear" or "none"
    lines[#lines + 1] = facts_line(io, "    ", { clean(pair.id), clean(pair.status),
      "recovery point " .. age, ("disk %s → %s"):format(clean(pair.source_disk or "?"),
      clean(pair.destination_disk or "?")) })
  end
  return table.concat(lines)
end

-- The short form has one mark for rules that belong together: the worst of their verdicts.
local SHORT = {
  { "group", { "exists" } },
  { "direction", { "direction", "secondary_site" } },
  { "status", { "status" } },
  { "first full sync", { "first_sync" } },
  { "pairs agree", { "pairs", "pair_set", "pair_states", "membership" } },
  { "zones", { "zones" } },
  { nil, { "rpo" } },
  { "permission (only the call can tell)", { "permission", "action_permission" } },
}

local RANK = { ok = 1, unknown = 2, block = 3 }

local function worst(by_id, ids)
  local result = by_id[ids[1]]
  for _, id in ipairs(ids) do
    if RANK[by_id[id].verdict] > RANK[result.verdict] then result = by_id[id] end
  end
  return result
end

local function short_text(entry, finding, snapshot)
  if finding.verdict == "block" then return finding.title end
  if entry[1] == "pairs agree" and finding.verdict == "ok" then
    return ("pairs %d/%d agree"):format(#snapshot.pairs, snapshot.pair_number or #snapshot.pairs)
  end
  return entry[1] or finding.fact
end

local INDENT = (" "):rep(14)

--- The pre-check in short: one mark for each entry of SHORT.
---@param io alicloud.cli.Io
---@param report alicloud.dr.Report
---@return string
function M.precheck_line(io, report)
  local by_id, parts = {}, {}
  for _, finding in ipairs(report.findings) do by_id[finding.id] = finding end
  for i, entry in ipairs(SHORT) do
    local finding = worst(by_id, entry[2])
    local text = clean(short_text(entry, finding, report.snapshot))
    parts[i] = { text = mark(io, finding.verdict) .. " " .. text, width = widths.of(text) + 2 }
  end
  local lines = view_table.wrap(parts, INDENT, math.max(io.columns, 60), "  ")
  return "  pre-check   " .. lines:sub(#INDENT + 1) .. "\n"
end

-- An unknown finding without a cure follows from another finding and is not shown.
local function is_obstacle(finding)
  return finding.verdict == "block" and not finding.forced
    or finding.verdict == "unknown" and not finding.only_call and finding.cure ~= nil
end

--- The findings that stand against a failover: code, fact and cure of each.
---@param io alicloud.cli.Io
---@param findings alicloud.dr.Finding[]
---@return string
function M.obstacles(io, findings)
  local lines = {}
  for _, finding in ipairs(findings) do
    if is_obstacle(finding) then
      lines[#lines + 1] = ("  %s %s\n%s\n"):format(mark(io, finding.verdict),
        terminal.paint(io, "bold", finding.code),
        fold.hang(io, "      " .. clean(finding.fact, 1000), 6))
      if finding.cure then
        local cure = "      what to do: " .. clean(finding.cure, 1000)
        lines[#lines + 1] = fold.hang(io, cure, 6) .. "\n"
      end
    end
  end
  return table.concat(lines)
end

local FACTS = 30
local UNTOLD = "only the call can tell"

-- Mark, title and fact; the code of a finding that is not ok stands behind them or on the next
-- line.
local function rule_line(io, finding)
  local margin = (" "):rep(FACTS)
  local title = widths.pad(finding.title, FACTS - 4)
  local fact = fold.hang(io, margin .. clean(finding.fact, 1000), FACTS)
  local line = ("  %s %s%s"):format(mark(io, finding.verdict), title, fact:sub(FACTS + 1))
  if finding.verdict == "ok" then return line .. "\n" end
  local size = widths.of(fact:match "[^\n]*$") + 3 + widths.of(finding.code)
  local gap = io.tty and size > io.columns and "\n" .. margin or "   "
  return line .. gap .. terminal.paint(io, "dim", finding.code) .. "\n"
end

local function add_rule(lines, io, finding)
  lines[#lines + 1] = rule_line(io, finding)
  if finding.cure and not finding.only_call and finding.verdict ~= "ok" then
    local cure = "      what to do: " .. clean(finding.cure, 1000)
    lines[#lines + 1] = fold.hang(io, cure, 6) .. "\n"
  end
end

local function untold_line(io, titles)
  local line = ("  ? %s%s"):format(widths.pad(UNTOLD, FACTS - 4), table.concat(titles, ", "))
  local text = fold.hang(io, line, FACTS)
  return "  " .. mark(io, "unknown") .. text:sub(4) .. "\n"
end

--- The pre-check in full: one line per rule with the fact that was read, obstacles first, and one
--- line for what only the call can tell.
---@param io alicloud.cli.Io
---@param report alicloud.dr.Report
---@return string
function M.precheck_table(io, report)
  local first, fine, titles = {}, {}, {}
  for _, finding in ipairs(report.findings) do
    if finding.only_call and finding.fact:find(UNTOLD, 1, true) then
      titles[#titles + 1] = finding.title
    else
      add_rule(finding.verdict == "ok" and fine or first, io, finding)
    end
  end
  return table.concat(first) .. table.concat(fine) .. untold_line(io, titles)
end

--- The question before a failover.
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.question(snapshot)
  return ("  Fail over 1 group, %s? Data since %s will be lost.\n"
    .. "  Type the group id to go on: "):format(plural.of(#snapshot.pairs, "disk"),
    snapshot.recover_point and zones.moment(snapshot.recover_point) or "an unknown time")
end

--- The progress of a failover: `failovering 2/3 pairs`.
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.progress(snapshot)
  return ("%s %d/%d pairs"):format(
    snapshot.role == "absent" and "not listed" or snapshot.status,
    snapshots.count(snapshot, "failovered"), snapshot.pair_number or #snapshot.pairs)
end

local function achieved_rpo(result)
  if not result.rpo then return "unknown" end
  local bound = result.rpo_basis == "observed" and "at most " or ""
  return ("%s%s (recovery point %s)"):format(bound, duration.format(result.rpo),
    zones.moment(result.recover_point))
end

local RPO_TO = { accepted = "loss to the accepted call", observed = "loss to the first look at it" }
local RTO_FROM = { sent = "time from the first call",
  start = "time from the start of this command" }

-- From where and to where RTO and RPO are counted.
local function counted(result)
  local from = RTO_FROM[result.rto_basis] or "time not known: it was begun before this command"
  if result.outage_at then
    local after = result.recover_point and result.recover_point - result.outage_at or 0
    local told = after > 0 and ("; copied until %s after it, so see whether the time is right")
      :format(duration.format(after)) or ""
    local at = zones.moment(result.outage_at)
    return ("    counted to and from the outage at %s%s\n"):format(at, told)
  end
  local to = RPO_TO[result.rpo_basis]
  return ("    %s%s\n"):format(to and to .. ", " or "", from)
end

local function request_id(result)
  if result.request_id then return clean(result.request_id) end
  local last = result.request_ids[#result.request_ids]
  return last and clean(last) .. " (of the unclear answer)" or "unknown (no answer came)"
end

--- The line with the next command.
---@param command string
---@return string
function M.next_line(command)
  return ("    next:   %s\n"):format(command)
end

--- The result of a failover.
---@param io alicloud.cli.Io
---@param result alicloud.dr.Result
---@return string
function M.result(io, result)
  if result.outcome == "already_failovered" then
    local loss = result.rpo and ("    RPO %s, counted to the outage at %s\n"):format(
      achieved_rpo(result), zones.moment(result.outage_at)) or ""
    return ("  %s already failovered: the group and %s are open in %s, nothing was sent\n%s")
      :format(mark(io, "ok"), plural.of(#result.pairs, "pair"),
        clean(snapshots.place_name(result.to)), loss)
  end
  local lines = { ("  %s failovered, RTO %s, RPO %s\n"):format(mark(io, "ok"),
    result.rto and duration.format(result.rto) or "not known", achieved_rpo(result)),
    counted(result) }
  if result.oldest_pair then
    lines[#lines + 1] = ("    oldest recovery point: %s\n"):format(clean(result.oldest_pair))
  end
  if result.joined then
    lines[#lines + 1] = "    a failover under way was awaited; this command did not begin it\n"
  else
    lines[#lines + 1] = ("    request id %s   client token %s   %s\n"):format(
      request_id(result), clean(result.client_token), plural.of(result.attempts, "attempt"))
  end
  if result.unseen then lines[#lines + 1] = ("    %s\n"):format(clean(result.unseen, 1000)) end
  for _, force in ipairs(result.forced or {}) do
    lines[#lines + 1] = ("    %s was overruled by %s: %s\n"):format(clean(force.code),
      clean(force.by), clean(force.why, 1000))
  end
  for _, force in ipairs(result.unneeded_force or {}) do
    lines[#lines + 1] = ("    --force %s was not needed\n"):format(clean(force.code))
  end
  return table.concat(lines)
end

return M
