-- Mistakes about what only several groups can notice.

local make = require "spec.simulation.mutants.make"

local POLLER, PARALLEL = "alicloud.dr.change.poller", "alicloud.dr.playbook.parallel"
local WAVES = "alicloud.dr.playbook.waves"
local edit, mutant, of_two, of_fleet = make.edit, make.mutant, make.of_two, make.of_fleet
local FALSE, NIL = make.FALSE, make.NIL

return {
  -- What groups that are waited for at the same time share.
  of_two(mutant("a sweep that shows the group open decides the end", 99, edit(POLLER,
    "Poller:record_told", [[function(self, told)
      if told.snapshot.status == "failovered" then
        self.is_told = true
        return self:record(told.snapshot, "completed")
      end
      return original(self, told)
    end]]))),
  of_two(mutant("whom sweeps do not tell does not look", 56, edit(POLLER,
    "Poller:look_instead", [[function(self, deadline)
      if self.target.batched and self.target.batched:has_company() then return nil end
      return original(self, deadline)
    end]]))),

  -- In which order many groups move.
  of_fleet("F1", mutant("tiers do not wait", 1, edit(WAVES, "tiers_of",
    "function(jobs) return { jobs } end"))),
  of_fleet("F1", mutant("tiers come in the order of their groups", 1, edit(WAVES, "tiers_of",
    [[function(jobs, tier)
      local list = original(jobs, tier)
      for i = 1, #list // 2 do list[i], list[#list + 1 - i] = list[#list + 1 - i], list[i] end
      return list
    end]]))),
  of_fleet("F2", mutant("the others do not wait for the canary", 5, edit(PARALLEL,
    "carry_out_canaries", "function() end"))),
  of_fleet("F3", mutant("the canary that has failed is the next one", 21, edit(WAVES, "by_rank",
    "function(jobs) return jobs end"))),
  of_fleet("F4", mutant("what is not ready counts as failed", 2, edit(PARALLEL,
    "reason_to_leave_out", NIL))),
  of_fleet("F5", mutant("a group that has moved is left out as never begun", 450, edit(WAVES,
    "M.has_acted", FALSE))),
}
