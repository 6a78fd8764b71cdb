-- Mistakes about what is written down, and what the next process makes of it.

local make = require "spec.simulation.mutants.make"

local ATTEMPT, CHANGE = "alicloud.call.attempt", "alicloud.dr.change"
local ENGINE, PROTOCOL = "alicloud.dr.playbook.engine", "alicloud.dr.journal.protocol"
local JOURNAL, PAST = "alicloud.dr.journal", "alicloud.dr.playbook.past"
local CALLS, GROUP = "alicloud.dr.playbook.call_recorder", "alicloud.dr.playbook.bound_group"
local RUNNER, STEP = "alicloud.dr.playbook.runner", "alicloud.dr.playbook.step"
local OPENING = "alicloud.dr.playbook.opening"
local MEMORY = "alicloud.dr.store.memory"
local edit, mutant, TRIES_AGAIN, TRUE = make.edit, make.mutant, make.TRIES_AGAIN, make.TRUE
local FALSE, NIL = make.FALSE, make.NIL

return {
  -- The journal.
  mutant("no fsync", 1, edit(MEMORY, "Store:settle", TRUE)),
  mutant("the record of a call is not synced", 1, edit(ENGINE, "Engine:write",
    [[function(self, event, durable)
      -- Only its number is known when it is its turn.
      return original(self, event, durable and type(event) ~= "function")
    end]])),
  mutant("the journal is written after the call", 1, edit(CALLS, "M.interceptor",
    [[function(branch)
      local recorder = original(branch)
      return {
        before = function() return true end,
        after = function(call, result, answer)
          recorder.before(call)
          recorder.after(call, result, answer)
        end,
      }
    end]])),
  mutant("calls are not written down", 1, edit(ATTEMPT, "send_intercepted", "send")),
  mutant("the intent is not written down", 1, edit(PROTOCOL, "M.write_intent", TRUE)),
  mutant("a call that could not be written down is sent", 160, edit(CALLS, "note_call",
    [[function(branch, call)
      original(branch, call)
      return true
    end]])),
  mutant("the failure of a write is overlooked", 34, edit(JOURNAL, "Journal:write",
    [[function(self, ...)
      original(self, ...)
      self.fault = nil
      return true
    end]])),
  mutant("a write that failed is tried again", 48, edit(JOURNAL, "Journal:write", TRIES_AGAIN),
    edit(MEMORY, "Store:append", TRIES_AGAIN)),
  mutant("the torn end is kept", 9, edit(JOURNAL, "cut_torn_end", TRUE)),
  mutant("the torn end is damage", 9, edit(JOURNAL, "M.read",
    [[function(text)
      local reading, damage = original(text)
      if not reading or reading.torn == 0 then return reading, damage end
      return nil, { line = #reading.events + 1, reason = "is torn", before = reading }
    end]])),
  mutant("the whole journal is cut with its torn end", 33, edit(JOURNAL, "cut_torn_end",
    "function(store, reading) return original(store, { torn = reading.torn, bytes = 0 }) end")),
  mutant("the lock is ignored", 117, edit(OPENING, "M.open",
    [[function(options)
      local store, lease = options.store, options.store.lease
      function store.lease(...) return lease(...) or { fence = 0 } end
      local open, err = original(options)
      store.lease = nil
      return open, err
    end]])),
  mutant("the lock is not held", 117, edit(MEMORY, "Store:lease",
    [[function(self, name, holder)
      local lease, err = original(self, name, holder)
      if lease then self.disk.leases[lease.name] = nil end
      return lease, err
    end]])),
  mutant("a secret is written down", 1, edit(JOURNAL, "says_secret", FALSE)),

  -- Resuming.
  mutant("an open intent is forgotten by the next process", 37, edit(GROUP, "forget", NIL)),
  mutant("an intent without an answer is sent at once", 40, edit(CHANGE, "Change:resume",
    [[function(self, past)
      function self.decide_by_looking()
        self.decide_by_looking = nil
        return "send"
      end
      return original(self, past)
    end]])),
  mutant("an intent without an answer is decided anew", 37,
    edit(CHANGE, "Change:is_continued", FALSE)),
  mutant("the resend window begins anew with each process", 40, edit(CHANGE, "moment_of",
    "function(_, loop, runtime) return { monotonic = loop.now(), wall = runtime.time() } end")),
  mutant("an unknown answer is written down as not sent", 160, edit(CALLS, "note_answer",
    [[function(branch, call, result, answer)
      local other = setmetatable({ outcome = "not_sent" }, { __index = answer })
      return original(branch, call, result, other)
    end]])),
  mutant("the next process takes no doubt over", 154, edit(PAST, "M.continuation",
    [[function(state, entry)
      local past = original(state, entry)
      past.doubtful = false
      return past
    end]])),
  mutant("a finished run runs again", 9, edit(RUNNER, "has_finished", FALSE)),
  mutant("finished steps are done again", 2, edit(STEP, "settled_before", FALSE)),
  mutant("every resume begins with a new intent's token", 37,
    edit(CHANGE, "Change:token", [[function(self, ...)
      local past = self.options.continue
      self.options.continue = nil
      local token = original(self, ...)
      self.options.continue = past
      return token
    end]]),
    edit(CHANGE, "Change:is_continued", FALSE)),
}
