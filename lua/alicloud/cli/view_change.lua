--- Shows to people what comes after a failover: reprotection, drills, readiness.

local duration = require "alicloud.base.duration"
local fold = require "alicloud.cli.fold"
local lazy = require "alicloud.base.lazy"
local plural = require "alicloud.base.plural"
local shell = require "alicloud.base.shell"
local snapshots = require "alicloud.dr.model.snapshot"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"
local zones = require "alicloud.cli.zone"

---@module "alicloud.dr.read.attachment"
local attachment = lazy.module "alicloud.dr.read.attachment"
---@module "alicloud.dr.read.readiness"
local readiness = lazy.module "alicloud.dr.read.readiness"

local M = {}

local clean = terminal.clean

local mark = terminal.mark

--- The question before a reprotection.
---@param snapshot alicloud.dr.Snapshot
---@param reverse boolean
---@return string
function M.reprotect_question(snapshot, reverse)
  local from = clean(snapshots.place_name(snapshot.from))
  local to = clean(snapshots.place_name(snapshot.to))
  local count = plural.of(#snapshot.pairs, "pair")
  local loss = reverse
      and ("Turn 1 group, %s, round: %s → %s? The disks in %s will be overwritten.")
        :format(count, to, from, from)
    or ("Take the failover of 1 group, %s, back? What was written in %s since will be "
      .. "overwritten."):format(count, to)
  return ("  %s\n  Type the group id to go on: "):format(loss)
end

local function call_line(result)
  if result.attempts == 0 then return "" end
  return ("    request id %s   client token %s   attempts %d\n"):format(
    clean(result.request_id or "unknown (no answer came)"), clean(result.client_token or "none"),
    result.attempts)
end

local function old_side_line(side)
  if not side then return "" end
  if not side.known then return "    old side not known: " .. clean(side.why) .. "\n" end
  local list = {}
  for i, disk in ipairs(side.disks) do list[i] = attachment.describe(disk) end
  return "    old side: " .. clean(table.concat(list, ", "), 1000) .. "\n"
end

--- The result of a reprotection.
---@param io alicloud.cli.Io
---@param result alicloud.dr.ReprotectResult
---@return string
function M.reprotected(io, result)
  local direction = clean(snapshots.direction(result))
  if result.outcome == "already_reprotected" then
    return ("  %s already so: %s, %s, nothing was sent\n"):format(mark(io, "ok"), direction,
      clean(result.snapshot.status))
  end
  return ("  %s reprotected in %s: %s, stopped; replication does not flow before it is started\n")
    :format(mark(io, "ok"), duration.format(result.elapsed), direction)
    .. old_side_line(result.old_side) .. call_line(result)
end

--- The question before a drill.
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.drill_question(snapshot)
  return ("  Start a drill of 1 group? %d new pay-as-you-go disks are billed until it is cleared.\n"
    .. "  Type the group id to go on: "):format(#snapshot.pairs)
end

--- The question before a drill is cleared.
---@param drill alicloud.dr.Drill
---@return string
function M.clear_question(drill)
  return ("  Clear drill %s? Its %s and what is on them are deleted.\n"
    .. "  Type the drill id to go on: "):format(clean(drill.id),
    plural.of(#drill.disks, "disk"))
end

--- The result of starting a drill.
---@param io alicloud.cli.Io
---@param result alicloud.dr.DrillResult
---@return string
function M.drill_started(io, result)
  local lines = { ("  %s drill %s, %s ready in %s, recovery point %s\n"):format(
    mark(io, "ok"), clean(result.drill_id), plural.of(#result.disks, "disk"),
    duration.format(result.elapsed),
    result.recover_point and zones.moment(result.recover_point) or "unknown") }
  for _, disk in ipairs(result.disks) do
    lines[#lines + 1] = ("    %s   disk %s\n"):format(clean(disk.pair), clean(disk.disk or "?"))
  end
  lines[#lines + 1] = ("    billed until:  %s\n"):format(shell.command("drill clear",
    { result.group_id, result.drill_id }, { shell.option("--region", result.region) }))
  return table.concat(lines) .. call_line(result)
end

--- The result of clearing a drill.
---@param io alicloud.cli.Io
---@param result alicloud.dr.DrillResult
---@param look string the command that lists the open drills
---@return string
function M.drill_cleared(io, result, look)
  if result.outcome == "not_open" then
    local ids = {}
    for i, drill in ipairs(result.open) do ids[i] = drill.id end
    return ("  %s drill: %s has no open drill %s, nothing was sent; it has %s\n"
      .. "    cleared before, or the drill of another group? look:\n    %s\n"):format(
      mark(io, "fail"), clean(result.group_id), clean(result.drill_id),
      #ids > 0 and clean(tables.few(ids), 1000) or "none", look)
  end
  return ("  %s drill %s and its disks are gone, after %s\n"):format(mark(io, "ok"),
    clean(result.drill_id), duration.format(result.elapsed))
end

--- The list of open drills.
---@param io alicloud.cli.Io
---@param region string
---@param drills alicloud.dr.Drill[]
---@param group_id string? the group of the drills; nil: they are of all groups
---@return string
function M.drill_lines(io, region, drills, group_id)
  if #drills == 0 then
    return ("  no open drill %sin %s\n"):format(group_id and "of " .. group_id .. " " or "", region)
  end
  local lines = {}
  for _, drill in ipairs(drills) do
    lines[#lines + 1] = ("  %s   %s   %s%s\n"):format(
      terminal.paint(io, "bold", clean(drill.group_id)), clean(drill.id), clean(drill.status),
      drill.age and ", started " .. duration.format(drill.age) .. " ago" or "")
    if drill.warning then
      lines[#lines + 1] = ("    %s %s\n"):format(mark(io, "warn"), drill.warning)
    end
  end
  return table.concat(lines)
end

--- One line per group.
---@param io alicloud.cli.Io
---@param report alicloud.dr.ReadinessReport
---@param quiet? boolean only groups that are not ok
---@param none string words for a list without groups
---@return string
function M.readiness(io, report, quiet, none)
  if #report.lines == 0 then return ("  %s %s\n"):format(mark(io, "fail"), none) end
  local lines = {}
  for _, line in ipairs(report.lines) do
    if not quiet or line.verdict ~= "ok" then
      local text = fold.hang(io, "    " .. clean(readiness.describe(line), 1000), 10)
      lines[#lines + 1] = ("  %s %s\n"):format(mark(io, line.verdict), text:sub(5))
    end
  end
  return table.concat(lines)
end

return M
