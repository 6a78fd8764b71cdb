-- Mistakes about what ends with what: interrupts, tasks that are given up, locks and drills.

local make = require "spec.simulation.mutants.make"

local ADAPTER, SCOPE = "alicloud.net.adapter", "alicloud.loop.scope"
local CALL_RECORDER = "alicloud.dr.playbook.call_recorder"
local CHANGE, DRILL = "alicloud.dr.change.failures", "alicloud.dr.actions.checked_drill"
local MEMORY, RUNNER = "alicloud.dr.store.memory", "alicloud.dr.playbook.runner"
local edit, mutant, of, of_drill = make.edit, make.mutant, make.of, make.of_drill

return {
  -- Interrupts.
  of("T1", mutant("an interrupt is a failure of the run", 9, edit(RUNNER, "interrupted",
    [[function(engine)
      return stop(engine, nil, errors.new { kind = "state", code = "Client.Interrupted",
        message = "interrupted" })
    end]]))),
  of("T1", mutant("an interrupt is a failure of the step", 34, edit("alicloud.dr.playbook.body",
    "M.run", [[function(branch, ...)
      local results = table.pack(pcall(original, branch, ...))
      if results[1] then return table.unpack(results, 2, results.n) end
      if not guard.is_interrupt(results[2]) then error(results[2], 0) end
      return nil, stops.error_of(results[2], "")
    end]]))),
  of("T3", mutant("a call that is cut off by an interrupt has no answer", 549, edit(ADAPTER,
    "is_told", make.FALSE), edit("alicloud.call.attempt", "send_intercepted",
    [[function(context, plan, progress, ...)
      local call, refusal = interceptor.before(context.interceptor, plan, progress.attempts)
      if refusal then return nil, refusal end
      local result, answer = send(context, plan, progress, ...)
      interceptor.after(context.interceptor, call, result, answer)
      return result, answer
    end]]))),

  -- What is given up.
  of("T3", mutant("the answer of a cancelled call is not written down", 101, edit(CALL_RECORDER,
    "note_answer", [[function(branch, ...)
      if branch.engine.loop.stopping() == nil then return original(branch, ...) end
    end]]))),
  of("T3", mutant("the outcome of a cancelled change is not written down", 41, edit(
    "alicloud.dr.change", "Change:write_outcome", [[function(self, result, err)
      if not err or err.code ~= "Client.Cancelled" then return original(self, result, err) end
      return result, err
    end]]))),
  of("S5", mutant("what was given up on its way was not sent", 9, edit(CHANGE, "M.cut_short",
    [[function(...)
      local _, err = original(...)
      err.outcome = "not_sent"
      return nil, err
    end]]))),
  of("T4", mutant("a scope does not wait for its tasks", 41, edit(SCOPE, "join",
    "function() end"))),
  of("T4", mutant("locks are not given back", 1, edit(MEMORY, "Store:close",
    "function(self) self.held = {} end"))),
  of_drill("T5", mutant("a drill is not cleared when its step is given up", 45, edit(DRILL,
    "clear_surely", [[function(group, ...)
      if group.client.loop.stopping() == nil then return original(group, ...) end
    end]]))),
}
