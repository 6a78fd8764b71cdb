--- Reaches a run that another process carries out: reads its journal, and posts lines to its inbox.

local events = require "alicloud.dr.playbook.events"
local journals = require "alicloud.dr.journal"
local options = require "alicloud.cli.options"
local states = require "alicloud.dr.playbook.state"
local stores = require "alicloud.dr.store"

local M = {}

--- The state of a journal's run; refuses a journal that holds none.
---@param path string or address
---@param context alicloud.dr.StoreContext
---@return alicloud.dr.RunState|nil
---@return alicloud.Error? err
function M.read(path, context)
  local text, err = stores.read(path, context)
  if not text then return nil, err end
  local reading, damage = events.read(text)
  if not reading then return nil, journals.damaged(path, damage) end
  local state = states.fold(reading.events)
  if not state.run then options.refuse(("journal: %s holds no run"):format(path)) end
  return state
end

--- Posts a line to the run's inbox.
---@param path string or address
---@param line string
---@param context alicloud.dr.StoreContext
---@return boolean|nil ok
---@return alicloud.Error? err
function M.post(path, line, context)
  local store, err = stores.open(path, context)
  if not store then return nil, err end
  local ok
  ok, err = store:post(line)
  store:close()
  return ok, err
end

return M
