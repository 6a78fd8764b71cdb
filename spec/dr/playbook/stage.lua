--- A stage for playbooks: an emulator on its virtual clock, a simulated disk, and one process after
--- the other that runs the same playbook over the same journal.

local dr = require "alicloud.dr"
local journals = require "alicloud.dr.journal"
local lab = require "spec.dr.lab"
local memory = require "alicloud.dr.store.memory"
local states = require "alicloud.dr.playbook.state"

local M = {}

---@class spec.dr.Stage
---@field bench spec.dr.Lab
---@field disk alicloud.dr.Disk
---@field log string[] what bodies of steps noted
local Stage = {}
Stage.__index = Stage

--- Makes a stage.
---@param given? table as for spec.dr.lab
---@return spec.dr.Stage
function M.new(given)
  return setmetatable({ bench = lab.new(given), disk = memory.disk(), log = {} }, Stage)
end

--- The same world with another disk, so that what is run is a new run.
---@return spec.dr.Stage
function Stage:anew()
  return setmetatable({ bench = self.bench, disk = memory.disk(), log = {} }, Stage)
end

--- Notes that something was done.
---@param what string
function Stage:did(what)
  self.log[#self.log + 1] = what
end

---@return string
function Stage:done()
  return table.concat(self.log, " ")
end

--- A playbook that moves the group: its check is noted, and there is no way back from its failover.
---@return alicloud.dr.Playbook
function Stage:move()
  return dr.playbook("move", function(run)
    local orders = run:group("pg-orders", { region = "cn-shanghai" })
    run:step("check", function()
      self:did "check"
      return orders:precheck { max_rpo = "1d" }
    end)
    local moved = run:step("promote", { point_of_no_return = true }, function()
      return orders:failover()
    end)
    run:verify("open", function() return moved.outcome end)
  end)
end

--- Fails a group over in a branch of its own.
---@param id string
---@param run alicloud.dr.PlaybookRun
---@return table|nil result
function M.promote(id, run)
  local group = run:group(id, { region = "cn-shanghai" })
  return run:step("promote", function() return group:failover() end)
end

--- Runs a playbook in a new process on this stage.
---@param playbook alicloud.dr.Playbook|function
---@param options? table as for dr.run
---@return table|nil result
---@return table|nil err
function Stage:run(playbook, options)
  if type(playbook) == "function" then playbook = dr.playbook("spec", playbook) end
  local given = { client = self.bench.client, store = self.disk:open "run", requester = "operator" }
  for name, value in pairs(options or {}) do given[name] = value end
  return dr.run(playbook, given)
end

--- Runs it until the simulated machine stops; brings that up again.
---@param playbook alicloud.dr.Playbook|function
---@param fault fun(call: alicloud.dr.DiskCall): string|false|nil
---@param options? table
---@return boolean stopped
function Stage:run_until(playbook, fault, options)
  self.disk.fault = fault
  local ok, raised = pcall(self.run, self, playbook, options)
  self.disk.fault = function() end
  if ok then return false end
  assert(raised == memory.CRASH, raised)
  self.disk:restart()
  return true
end

--- The events of the journal.
---@param kind? string
---@return table[]
function Stage:events(kind)
  local list = {}
  for _, event in ipairs(assert(journals.read(self.disk:text "run")).events) do
    if not kind or event.type == kind then list[#list + 1] = event end
  end
  return list
end

--- How the changes in the journal have ended: "true accepted".
---@return string[]
function Stage:outcomes()
  local list = {}
  for _, event in ipairs(self:events "outcome") do
    list[#list + 1] = ("%s %s"):format(event.ok, event.outcome)
  end
  return list
end

---@return alicloud.dr.RunState
function Stage:state()
  return states.fold(self:events())
end

return M
