--- Notes what a verb of a group has left for a person to end by hand, with the command for it.

local shell = require "alicloud.base.shell"
local ways = require "alicloud.dr.playbook.way"

local M = {}

local function command(engine, verb, arguments, region)
  return shell.command(verb, arguments, { shell.option("--region", region),
    table.unpack(ways.options(engine.state.way)) })
end

--- Notes a drill that is not cleared; if its id is not known, with the command that lists drills.
---@param engine alicloud.dr.Engine
---@param event { group_id: string, region: string, drill_id: string?, err: alicloud.Error }
function M.drill(engine, event)
  local id, group = event.drill_id, event.group_id
  engine:leave_open(("%s of %s is not cleared and costs money (%s): %s"):format(
    id and "drill " .. id or "a drill that may have been started", group, event.err.message,
    id and command(engine, "drill clear", { group, id }, event.region)
      or command(engine, "drill list", { group }, event.region)))
end

--- Notes a failback that was cut off after it may have stopped production.
---@param engine alicloud.dr.Engine
---@param event { group_id: string, region: string, to: string, step: string }
function M.stopped(engine, event)
  engine:leave_open(("the failback of %s was cut off in its step %s: what ran in %s may be stopped "
    .. "for it, and is not served in %s yet; look: %s"):format(event.group_id, event.step,
    event.region, event.to, command(engine, "status", { event.group_id }, event.region)))
end

return M
