--- How a command reaches a run that goes on elsewhere: its journal is read, and a line is left in
--- its inbox.

local events = require "alicloud.dr.playbook.events"
local files = require "alicloud.dr.store.file"
local journals = require "alicloud.dr.journal"
local options = require "alicloud.cli.options"
local states = require "alicloud.dr.playbook.state"

local M = {}

--- What a journal tells of its run; refuses a file that holds none.
---@param path string
---@return alicloud.dr.RunState|nil
---@return alicloud.Error? err
function M.read(path)
  local text, err = files.read(path)
  if not text then return nil, err end
  local reading, damage = events.read(text)
  if not reading then return nil, journals.damaged(path, damage) end
  local state = states.fold(reading.events)
  if not state.run then options.refuse(("journal: %s holds no run"):format(path)) end
  return state
end

--- Leaves a line for the run.
---@param path string
---@param line string
---@return boolean|nil ok
---@return alicloud.Error? err
function M.post(path, line)
  local store, err = files.open(path)
  if not store then return nil, err end
  local ok
  ok, err = store:post(line)
  store:close()
  return ok, err
end

return M
