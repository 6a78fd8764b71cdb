--- Who is told of what a command does, beside the terminal: its traces and its events. What becomes
--- of them changes nothing of what goes on.

local guard = require "alicloud.base.guard"

local M = {}

local LISTENERS = { "tracing", "events" }

--- Tells each of them that takes it.
---@param io alicloud.cli.Io
---@param what "about"|"change"|"failed"|"outcome"|"record" the method that takes it
---@param ... any
function M.tell(io, what, ...)
  for _, name in ipairs(LISTENERS) do
    local listener = io[name]
    if listener and listener[what] then guard.call(listener[what], listener, ...) end
  end
end

--- What tells them of a run, or of the runs of a fleet's items, and shows it.
---@param io alicloud.cli.Io
---@param playbook string its name
---@param show fun(event: table)|nil
---@return fun(event: table, item: table|string|nil, run_id: string?)
function M.of_runs(io, playbook, show)
  return function(event, item, run_id)
    -- Of a run that is no item's, its id comes next.
    if type(item) ~= "table" then item, run_id = nil, item end
    -- What only moves a line says nothing that no record says.
    if event.type ~= "under_way" then
      M.tell(io, "record", event, { playbook = playbook, run_id = run_id, item = item })
    end
    if show then show(event) end
  end
end

return M
