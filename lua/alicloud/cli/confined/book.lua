--- The playbook of a job, in the process without rights: loaded, and held against what was typed.

local alicloud = require "alicloud"
local playbooks = require "alicloud.dr.playbook"
local run_options = require "alicloud.dr.playbook.run_options"
local sources = require "alicloud.dr.playbook.source"

local M = {}

--- Ends the job: the command line is to be mended.
---@param message string
function M.refuse(message)
  error({ refusal = message }, 0)
end

--- Ends the job: the playbook does not come to its end in the world that was found, or the one
--- that was given is not one.
---@param message string
---@param world_helps boolean? whether another world may
function M.refuse_world(message, world_helps)
  local cure = world_helps and "; --world FILE gives another world, and "
    .. "--draft-world FILE.json writes a first draft of it" or ""
  M.refuse("playbook: " .. message .. cure)
end

--- Lets no playbook make a client: there is nobody to ask.
function M.forbid_clients()
  alicloud.client = function()
    error("a rehearsal makes no client of its own; the playbook has run.client", 2)
  end
end

--- Loads a playbook.
---@param job { playbook: table } packed
---@return alicloud.dr.Playbook
function M.load(job)
  local playbook, message = playbooks.load_source(assert(sources.unpack(job.playbook)))
  if message == "not enough memory" then error(message, 0) end
  if not playbook then M.refuse("playbook: " .. message) end
  return playbook
end

--- Loads it, checks parameters and mode, and tells the other process of it, which answers with what
--- it is to be looked at with.
---@param job table
---@param link alicloud.dr.ConfinedLink
---@return alicloud.dr.Playbook
---@return table begin
function M.open(job, link)
  local playbook = M.load(job)
  local read, message = playbooks.read_params(playbook, job.params)
  if not read then M.refuse(message) end
  local fault = run_options.mode_fault(playbook, job.mode)
    or run_options.kind_fault(playbook, job.kind)
  if fault then M.refuse("--" .. fault) end
  return playbook, link.ask { type = "playbook", name = playbook.name, kind = playbook.kind,
    declares = playbook.params ~= nil }
end

return M
