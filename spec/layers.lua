--- Which layer of the Lua modules may require which. A layer is named by the prefix of its modules,
--- the longest one decides; every layer may use itself, and the cli may use everything.

local M = {}

--- By layer: the layers that it may use, or single modules of them.
---@type table<string, string>
M.MAY_USE = {
  core = "",
  base = "core",
  loop = "core base",
  net = "core base",
  service = "core base",
  call = "core base loop net service",
  credentials = "core base net call",
  client = "core base loop net service call credentials",
  ["dr.codes"] = "base",
  ["dr.model"] = "core base service",
  ["dr.journal"] = "core base",
  ["dr.store"] = "core base loop net",
  ["dr.read"] = "base service client.pager dr.model",
  ["dr.change"] = "core base dr.model dr.journal",
  ["dr.actions"] = "base dr.model dr.read dr.journal dr.change",
  ["dr.group"] = "base dr.model dr.read dr.journal dr.change dr.actions",
  ["dr.playbook"] = "core base net client.service client.future dr.model dr.read dr.journal "
    .. "dr.store dr.group",
  ["dr.fleet"] = "core base client.service dr.model dr.read dr.journal dr.store dr.group "
    .. "dr.playbook dr.report.fleet",
  ["dr.report"] = "core base dr.journal dr.store dr.playbook.state dr.playbook.past "
    .. "dr.playbook.summary dr.playbook.corrections dr.playbook.production dr.playbook.params "
    .. "dr.playbook.events dr.playbook.decision dr.playbook.effect dr.playbook.proof "
    .. "dr.playbook.way dr.model.states",
  facade = "core base client dr.read dr.group dr.playbook dr.report dr.fleet",
  playbooks = "facade base dr.playbook",
  otel = "core base net",
  emulator = "core base",
  simulation = "facade core base service dr.journal dr.store dr.playbook emulator",
  conformance = "facade core base net service client emulator",
}

local FACADES = { [""] = true, dr = true }
local C_MODULES = { core = true, transport = true, httpd = true, confine = true }

--- The layer of a module.
---@param module string with `alicloud` at its head
---@return string|nil none of the table's
function M.of(module)
  local name = module:match "^alicloud%.?(.*)$"
  if FACADES[name] then return "facade" end
  if C_MODULES[name] then return "core" end
  if name == "cli" or name:find "^cli%." then return "cli" end
  local longest
  for layer in pairs(M.MAY_USE) do
    local fits = name == layer or name:sub(1, #layer + 1) == layer .. "."
    if fits and (not longest or #layer > #longest) then longest = layer end
  end
  return longest
end

--- Whether a module may require another.
---@param module string
---@param other string
---@return boolean
function M.allows(module, other)
  local own, layer = M.of(module), M.of(other)
  if own == "cli" or own == layer and own ~= nil then return true end
  local name = other:match "^alicloud%.?(.*)$"
  for word in (M.MAY_USE[own] or ""):gmatch "%S+" do
    if word == layer or name == word or name:sub(1, #word + 1) == word .. "." then return true end
  end
  return false
end

return M
