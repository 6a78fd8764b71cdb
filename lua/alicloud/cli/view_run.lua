--- Shows how production stands after a run, and what a person can correct.

local core = require "alicloud.core"
local fold = require "alicloud.cli.fold"
local shell = require "alicloud.base.shell"
local terminal = require "alicloud.cli.terminal"
local zones = require "alicloud.cli.zone"

local M = {}

-- Groups that are shown one by one; more are counted.
local MOST = 5
-- Fewer after a run that finished: all of its groups are served in the same way.
local MOST_AT_THE_END = 2

local COMMAND, WORDS = {}, { back = "to bring it back: ",
  open = "it is open in %s, so serve it there: ",
  turning = "it is open in %s and being protected again; that has to end, then resume: ",
  turned = "it is copied from %s now, so serve it there: ",
  opened = "to serve it in %s: " }

-- The options in `reach` say how to reach the service.
function COMMAND.back(way, reach, path, several)
  return shell.command("unfence", { path, several and way.group_id or nil }, reach)
end

-- Somebody else has opened the group: the playbook `failover` finds it open and serves it.
function COMMAND.open(way, reach)
  local words = { "failover", "group=" .. way.group_id, "region=" .. way.region }
  if way.zone then words[#words + 1] = "to=" .. way.zone end
  words[#words + 1] = "attach=" .. (way.attach or "INSTANCE")
  return shell.command("run", words, reach)
end

local function place_of(way, reach)
  local place = { shell.option("--region", way.region), table.unpack(reach) }
  if way.zone then table.insert(place, 2, shell.option("--to", way.zone)) end
  return place
end

function COMMAND.turning(way, reach)
  if way.failed then return shell.command("reprotect", { way.group_id }, place_of(way, reach)) end
  return shell.command("status", { way.group_id },
    { shell.option("--region", way.region), table.unpack(reach) })
end

function COMMAND.turned(way, reach)
  local place = place_of(way, reach)
  place[#place + 1] = shell.option("--attach", way.attach or "INSTANCE")
  return shell.command("serve", { way.group_id }, place)
end

COMMAND.opened = COMMAND.turned

--- The commands that bring up again what a run has left down, one for each of the first MOST
--- groups.
---@param ways alicloud.dr.WayUp[]
---@param path string path of the journal
---@param reach string[] options that say how to reach the service
---@return string[]
function M.commands_up(ways, path, reach)
  local list = {}
  for i = 1, math.min(#ways, MOST) do
    list[i] = COMMAND[ways[i].way](ways[i], reach, path, #ways > 1)
  end
  return list
end

--- The same commands for JSON.
---@param ended alicloud.Error|alicloud.dr.RunResult how the run has ended
---@param path string path of the journal
---@param reach string[] options that say how to reach the service
---@return string[]|nil nil: nothing is down
function M.bring_up(ended, path, reach)
  return ended.production_down and core.array(M.commands_up(ended.ways_up or {}, path, reach))
    or nil
end

--- The command for one group, with the words for its case.
---@param way alicloud.dr.WayUp
---@param path string path of the journal
---@param reach string[] options that say how to reach the service
---@param several? boolean whether the run has left several groups down
---@return string
function M.way_up(way, path, reach, several)
  return WORDS[way.way]:format(way.zone or way.region)
    .. COMMAND[way.way](way, reach, path, several)
end

local ELSEWHERE = { open = true, turned = true, opened = true }

--- The command that writes down that the first group runs elsewhere, so that the run does not count
--- as one that has left it down any more.
---@param ways alicloud.dr.WayUp[]
---@param path string path of the journal
---@param reach string[] options that say how to reach the service
---@return string|nil nil: it comes up where it was, or there is none
function M.once_up(ways, path, reach)
  local way = ways[1]
  return way and ELSEWHERE[way.way] and COMMAND.back(way, reach, path, true) or nil
end

local function ways_on(ways, path, reach, most)
  local lines = {}
  most = most or MOST
  for i = 1, math.min(#ways, most) do
    lines[i] = ("    %s%s\n"):format(#ways > 1 and ways[i].group_id .. ": " or "",
      M.way_up(ways[i], path, reach, #ways > 1))
  end
  local once_up = M.once_up(ways, path, reach)
  if once_up then lines[#lines + 1] = ("    once it runs there: %s\n"):format(once_up) end
  if #ways > most then
    lines[#lines + 1] = ("    and so on for %d more\n"):format(#ways - most)
  end
  return table.concat(lines)
end

--- The holder of a run in words, and since when it has the run.
---@param holder { owner: any, host: any, pid: any, since: any } from the note of a lock, unchecked
---@return string
function M.holder(holder)
  return ("held by %s (process %s on %s) since %s"):format(tostring(holder.owner),
    tostring(holder.pid), tostring(holder.host), zones.noted(holder.since))
end

--- How production stands; printed before the reason for which the run failed.
---@param err alicloud.Error of the run
---@param path string path of its journal
---@param reach string[] options that say how to reach the service
---@return string lines, "" if there is nothing to say
function M.standing(err, path, reach)
  if err.production_down then
    return ("alicloud-dr: %s\n"):format(terminal.clean(err.production_down, 2000))
      .. ways_on(err.ways_up or {}, path, reach)
  end
  return err.rolled_back
    and "alicloud-dr: rolled back: all is undone, and nothing is down that the run stopped\n" or ""
end

--- What a run that finished has left down, or has opened and not served.
---@param io alicloud.cli.Io
---@param result alicloud.dr.RunResult
---@param reach string[] options that say how to reach the service
---@return string lines, "" if there is nothing to say
function M.left_down(io, result, reach)
  if not result.production_down then return "" end
  return fold.hang(io, "    ! " .. terminal.clean(result.production_down, 1000), 6) .. "\n"
    .. fold.lines(io, ways_on(result.ways_up, result.journal, reach, MOST_AT_THE_END))
end

--- How to repeat a step in doubt that no look can decide, in case it was never done.
---@param err alicloud.Error
---@param go_on string the command that goes on
---@return string line, "" if there is no such step
function M.again(err, go_on)
  if not err.again then return "" end
  return ("    if it was never done:  %s %s\n"):format(go_on, shell.option("--again", err.again))
end

--- Parameters that can be corrected: with production down, or behind the point of no return, all of
--- them. Else only the one that the hint names without a value ("with attach=, …"), since a new run
--- can be begun instead; one with a value in the hint is a way to go on, and what was typed is not
--- wrong.
---@param err alicloud.Error
---@return string line, "" if there is none
function M.correctable(err)
  local names = (err.production_down or err.no_return) and err.correctable
    or { tostring(err.hint):match "with (%l[%l_]*)=," }
  if #names == 0 then return "" end
  return ("    if it is wrong: add %s=VALUE --why TEXT\n"):format(
    table.concat(names, "=VALUE or "))
end

return M
