-- How mistakes are written down (spec.simulation.mutants).

local M = {}

function M.edit(module, name, value)
  return { module = module, name = name, value = value }
end

function M.mutant(name, seed, ...)
  return { name = name, seed = seed, edits = { ... } }
end

function M.lie(only, name, seed, ...)
  local made = M.mutant(name, seed, ...)
  made.only = only
  return made
end

function M.of(names, made)
  made.names = names
  return made
end

-- What only groups that are waited for at the same time can notice.
function M.of_two(made)
  made.playbook = "spec/simulation/playbooks/two.lua"
  return made
end

-- What only a group whose sides lie in one region can notice.
function M.of_zones(made)
  made.playbook = "spec/simulation/playbooks/zones.lua"
  return made
end

-- What only a fleet with tiers and a canary can notice.
function M.of_fleet(names, made)
  made.playbook = "spec/simulation/playbooks/fleet.lua"
  return M.of(names, made)
end

-- What only a drill can notice.
function M.of_drill(names, made)
  made.playbook = "spec/simulation/playbooks/drill.lua"
  return M.of(names, made)
end

-- What only a move that stops production first can notice.
function M.of_planned(made)
  made.playbook = "lua/alicloud/playbooks/planned.lua"
  return M.of("P10", made)
end

-- What only people and programs that err can notice, of one kind.
function M.of_hooked(kind, made)
  made.playbook, made.only = "spec/simulation/playbooks/hooked.lua", kind
  return made
end

function M.playbook(name, seed, path)
  return { name = name, seed = seed, edits = {}, playbook = path }
end

-- A function that gives one phase where the original gives another.
function M.takes_for(phase, other)
  return ([[function(...)
    local phase, reason = original(...)
    return phase == "%s" and "%s" or phase, reason
  end]]):format(phase, other)
end

-- A method that tries although it has failed before.
M.TRIES_AGAIN = [[function(self, ...)
  local fault = self.fault
  self.fault = nil
  local ok, err = original(self, ...)
  self.fault = self.fault or fault
  return ok, err
end]]

M.TRUE, M.FALSE = "function() return true end", "function() return false end"
M.NIL = "function() return nil end"

return M
