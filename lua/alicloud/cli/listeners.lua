--- Passes on what a command does to its traces and its events. A failure of these changes nothing
--- of the command.

local guard = require "alicloud.base.guard"

local M = {}

local LISTENERS = { "tracing", "events" }

--- Calls a method of each listener that has it.
---@param io alicloud.cli.Io
---@param what "about"|"change"|"failed"|"outcome"|"record" the method
---@param ... any
function M.tell(io, what, ...)
  for _, name in ipairs(LISTENERS) do
    local listener = io[name]
    if listener and listener[what] then guard.call(listener[what], listener, ...) end
  end
end

--- Returns a function that passes on events of a run, or of the runs of a fleet, and shows them.
---@param io alicloud.cli.Io
---@param playbook string its name
---@param show fun(event: table)|nil
---@return fun(event: table, item: table|string|nil, run_id: string?)
function M.of_runs(io, playbook, show)
  return function(event, item, run_id)
    -- Without an item the run's id is the second argument.
    if type(item) ~= "table" then item, run_id = nil, item end
    -- An event `under_way` only moves a line of a terminal; it is no record of the run.
    if event.type ~= "under_way" then
      M.tell(io, "record", event, { playbook = playbook, run_id = run_id, item = item })
    end
    if show then show(event) end
  end
end

return M
