-- Mistakes about a move that has stopped production.

local make = require "spec.simulation.mutants.make"

local GROUP, PRODUCTION = "alicloud.dr.playbook.bound_group", "alicloud.dr.playbook.production"
local UNFENCE, UNDO = "alicloud.dr.actions.unfence", "alicloud.dr.playbook.undo"
local edit, mutant, of, of_planned = make.edit, make.mutant, make.of, make.of_planned
local NIL = make.NIL

return {
  -- A move that has stopped production.
  of("P11", of_planned(mutant("a correction is forgotten by the next process", 5, edit(
    "alicloud.dr.playbook.corrections", "changes_of", [[function(state, wish)
      return original({ params = state.run.params }, wish)
    end]])))),
  of_planned(mutant("nobody says that production is down", 19, edit(PRODUCTION, "M.words", NIL))),
  of_planned(mutant("what a fence will stop is not written down before", 19, edit(GROUP,
    "PREPARE.fence", "function() end"), edit(PRODUCTION, "stopping_steps",
    "function() return {} end"))),
  of_planned(mutant("a step that could not be undone is called undone", 19, edit(UNDO,
    "undo_step", "function(...) original(...) return true end"), edit(PRODUCTION, "M.down", NIL))),
  of_planned(mutant("what is brought back is not started", 34, edit(UNFENCE, "plan_starts", NIL))),
  of_planned(mutant("what is brought back is not attached", 34, edit(UNFENCE,
    "attach_all", "function() return true end"), edit(UNFENCE, "finish",
    "function(_, _, result) return result end"))),
  of_planned(mutant("a stop that is begun counts as undone", 19, edit(PRODUCTION, "M.apply",
    [[function(list, event)
      original(list, event)
      if event.state == "stopped" then list[event.group_id].state = "back" end
    end]]), edit(PRODUCTION, "stopping_steps", "function() return {} end"))),
}
