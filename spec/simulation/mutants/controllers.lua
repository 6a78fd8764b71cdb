-- Mistakes that only several controllers of one run can notice.

local make = require "spec.simulation.mutants.make"

local ATTEMPT, TAKEOVER = "alicloud.call.attempt", "alicloud.dr.playbook.takeover"
local COMMIT, LOCK = "alicloud.dr.store.shared.commit", "alicloud.dr.store.shared.lock"
local CHANGE, SESSION = "alicloud.dr.change", "alicloud.dr.store.session"
local edit, mutant, of, NIL, FALSE = make.edit, make.mutant, make.of, make.NIL, make.FALSE

return {
  of("C3", mutant("who takes over sends at once", 125, edit(TAKEOVER, "M.left", NIL))),
  -- Each of them is enough.
  of("C2", mutant("neither windows, nor deadline, nor the end of the session holds a change", 125,
    edit(ATTEMPT, "send_in_window", [[function(context, plan, progress, turn, signed, timeout)
      local own = setmetatable({ deadline = math.huge, leave_by = math.huge },
        { __index = progress, __newindex = progress })
      return original(context, plan, own, turn, signed, timeout, nil)
    end]]), edit(SESSION, "lose", NIL))),
  of("C1", mutant("every process has the same fence", 11, edit(LOCK, "M.take",
    [[function(...)
      local lease, err = original(...)
      if lease then lease.fence = 7 end
      return lease, err
    end]]))),
  mutant("who was taken over writes on", 10, edit(COMMIT, "in_one",
    [[function(keys, batch)
      local own = setmetatable({ txn = function(_, given)
        given.when = {}
        return keys:txn(given)
      end }, { __index = keys })
      return original(own, batch)
    end]])),
  mutant("a refusal of the store is a success", 60, edit(COMMIT, "M.try",
    [[function(...)
      local ended, found = original(...)
      if ended == "lost" or ended == "conflict" then return "done" end
      return ended, found
    end]])),
  of("E", mutant("an answer of the store that is lost is a failure", 28,
    edit(COMMIT, "M.try",
    [[function(...)
      local ended, found = original(...)
      if ended == nil and found.outcome == "unknown" then found.retryable = false end
      return ended, found
    end]]), edit("alicloud.simulation.controllers", "M.was_cut_off", FALSE))),
  of("S4", mutant("who takes over decides under a token of his own", 125,
    edit(CHANGE, "Change:token", [[function(self, ...)
      local past = self.options.continue
      self.options.continue = nil
      local token = original(self, ...)
      self.options.continue = past
      return token
    end]]),
    edit(CHANGE, "Change:is_continued", FALSE))),
}
