--- Shows pre-checks of many groups, one line each, obstacles first.

local duration = require "alicloud.base.duration"
local snapshots = require "alicloud.dr.model.snapshot"
local terminal = require "alicloud.cli.terminal"
local widths = require "alicloud.cli.width"

local M = {}

local ORDER = { "block", "unknown", "ok" }

local clean = terminal.clean

local function by_verdict(list)
  local of = { block = {}, unknown = {}, ok = {} }
  for _, line in ipairs(list.lines) do table.insert(of[line.verdict], line) end
  return of
end

local function words_of(line)
  if not line.ok then return ("%s   %s"):format(clean(line.fact, 1000), clean(line.code)) end
  local snapshot = line.report.snapshot
  local age = snapshots.recover_point_age(snapshot)
  return ("%s, %s"):format(clean(snapshot.status), age and "RPO " .. duration.format(age)
    or "RPO unknown")
end

-- One line, cut at the terminal's width: the group's own pre-check shows the rest.
local function row(io, line, room)
  local text = ("%-7s  %s  %s"):format(line.verdict, widths.pad(clean(line.group_id), room),
    words_of(line))
  if io.tty then text = widths.cut(text, io.columns - 5) end
  return ("  %s %s\n"):format(terminal.mark(io, line.verdict), text)
end

local function counts_of(of, total)
  local parts = {}
  for _, verdict in ipairs(ORDER) do
    if #of[verdict] > 0 then parts[#parts + 1] = ("%d %s"):format(#of[verdict], verdict) end
  end
  return ("of %d: %s"):format(total, table.concat(parts, ", "))
end

--- One line per group, and the count of each verdict.
---@param io alicloud.cli.Io
---@param list alicloud.dr.PrecheckList at least one group
---@param quiet boolean? only groups that are not ok
---@param command_of fun(group_id: string): string the command that shows a group's whole pre-check
---@return string
function M.text(io, list, quiet, command_of)
  if quiet and list.ok then return "" end
  local of, room, lines = by_verdict(list), 0, {}
  for _, line in ipairs(list.lines) do
    room = math.max(room, widths.of(clean(line.group_id)))
  end
  for _, verdict in ipairs(ORDER) do
    for _, line in ipairs(quiet and verdict == "ok" and {} or of[verdict]) do
      lines[#lines + 1] = row(io, line, room)
    end
  end
  lines[#lines + 1] = ("  %s\n"):format(counts_of(of, #list.lines))
  local worst = of.block[1] or of.unknown[1]
  if worst then
    lines[#lines + 1] = ("    all of one:  %s\n"):format(command_of(worst.group_id))
  end
  return table.concat(lines)
end

return M
