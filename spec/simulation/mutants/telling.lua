-- Mistakes about what is said of outcomes, losses and times.

local make = require "spec.simulation.mutants.make"

local OUTCOME, FAILOVER = "alicloud.call.outcome", "alicloud.dr.actions.failover"
local POLLER, FAILURES = "alicloud.dr.change.poller", "alicloud.dr.change.failures"
local SNAPSHOT, PAIR_SET = "alicloud.dr.model.snapshot", "alicloud.dr.model.pair_set"
local GROUP, RUNNER = "alicloud.dr.playbook.bound_group", "alicloud.dr.playbook.runner"
local FIGURES, OUTAGE_TIME = "alicloud.dr.playbook.figures", "alicloud.dr.playbook.outage_time"
local edit, mutant, lie, of, FALSE = make.edit, make.mutant, make.lie, make.of, make.FALSE
local NIL = make.NIL

return {
  -- What is said.
  mutant("an unknown outcome is called rejected", 189, edit(FAILURES, "M.unknown",
    [[function(...)
      local _, failure = original(...)
      failure.outcome = "rejected"
      return nil, failure
    end]])),
  mutant("a later refusal hides an earlier doubt", 17, edit(FAILURES, "M.rejected",
    [[function(change, err)
      return original(setmetatable({ doubtful = false }, { __index = change }), err)
    end]])),
  mutant("what was accepted and failed was not sent", 27, edit(FAILURES, "call_outcome",
    [[function(change)
      return change.accepted and "not_sent" or original(change)
    end]])),
  mutant("a wait that ends too early ends as not sent", 182, edit(FAILURES, "M.timeout",
    [[function(...)
      local _, failure = original(...)
      failure.outcome = "not_sent"
      return nil, failure
    end]])),
  mutant("an answer that never came is a refusal", 208, edit(OUTCOME, "M.error",
    [[function(context, plan, progress, failure)
      local refusal = {}
      for name, value in pairs(failure) do refusal[name] = value end
      refusal.outcome = failure.outcome == "not_sent" and "not_sent" or "rejected"
      return original(context, plan, progress, refusal)
    end]])),
  mutant("a broken journal hides what was sent", 90, edit(RUNNER, "is_in_doubt", FALSE)),
  lie("stale_read", "one look that shows nothing denies what was accepted", 551,
    edit(POLLER, "Poller:conclusion", [[function(self, phase, evidence)
      self.denied = phase == "not_started" and self.last.status == "normal"
      if not self.denied then return original(self, phase, evidence) end
      self.reason = "nothing has happened"
      return "superseded"
    end]]),
    edit(FAILURES, "M.superseded", [[function(change, cause)
      local _, failure = original(change, cause)
      if change.poller.denied then failure.outcome = "rejected" end
      return nil, failure
    end]])),
  lie("stale_read", "a failover that is seen late is called the answer to an old token", 738,
    edit(POLLER, "M.REPLAYED", "{ reads = 2, span = 2 }")),
  lie("pair_ids", "ids in one element are one id", 119, edit(SNAPSHOT, "M.split_ids",
    [[function(list)
      if type(list) ~= "table" then return nil end
      local ids = {}
      for i, element in ipairs(list) do ids[i] = tostring(element) end
      table.sort(ids)
      return ids
    end]]), edit(PAIR_SET, "M.believe", [[function(count, names, members)
      return { count = count, names = names, members = members }
    end]])),

  -- Figures.
  of("N1", mutant("the loss grows after the outage", 4, edit(GROUP, "outage_of", NIL))),
  of("N1", mutant("the loss ends with the last recovery point", 1, edit(FAILOVER, "tell_loss",
    [[function(change, made)
      original(change, made)
      if made.rpo then made.rpo = 0 end
    end]]))),
  of("N2", mutant("the time of a later process is that of the failover", 17, edit(FAILOVER,
    "time_taken", [[function(change, seen)
      if change.outage_at then return original(change, seen) end
      return change:elapsed(), "start"
    end]]))),
  of("N2", mutant("the time of a run begins with its last process", 2, edit(FIGURES, "beginning",
    [[function(state)
      return "run", state.attempt_at or state.run.at
    end]]), edit(OUTAGE_TIME, "M.apply", [[function(state, event)
      if event.type == "attempt" then state.attempt_at = event.at end
      return original(state, event)
    end]]))),
  of("N2", mutant("work that was found done took no time", 15, edit(FIGURES, "M.recovery_time",
    [[function(state)
      local time = original(state)
      if time.why ~= "already" then return time end
      return { seconds = 0, basis = "data_ready", why = "already" }
    end]]))),
}
