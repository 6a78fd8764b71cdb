--- Runs of one incident: the time for which a service is away is counted from the first of them.

local core = require "alicloud.core"
local files = require "alicloud.dr.store.file"
local lazy = require "alicloud.base.lazy"
---@module "alicloud.dr.playbook.params"
local params = lazy.module "alicloud.dr.playbook.params"
local run_journal = require "alicloud.cli.run_journal"

local M = {}

local function same_group(a, b)
  local one, other = a.group or a.groups, b.group or b.groups
  return not one or not other or core.encode { one } == core.encode { other }
end

-- The run of a journal, if it is of an incident and may be about the same groups.
local function run_of_incident(path, given, playbook)
  local text = files.read_trusted(path)
  local state = text and text:find(core.encode(given.incident), 1, true)
    and run_journal.state(path, text)
  local run = state and state.run
  local fits = run and run.incident == given.incident and run.playbook == playbook
    and same_group(run.params or {}, params.written(given.params) or {})
  return fits and state or nil
end

--- When the first run of an incident began, as the journals beside this one tell. What came before
--- one that was finished is of another night that had the same name.
---@param given { incident: string?, journal: string, params: table? }
---@param playbook string its name
---@return number|nil unix seconds
function M.since(given, playbook)
  if not given.incident then return nil end
  local directory = given.journal:match "^(.*)/[^/]*$" or "."
  local begun, finished_at = {}, 0
  for _, name in ipairs(core.list_directory(directory) or {}) do
    local path = directory .. "/" .. name
    local state = name:find "%.jsonl$" and path ~= given.journal
      and run_of_incident(path, given, playbook)
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
