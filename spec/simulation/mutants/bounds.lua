-- Mistakes about bounds, plans, chance, and a playbook that is a mistake itself.

local make = require "spec.simulation.mutants.make"

local CHANGE, DRY_RUN = "alicloud.dr.change", "alicloud.dr.playbook.dry_run"
local POLLER = "alicloud.dr.change.poller"
local edit, mutant, playbook = make.edit, make.mutant, make.playbook

return {
  -- Bounds, plans, chance.
  mutant("looked without a pause", 1, edit(POLLER, "Poller:until_completed",
    [[function(self, ...)
      function self.pause() end
      local ending = original(self, ...)
      self.pause = nil
      return ending
    end]])),
  mutant("waited without an end", 182, edit(POLLER, "Poller:until_completed",
    "function(self) return original(self, math.huge, math.huge) end")),
  mutant("a plan sends", 31, edit(DRY_RUN, "M.run",
    [[function(playbook, options)
      options.client:call("StopDiskReplicaGroup", { ReplicaGroupId = "pg-move" })
      return original(playbook, options)
    end]])),
  mutant("chance that no seed gives", 50, edit(CHANGE, "Change:token",
    [[function(self, ...)
      return original(setmetatable({ runtime = core }, { __index = self }), ...)
    end]])),

  -- The playbook itself.
  playbook("a playbook that calls the API itself", 1, "spec/simulation/playbooks/raw.lua"),
}
