--- Manners of the process in which a playbook is only looked at. It can start no program and open
--- no file, whatever it does (alicloud.dr.playbook.confined); here the functions that would try are
--- replaced by ones that say so, in words that lead to the option `plan` of a step.

local M = {}

local KEPT = {
  os = { clock = true, date = true, difftime = true, getenv = true, time = true },
  io = { type = true, write = true, stdin = true, stdout = true, stderr = true },
}

--- What stands for a function that is not called here.
---@param what string its name
---@return fun()
function M.refuse(what)
  return function()
    error(("plan: %s is not done while planning; give the step an option `plan`"):format(what), 2)
  end
end

--- Whether an error says that something was refused.
---@param raised any
---@return boolean
function M.is_refusal(raised)
  return type(raised) == "string" and raised:find("plan: .+ is not done while planning") ~= nil
end

--- What stands for a module that is not here: anything may be taken from it, and nothing of that
--- may be called.
---@param name string
---@return table
function M.stub(name)
  return setmetatable({}, {
    __index = function(_, key) return M.stub(name .. "." .. tostring(key)) end,
    __call = M.refuse(name),
    __tostring = function() return "plan: " .. name end,
  })
end

--- Puts the refusals in place, for good.
function M.enter()
  for library, kept in pairs(KEPT) do
    for name in pairs(_G[library]) do
      if not kept[name] then _G[library][name] = M.refuse(library .. "." .. name) end
    end
  end
  for _, name in ipairs { "dofile", "loadfile" } do _G[name] = M.refuse(name) end
end

return M
