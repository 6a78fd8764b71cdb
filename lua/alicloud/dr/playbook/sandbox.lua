--- Replaces functions in the confined process in which a playbook is only planned. That process can
--- start no program and open no file anyway (alicloud.dr.playbook.confined). These replacements
--- raise errors that name the option `plan` of a step.

local M = {}

local KEPT = {
  os = { clock = true, date = true, difftime = true, getenv = true, time = true },
  io = { type = true, write = true, stdin = true, stdout = true, stderr = true },
}

--- Makes the replacement of a function, which raises.
---@param what string name of the function
---@return fun()
function M.refuse(what)
  return function()
    error(("plan: %s is not done while planning; give the step an option `plan`"):format(what), 2)
  end
end

--- Whether an error was raised by such a replacement.
---@param raised any
---@return boolean
function M.is_refusal(raised)
  return type(raised) == "string" and raised:find("plan: .+ is not done while planning") ~= nil
end

--- Makes the replacement of a module that is not available: any field can be read from it, but
--- calling one raises.
---@param name string
---@return table
function M.stub(name)
  return setmetatable({}, {
    __index = function(_, key) return M.stub(name .. "." .. tostring(key)) end,
    __call = M.refuse(name),
    __tostring = function() return "plan: " .. name end,
  })
end

--- Replaces the functions, for the life of the process.
function M.enter()
  for library, kept in pairs(KEPT) do
    for name in pairs(_G[library]) do
      if not kept[name] then _G[library][name] = M.refuse(library .. "." .. name) end
    end
  end
  for _, name in ipairs { "dofile", "loadfile" } do _G[name] = M.refuse(name) end
end

return M
