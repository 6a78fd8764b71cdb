--- Shows a fleet on the terminal: items as they end, and its state.

local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local fleet_orders = require "alicloud.cli.fleet_order"
local fold = require "alicloud.cli.fold"
local lazy = require "alicloud.base.lazy"
local shell = require "alicloud.base.shell"
local terminal = require "alicloud.cli.terminal"
local widths = require "alicloud.cli.width"
local zones = require "alicloud.cli.zone"

---@module "alicloud.cli.headway_line"
local headway_lines = lazy.module "alicloud.cli.headway_line"
---@module "alicloud.dr.fleet.division"
local divisions = lazy.module "alicloud.dr.fleet.division"

local M = {}

local NAMES = 36
-- Most items of a state that are shown one by one.
local MOST = 20

local SIGNS = { done = { "green", "✔" }, failed = { "red", "✘" }, left_out = { "yellow", "-" },
  under_way = { "yellow", "…" } }

local function line(io, state, name, words)
  local sign = SIGNS[state]
  local text = ("  %s %s %s"):format(sign[2], widths.pad(terminal.clean(name), NAMES), words)
  local folded = fold.hang(io, text, 6)
  io.out("  " .. terminal.paint(io, sign[1], sign[2]) .. folded:sub(3 + #sign[2]) .. "\n")
end

local function words_of(ending)
  if ending.outcome == "done" then
    local exceptions = ending.status == "completed_with_exceptions" and ", with exceptions" or ""
    return duration.format(ending.seconds) .. exceptions
  end
  return ("%s%s: %s"):format(ending.outcome == "left_out" and "left out: " or "",
    terminal.clean(ending.code), terminal.clean(ending.message, 300))
end

--- Returns the function that shows items as they end, and the progress of the fleet.
---@param io alicloud.cli.Io
---@return fun(event: table)
function M.progress(io)
  local show_headway = headway_lines.of(io)
  return function(event)
    if event.type == "headway" then return show_headway(event) end
    if event.type ~= "item" then return end
    local item, ending = event.item, event.ending
    line(io, ending.outcome, divisions.name_of(item),
      ("%s, %d left"):format(words_of(ending), event.left))
  end
end

local function counts_of(status)
  local parts = {}
  for _, name in ipairs { "done", "under_way", "open", "failed", "left_out" } do
    if status[name] > 0 then
      parts[#parts + 1] = ("%d %s"):format(status[name], (name:gsub("_", " ")))
    end
  end
  return ("of %d: %s"):format(status.count, table.concat(parts, ", "))
end

local function in_state(status, state)
  local list = {}
  for _, item in ipairs(status.items) do
    if item.state == state then list[#list + 1] = item end
  end
  return list
end

-- Shows the first items of a list, and a command for the rest.
local function each(io, list, args, show)
  for i = 1, math.min(#list, MOST) do show(list[i]) end
  if #list > MOST then
    io.out(("    and %d more: %s\n"):format(#list - MOST,
      fleet_orders.command(args, { "--status", "--json" })))
  end
end

local function show_under_way(io, status, args)
  each(io, in_state(status, "under_way"), args, function(item)
    line(io, "under_way", divisions.name_of(item),
      ("%s (pid %s on %s) since %s"):format(terminal.clean(item.holder.owner or "?"),
        terminal.clean(item.holder.pid or "?"), terminal.clean(item.holder.host or "?"),
        terminal.clean(zones.noted(item.holder.since or "?"))))
  end)
end

local function show_bad(io, status, state, args)
  each(io, in_state(status, state), args, function(item)
    local name = divisions.name_of(item)
    line(io, state, name, words_of(item.ending))
    io.out(("      why:    %s\n      again:  %s\n"):format(
      shell.command("explain", { item.journal }),
      fleet_orders.command(args, { shell.option("--again", name) })))
  end)
end

local function show_hold(io, status, args)
  if not status.hold then return end
  local since = status.hold.at and " since " .. zones.moment(status.hold.at) or ""
  io.out(fold.hang(io, ("  on hold%s: %s (by %s)"):format(since,
    terminal.clean(status.hold.why, 500), terminal.clean(status.hold.by)), 6) .. "\n")
  io.out(("    release it:  %s\n"):format(fleet_orders.command(args, { "--release" })))
end

--- Prints the state of a fleet.
---@param io alicloud.cli.Io
---@param status alicloud.dr.FleetStatus
---@param args table
function M.status(io, status, args)
  local stage = status.stages > 1 and (", stage %d of %d"):format(status.stage, status.stages)
    or ""
  io.out(("  %s   %s%s   %s\n"):format(terminal.clean(status.name),
    terminal.clean(status.playbook), stage, counts_of(status)))
  show_hold(io, status, args)
  show_under_way(io, status, args)
  show_bad(io, status, "failed", args)
  show_bad(io, status, "left_out", args)
  if status.open > 0 then
    io.out(("    take what is open:  %s\n"):format(fleet_orders.join_command(args)))
  end
end

--- The state of a fleet for `--json`.
---@param status alicloud.dr.FleetStatus
---@return table
function M.object(status)
  return { fleet = status.name, playbook = status.playbook, count = status.count,
    done = status.done, failed = status.failed, left_out = status.left_out,
    under_way = status.under_way, open = status.open, stage = status.stage,
    stages = status.stages, hold = status.hold, items = core.array(status.items) }
end

return M
