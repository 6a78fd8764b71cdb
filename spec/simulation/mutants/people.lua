-- Mistakes that show themselves only when people or programs err: a program that fails, a typo that
-- is corrected behind the failover, a colleague with a copy of the journal.

local make = require "spec.simulation.mutants.make"

local CORRECTIONS, FAILOVER = "alicloud.dr.playbook.corrections", "alicloud.dr.actions.failover"
local VERIFY = "alicloud.dr.playbook.verify"
local edit, mutant, of, of_hooked = make.edit, make.mutant, make.of, make.of_hooked

return {
  of("E", of_hooked("typos", mutant("what a failed step has read is frozen as well", 5,
    edit(CORRECTIONS, "used_by", [[function(state, name)
      for _, key in ipairs(state.order) do
        local step = state.steps[key]
        if step.used and step.used[name] then return key end
      end
    end]])))),
  of("E", of_hooked("programs", mutant("a verification is given up with the first try", 215,
    edit(VERIFY, "trial", [[function(run, name, options, body)
      local result, err = probe(run, 60, body)
      if result then return result end
      return not_back(name, 1, err)
    end]])))),
  of("P13", of_hooked("elsewhere", mutant("a group that others have opened is refused", 34,
    edit(FAILOVER, "already", "function(change) return failures.not_confirmed(change) end")))),
}
