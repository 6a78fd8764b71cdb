--- `playbooks FILE`, in the process without rights: what a playbook declares of itself.

local book = require "alicloud.cli.confined.book"
local core = require "alicloud.core"
local params = require "alicloud.dr.playbook.params"

local M = {}

local function param_of(param)
  local default = param.default
  return { name = param.name, type = param.type, help = param.help,
    required = param.required == true, default = default ~= nil and tostring(default) or nil,
    allowed = params.allowed(param) }
end

---@param job table
---@return table
function M.run(job)
  local playbook, takes = book.load(job), {}
  for i, param in ipairs(playbook.params or {}) do takes[i] = param_of(param) end
  return { name = playbook.name, summary = playbook.summary, kind = playbook.kind,
    graceful_only = playbook.graceful_only, params = core.array(takes) }
end

return M
