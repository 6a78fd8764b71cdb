--- Modules that a process bears only once, though each spec file loads its modules anew: luv closes
--- its event loop when its table is collected, also while another one is in use.

local registry = debug.getregistry()

--- Loads a module, or gives the one that an earlier spec file has loaded.
---@param name string
---@return any
return function(name)
  local key = "spec.kept." .. name
  registry[key] = registry[key] or require(name)
  package.loaded[name] = registry[key]
  return registry[key]
end
