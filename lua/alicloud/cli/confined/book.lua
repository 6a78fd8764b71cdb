--- Loads the playbook of a job in the process without rights, and checks what was typed against it.

local alicloud = require "alicloud"
local playbooks = require "alicloud.dr.playbook"
local run_options = require "alicloud.dr.playbook.run_options"
local sources = require "alicloud.dr.playbook.source"

local M = {}

--- Ends the job with a refusal: something that was typed has to be changed.
---@param message string
function M.refuse(message)
  error({ refusal = message }, 0)
end

--- Ends the job with a refusal: the playbook does not come to its end in the world that was found,
--- or the world that was given is not valid.
---@param message string
---@param world_helps boolean? another world may help: the message names the options for one
function M.refuse_world(message, world_helps)
  local cure = world_helps and "; --world FILE gives another world, and "
    .. "--draft-world FILE.json writes a first draft of it" or ""
  M.refuse("playbook: " .. message .. cure)
end

--- Makes `alicloud.client` raise: a rehearsal has no service to ask.
function M.forbid_clients()
  alicloud.client = function()
    error("a rehearsal makes no client of its own; the playbook has run.client", 2)
  end
end

--- Loads a playbook.
---@param job { playbook: table } the playbook as `source.pack` made it
---@return alicloud.dr.Playbook
function M.load(job)
  local playbook, message = playbooks.load_source(assert(sources.unpack(job.playbook)))
  if message == "not enough memory" then error(message, 0) end
  if not playbook then M.refuse("playbook: " .. message) end
  return playbook
end

--- Loads the playbook, checks parameters, mode and kind, and sends the frame `playbook`. The parent
--- answers with a frame `begin`: the region, and what else this job needs.
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
