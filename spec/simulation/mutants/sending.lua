-- Mistakes about tokens, sending again and waiting.

local make = require "spec.simulation.mutants.make"

local CHANGE, POLLER = "alicloud.dr.change", "alicloud.dr.change.poller"
local INTENT, OUTAGE = "alicloud.dr.model.intent", "alicloud.call.outage_retry"
local REFUSAL, TOKEN = "alicloud.dr.change.refusal", "alicloud.dr.change.token"
local PAST = "alicloud.dr.playbook.past"
local edit, mutant, lie, of, TRUE = make.edit, make.mutant, make.lie, make.of, make.TRUE
local FALSE = make.FALSE

return {
  -- Tokens.
  mutant("a new token for each send", 1, edit(CHANGE, "Change:params",
    [[function(self)
      local params = original(self)
      params.ClientToken = self.runtime.random_hex(16)
      return params
    end]])),
  mutant("the client makes up the token", 1, edit(CHANGE, "Change:params",
    [[function(self)
      local params = original(self)
      params.ClientToken = nil
      return params
    end]])),
  mutant("an incident's token is each operator's own", 150, edit(INTENT, "M.incident_token",
    [[function(snapshot, incident)
      return original(snapshot, incident .. core.random_hex(4))
    end]])),
  of("S14", mutant("a token is sent again after it was refused", 24, edit(TOKEN, "M.renew", TRUE))),
  of("S14", mutant("a process takes the token that the one before it saw refused", 477,
    edit(PAST, "M.refusal_of", "function() return nil end"))),

  -- Sending again.
  mutant("sent again though the window is over", 40, edit(CHANGE, "Change:may_send_again",
    [[function(_, phase) return phase == "not_started" end]])),
  mutant("the window stands still with the machine", 486, edit(CHANGE, "Change:since_first_send",
    [[function(self)
      return self.first_send and self:now() - self.first_send.monotonic or 0
    end]])),
  lie("token_forget", "sent again without a look", 150, edit(CHANGE, "Change:look_until_stable",
    [[function(self)
      local phase = original(self, { reads = 0, span = -1 })
      if phase ~= "in_progress" and phase ~= "not_started" then return phase end
      self.loop.sleep(5)
      return "not_started"
    end]])),
  mutant("sent again by the client itself", 150, edit(CHANGE, "Change:call_options",
    [[function(self)
      local options = original(self)
      options.resend = nil
      return options
    end]])),
  lie("token_forget", "sent again after two quick looks", 457,
    edit(POLLER, "M.STABLE", "{ reads = 2, span = 2 }")),

  -- Patience.
  of("E", mutant("a read is not asked again in an outage", 193, edit(OUTAGE, "M.is_patient",
    FALSE))),
  of("E", mutant("ten minutes of a call that is refused are too long", 1727, edit(REFUSAL,
    "wait_for_cloud", FALSE))),
  of("S9", mutant("an outage is waited for without an end", 13, edit(OUTAGE, "M.left",
    "function() return 1e6 end"))),
  of("S4", mutant("a refusal opens the window after an answer that was lost", 440, edit(REFUSAL,
    "is_settled", TRUE))),
}
