--- The words about a run that has ended badly: how production stands, and what could be mended.

local shell = require "alicloud.base.shell"
local terminal = require "alicloud.cli.terminal"

local M = {}

-- What somebody else has opened is served by the playbook that finds it open.
local function forward(opened)
  local words = { "failover", "group=" .. opened.group_id, "region=" .. opened.region }
  if opened.zone then words[#words + 1] = "to=" .. opened.zone end
  words[#words + 1] = "attach=" .. (opened.attach or "INSTANCE")
  return ("    it is open in %s, so serve it there: %s\n"):format(
    terminal.clean(opened.zone or opened.region), shell.command("run", words))
end

--- How production stands, which is said before why the run has ended.
---@param err alicloud.Error of the run
---@param path string of its journal
---@return string lines, or nothing
function M.standing(err, path)
  if err.production_down then
    local way = err.may_come_back and "    or back: " .. shell.command("unfence", { path }) .. "\n"
      or err.opened_by_others and forward(err.opened_by_others) or ""
    return ("alicloud-dr: %s\n"):format(terminal.clean(err.production_down, 2000)) .. way
  end
  return err.rolled_back
    and "alicloud-dr: rolled back: what the run had stopped is seen to run again\n" or ""
end

--- How the step is done once more of which no look tells whether it was done.
---@param err alicloud.Error
---@param go_on string the command that goes on
---@return string line, or nothing
function M.again(err, go_on)
  if not err.again then return "" end
  return ("    if it was never done:  %s %s\n"):format(go_on, shell.option("--again", err.again))
end

--- Which parameters can be corrected. Where a new run could be begun, nobody needs to; only the one
--- that the error's own cure names (with attach=) is told then.
---@param err alicloud.Error
---@return string line, or nothing
function M.correctable(err)
  local names = err.production_down and err.correctable
    or { tostring(err.hint):match "with (%l[%l_]*)=" }
  if #names == 0 then return "" end
  return ("    if it is wrong: add %s=VALUE --why TEXT\n"):format(
    table.concat(names, "=VALUE or "))
end

return M
