--- Finds the first run of an incident, from which the downtime of the service is counted.

local core = require "alicloud.core"
local lazy = require "alicloud.base.lazy"
---@module "alicloud.dr.playbook.params"
local params = lazy.module "alicloud.dr.playbook.params"
local places = require "alicloud.dr.store.place"
local run_journal = require "alicloud.cli.run_journal"
local stores = require "alicloud.dr.store"

local M = {}

local function same_group(a, b)
  local one, other = a.group or a.groups, b.group or b.groups
  return not one or not other or core.encode { one } == core.encode { other }
end

-- The state of a journal's run if it belongs to the incident and may be about the same groups.
local function run_of_incident(path, given, playbook, context)
  local text = stores.read_trusted(path, context)
  local state = text and text:find(core.encode(given.incident), 1, true)
    and run_journal.state(path, text)
  local run = state and state.run
  local fits = run and run.incident == given.incident and run.playbook == playbook
    and same_group(run.params or {}, params.written(given.params) or {})
  return fits and state or nil
end

--- When the first run of the incident began, from the journals beside this one. Runs from before a
--- finished one are left out: they are of an earlier incident of the same name.
---@param given { incident: string?, journal: string, params: table? }
---@param playbook string its name
---@param context alicloud.dr.StoreContext
---@return number|nil unix seconds; nil: no incident, or no other run of it
function M.since(given, playbook, context)
  if not given.incident then return nil end
  local names = stores.list(places.beside(given.journal), context) or {}
  local found = stores.each(names, context, function(name)
    return name ~= given.journal and run_of_incident(name, given, playbook, context)
  end)
  local begun, finished_at = {}, 0
  for i in ipairs(names) do
    local state = found[i]
    if state then
      begun[#begun + 1] = state.run.at
      local last = state.ending
      if last and last.type == "finished" then finished_at = math.max(finished_at, last.at) end
    end
  end
  local first
  for _, at in ipairs(begun) do
    if at > finished_at and at < (first or math.huge) then first = at end
  end
  return first
end

return M
