--- The words and lines in which people see groups, pre-checks and results. Every text that came
--- from the service goes through `clean` on its way here.

local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local fold = require "alicloud.cli.fold"
local snapshots = require "alicloud.dr.model.snapshot"
local terminal = require "alicloud.cli.terminal"

local M = {}

local clean = terminal.clean

local mark = terminal.mark

--- A moment, as people in all time zones read it alike.
---@param unix number
---@return string
function M.moment(unix)
  return (core.iso8601(unix):gsub("T", " "):gsub("Z", " UTC"))
end

local function plural(count, word)
  return ("%d %s%s"):format(count, word, count == 1 and "" or "s")
end

local function pair_count(snapshot)
  return plural(snapshot.pair_number or #snapshot.pairs, "pair")
end

--- One line about a group: direction, status, pairs, age of the recovery point.
---@param io alicloud.cli.Io
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.group_line(io, snapshot)
  local reversed = snapshot.reversed and " (reversed)" or ""
  return ("  %s   %s%s   %s   %s   %s\n"):format(
    terminal.paint(io, "bold", clean(snapshot.group_id)), clean(snapshots.direction(snapshot)),
    reversed, clean(snapshot.status), pair_count(snapshot),
    snapshots.recovery_point_text(snapshot))
end

local HEADINGS = { "GROUP", "DIRECTION", "STATUS", "PAIRS", "RECOVERY POINT", "THIS REGION IS" }

local function table_row(snapshot)
  local age = snapshots.recover_point_age(snapshot)
  return {
    clean(snapshot.group_id, 40), clean(snapshots.direction(snapshot), 80),
    clean(snapshot.status, 30), tostring(snapshot.pair_number or #snapshot.pairs),
    age and duration.format(age) .. " ago" or snapshot.recover_point and "age unknown" or "none",
    snapshot.role == "secondary" and "secondary site" or snapshot.role .. " site",
  }
end

local function width(text)
  return utf8.len(text) or #text
end

-- Lines of the rows with their cells one under the other, and the length of the longest.
local function aligned(rows)
  local widths, lines, longest = {}, {}, 0
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, width(cell)) end
  end
  for n, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do cells[i] = cell .. (" "):rep(widths[i] - width(cell)) end
    lines[n] = "  " .. table.concat(cells, "   "):gsub("%s+$", "") .. "\n"
    longest = math.max(longest, width(lines[n]) - 1)
  end
  return lines, longest, widths[1]
end

-- Two lines for each group; what the headings say stands beside the facts.
local function stacked(list, rows)
  local heads = {}
  for i in ipairs(list) do heads[i] = { table.unpack(rows[i + 1], 1, 3) } end
  local lines, _, first = aligned(heads)
  for i, snapshot in ipairs(list) do
    lines[i] = ("%s%s%s   %s   %s\n"):format(lines[i], (" "):rep(2 + first + 3),
      pair_count(snapshot), snapshots.recovery_point_text(snapshot), rows[i + 1][6])
  end
  return table.concat(lines)
end

--- A table of groups, or two lines for each where the terminal is too narrow for it.
---@param io alicloud.cli.Io
---@param list alicloud.dr.Snapshot[]
---@return string
function M.group_table(io, list)
  local rows = { HEADINGS }
  for i, snapshot in ipairs(list) do rows[i + 1] = table_row(snapshot) end
  local lines, longest = aligned(rows)
  if io.tty and longest > io.columns then return stacked(list, rows) end
  return table.concat(lines)
end

--- The pairs of a group, one line each.
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.pair_lines(snapshot)
  local lines = {}
  for _, pair in ipairs(snapshot.pairs) do
    local age = pair.recover_point and snapshot.read_at
      and duration.format(math.max(0, snapshot.read_at - pair.recover_point)) .. " ago" or "none"
    lines[#lines + 1] = ("    %s   %s   recovery point %s   disk %s → %s\n"):format(
      clean(pair.id), clean(pair.status), age, clean(pair.source_disk or "?"),
      clean(pair.destination_disk or "?"))
  end
  return table.concat(lines)
end

-- Rules that are one thought to a person share a mark in the short form, the worst of theirs.
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

-- Joins the parts into lines that are no wider than the terminal.
local function wrap(parts, columns)
  local lines, length = { "" }, #INDENT
  for _, part in ipairs(parts) do
    local size = part.width + 2
    if length + size > columns and lines[#lines] ~= "" then
      lines[#lines + 1], length = "", #INDENT
    end
    lines[#lines] = lines[#lines] .. (lines[#lines] == "" and "" or "  ") .. part.text
    length = length + size
  end
  return table.concat(lines, "\n" .. INDENT)
end

--- The pre-check in short, rule by rule.
---@param io alicloud.cli.Io
---@param report alicloud.dr.Report
---@return string
function M.precheck_line(io, report)
  local by_id, parts = {}, {}
  for _, finding in ipairs(report.findings) do by_id[finding.id] = finding end
  for i, entry in ipairs(SHORT) do
    local finding = worst(by_id, entry[2])
    local text = clean(short_text(entry, finding, report.snapshot))
    parts[i] = { text = mark(io, finding.verdict) .. " " .. text, width = width(text) + 2 }
  end
  return "  pre-check   " .. wrap(parts, math.max(io.columns, 60)) .. "\n"
end

--- What stands against a failover: code, fact and cure of each finding.
---@param io alicloud.cli.Io
---@param findings alicloud.dr.Finding[]
---@return string
function M.obstacles(io, findings)
  local lines = {}
  for _, finding in ipairs(findings) do
    if finding.verdict ~= "ok" and not finding.only_call then
      lines[#lines + 1] = ("  %s %s\n      %s\n"):format(mark(io, finding.verdict),
        terminal.paint(io, "bold", finding.code), clean(finding.fact))
      if finding.cure then
        lines[#lines + 1] = "      what to do: " .. clean(finding.cure, 1000) .. "\n"
      end
    end
  end
  return table.concat(lines)
end

local FACTS = 30

-- The fact, and the code beside its end, or below it where the terminal is too narrow.
local function fact_and_code(io, finding)
  local margin = (" "):rep(FACTS)
  local fact = fold.hang(io, margin .. clean(finding.fact), FACTS)
  local size = width(fact:match "[^\n]*$") + 3 + width(finding.code)
  local gap = io.tty and size > io.columns and "\n" .. margin or "   "
  return fact:sub(FACTS + 1) .. gap .. terminal.paint(io, "dim", finding.code)
end

--- The pre-check, one rule a line with the documented code and the fact that was read.
---@param io alicloud.cli.Io
---@param report alicloud.dr.Report
---@return string
function M.precheck_table(io, report)
  local lines = {}
  for _, finding in ipairs(report.findings) do
    lines[#lines + 1] = ("  %s %-26s%s\n"):format(mark(io, finding.verdict), finding.title,
      fact_and_code(io, finding))
    if finding.cure and not finding.only_call then
      local cure = "      what to do: " .. clean(finding.cure, 1000)
      lines[#lines + 1] = fold.hang(io, cure, 6) .. "\n"
    end
  end
  return table.concat(lines)
end

--- The question before a failover.
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.question(snapshot)
  return ("  Fail over 1 group, %s? Data since %s will be lost.\n"
    .. "  Type the group id to go on: "):format(plural(#snapshot.pairs, "disk"),
    snapshot.recover_point and M.moment(snapshot.recover_point) or "an unknown time")
end

--- How far a failover is: `failovering 2/3 pairs`.
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
    M.moment(result.recover_point))
end

local function request_id(result)
  if result.request_id then return clean(result.request_id) end
  local last = result.request_ids[#result.request_ids]
  return last and clean(last) .. " (of the unclear answer)" or "unknown (no answer came)"
end

--- How a failover ended well.
---@param io alicloud.cli.Io
---@param result alicloud.dr.Result
---@return string
function M.result(io, result)
  if result.outcome == "already_failovered" then
    return ("  %s already failovered: the group and %s are open in %s, nothing was sent\n"):format(
      mark(io, "ok"), plural(#result.pairs, "pair"), clean(snapshots.place_name(result.to)))
  end
  local lines = { ("  %s failovered, RTO %s, RPO %s\n"):format(mark(io, "ok"),
    duration.format(result.rto), achieved_rpo(result)) }
  if result.oldest_pair then
    lines[#lines + 1] = ("    oldest recovery point: %s\n"):format(clean(result.oldest_pair))
  end
  if result.joined then
    lines[#lines + 1] = "    somebody else's failover was awaited, it was not begun by this run\n"
  else
    lines[#lines + 1] = ("    request id %s   client token %s   %s\n"):format(
      request_id(result), clean(result.client_token), plural(result.attempts, "attempt"))
  end
  return table.concat(lines)
end

return M
