-- Deliberate mistakes. Each must be noticed by some seed; `seed` is one that did. `only` names the
-- hostile option without which nobody would notice, `names` the invariant where it must be that.
-- A mistake names a module, a function or constant as it is declared there, and what takes its
-- place; `original` is what was there (spec.simulation.mutated).

local ATTEMPT, OUTCOME = "alicloud.call.attempt", "alicloud.call.outcome"
local CHANGE = "alicloud.dr.change"
local DIRECTION = "alicloud.dr.model.direction"
local DRY_RUN, ENGINE = "alicloud.dr.playbook.dry_run", "alicloud.dr.playbook.engine"
local FAILOVER, POLLER = "alicloud.dr.actions.failover", "alicloud.dr.change.poller"
local FAILURES, GROUPS = "alicloud.dr.change.failures", "alicloud.dr.read.groups"
local INTENT, SNAPSHOT = "alicloud.dr.model.intent", "alicloud.dr.model.snapshot"
local PAIR_SET, PHASE = "alicloud.dr.model.pair_set", "alicloud.dr.model.phase"
local PRECHECK, PROTOCOL = "alicloud.dr.model.precheck", "alicloud.dr.journal.protocol"
local JOURNAL, PAST = "alicloud.dr.journal", "alicloud.dr.playbook.past"
local CALLS, GROUP = "alicloud.dr.playbook.call_recorder", "alicloud.dr.playbook.bound_group"
local READING, SETTLED = "alicloud.dr.model.reading", "alicloud.dr.read.settled"
local RUNNER, STEP = "alicloud.dr.playbook.runner", "alicloud.dr.playbook.step"
local FIGURES, OUTAGE_TIME = "alicloud.dr.playbook.figures", "alicloud.dr.playbook.outage_time"
local MEMORY = "alicloud.dr.store.memory"
local OUTAGE, REFUSAL = "alicloud.call.outage_retry", "alicloud.dr.change.refusal"
local PRODUCTION, UNFENCE = "alicloud.dr.playbook.production", "alicloud.dr.actions.unfence"
local UNDO = "alicloud.dr.playbook.undo"
local PARALLEL, WAVES = "alicloud.dr.playbook.parallel", "alicloud.dr.playbook.waves"

local function edit(module, name, value)
  return { module = module, name = name, value = value }
end

local function mutant(name, seed, ...)
  return { name = name, seed = seed, edits = { ... } }
end

local function lie(only, name, seed, ...)
  local made = mutant(name, seed, ...)
  made.only = only
  return made
end

local function of(names, made)
  made.names = names
  return made
end

-- What only groups that are waited for at the same time can notice.
local function of_two(made)
  made.playbook = "spec/simulation/playbooks/two.lua"
  return made
end

-- What only a group whose sides lie in one region can notice.
local function of_zones(made)
  made.playbook = "spec/simulation/playbooks/zones.lua"
  return made
end

-- What only a fleet with tiers and a canary can notice.
local function of_fleet(names, made)
  made.playbook = "spec/simulation/playbooks/fleet.lua"
  return of(names, made)
end

-- What only a move that stops production first can notice.
local function of_planned(made)
  made.playbook = "lua/alicloud/playbooks/planned.lua"
  return of("P10", made)
end

local function playbook(name, seed, path)
  return { name = name, seed = seed, edits = {}, playbook = path }
end

-- A function that gives one phase where the original gives another.
local function takes_for(phase, other)
  return ([[function(...)
    local phase, reason = original(...)
    return phase == "%s" and "%s" or phase, reason
  end]]):format(phase, other)
end

-- A method that tries although it has failed before.
local TRIES_AGAIN = [[function(self, ...)
  local fault = self.fault
  self.fault = nil
  local ok, err = original(self, ...)
  self.fault = self.fault or fault
  return ok, err
end]]

local TRUE, FALSE = "function() return true end", "function() return false end"
local NIL = "function() return nil end"

return {
  -- The journal.
  mutant("no fsync", 1, edit(MEMORY, "sync", TRUE)),
  mutant("the record of a call is not synced", 1, edit(ENGINE, "Engine:write",
    [[function(self, event, durable)
      return original(self, event, durable and event.type ~= "call")
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
    [[function(self, event, durable)
      original(self, event, durable)
      self.fault = nil
      return true
    end]])),
  mutant("a write that failed is tried again", 48, edit(JOURNAL, "Journal:write", TRIES_AGAIN),
    edit(MEMORY, "Store:append", TRIES_AGAIN)),
  mutant("the torn end is kept", 8, edit(JOURNAL, "cut_torn_end", TRUE)),
  mutant("the torn end is damage", 8, edit(JOURNAL, "M.read",
    [[function(text)
      local reading, damage = original(text)
      if not reading or reading.torn == 0 then return reading, damage end
      return nil, { line = #reading.events + 1, reason = "is torn", before = reading }
    end]])),
  mutant("the whole journal is cut with its torn end", 8, edit(JOURNAL, "cut_torn_end",
    "function(store, reading) return original(store, { torn = reading.torn, bytes = 0 }) end")),
  mutant("the lock is ignored", 28, edit(RUNNER, "opened",
    [[function(options, runtime)
      local store, lease = options.store, options.store.lease
      function store.lease(...) return lease(...) or { fence = 0 } end
      local open, err = original(options, runtime)
      store.lease = nil
      return open, err
    end]])),
  mutant("the lock is not held", 28, edit(MEMORY, "Store:lease",
    [[function(self, name, holder)
      local lease, err = original(self, name, holder)
      if lease then self.disk.leases[lease.name] = nil end
      return lease, err
    end]])),
  mutant("a secret is written down", 1, edit(JOURNAL, "M.is_secret_name", FALSE)),

  -- Resuming.
  mutant("an open intent is forgotten by the next process", 11, edit(GROUP, "forget", NIL)),
  mutant("an intent without an answer is sent at once", 40, edit(CHANGE, "Change:resume",
    [[function(self, past)
      function self.decide_by_looking()
        self.decide_by_looking = nil
        return "send"
      end
      return original(self, past)
    end]])),
  mutant("an intent without an answer is decided anew", 11,
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
  mutant("every resume begins with a new intent's token", 11,
    edit(CHANGE, "Change:token", [[function(self, ...)
      local past = self.options.continue
      self.options.continue = nil
      local token = original(self, ...)
      self.options.continue = past
      return token
    end]]),
    edit(CHANGE, "Change:is_continued", FALSE)),

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

  -- Sending again.
  mutant("sent again though the window is over", 40, edit(CHANGE, "Change:may_send_again",
    [[function(_, phase) return phase == "not_started" end]])),
  mutant("the window stands still with the machine", 91, edit(CHANGE, "Change:since_first_send",
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
  lie("token_forget", "sent again after two quick looks", 211,
    edit(POLLER, "M.STABLE", "{ reads = 2, span = 2 }")),

  -- Success.
  mutant("success when the call is accepted", 1, edit(POLLER, "Poller:conclusion",
    [[function() return "completed" end]])),
  lie("group_ahead", "success on the group alone", 31, edit(PHASE, "phase_of",
    [[function(transition, intent, snapshot)
      if stage_of_group(transition, intent, snapshot) == "done" then return "completed" end
      return original(transition, intent, snapshot)
    end]])),
  lie("short_list", "cut pair lists are whole", 185, edit(SNAPSHOT, "M.pair_set_fault", NIL)),
  mutant("the frozen pair set is not compared", 651, edit(PHASE, "M.of_shape",
    [[function(...)
      local phase, reason = original(...)
      if phase ~= "conflict" then return phase, reason end
    end]])),
  lie("empty_list", "a group that both lists leave out has arrived", 56,
    edit(GROUPS, "read_groups", [[function(client, region, site, ...)
      local records, err, meta = original(client, region, site, ...)
      M.left_out = records ~= nil and (site == "backup" or M.left_out)
      return records, err, meta
    end]]),
    edit(PHASE, "M.of_shape", [[function(transition, intent, snapshot)
      if snapshot.role == "absent" and require "alicloud.dr.read.groups".left_out then
        return "completed", "gone"
      end
      return original(transition, intent, snapshot)
    end]])),
  lie("unknown_status", "an unknown word means done", 497,
    edit(PHASE, "phase_of", takes_for("unknown", "completed"))),
  mutant("a failover in part is success", 75,
    edit(PHASE, "phase_of", takes_for("failed", "completed")),
    edit(PHASE, "phase_of", takes_for("partially_failed", "completed"))),
  mutant("under way is as good as there", 1,
    edit(PHASE, "phase_of", takes_for("in_progress", "completed"))),
  mutant("a failover under way is called done", 912, edit(FAILOVER, "look",
    [[function(change)
      local snapshot, err, route, report = original(change)
      return snapshot, err, route == "join" and "done" or route, report
    end]])),

  -- Odd looks.
  of("N3", mutant("a recovery point in the future is one", 535,
    edit(READING, "is_ahead", FALSE))),
  of("E", mutant("one odd look after the call ends a run", 318, edit(POLLER, "Poller:conclusion",
    [[function(self, phase, evidence)
      if phase == "direction_changed" then return "superseded" end
      return original(self, phase, evidence)
    end]]))),
  of("E", mutant("what passes is not waited for", 212, edit(SETTLED, "M.PATIENCE", "0"))),
  of("E", mutant("a count that lags outvotes names and list", 42,
    edit(PAIR_SET, "believe_two", NIL))),
  of("E", mutant("no names are a statement", 77, edit(PAIR_SET, "M.believe",
    [[function(count, names, members)
      if names and #names == 0 then return { count = count, names = names, members = members } end
      return original(count, names, members)
    end]]))),
  of("E", mutant("digits in quotes are no number", 43, edit(READING, "M.number",
    [[function(value) return type(value) == "number" and value or nil end]]))),
  of("E", mutant("the pairs cannot stand in for their group", 200,
    edit(SNAPSHOT, "all_have_points", FALSE))),

  -- Direction and place.
  of("S2", lie("permissive", "no check of the direction", 20, edit(PRECHECK, "check_direction",
    [[function(snapshot)
      if snapshot.role == "primary" then return ok "whatever" end
      return original(snapshot)
    end]]))),
  of("S13", of_zones(mutant("the zone that was asked for is ignored", 2, edit(DIRECTION, "role_of",
    [[function(look) return look.to.region == look.region and "secondary" or "primary" end]])))),
  of("S13", of_zones(mutant("the source is taken for the side that was asked for", 2,
    edit(DIRECTION, "role_of", [[function(...)
      local role = original(...)
      return role == "primary" and "secondary" or role
    end]])))),
  mutant("the other region is asked meanwhile", 1, edit(FAILOVER, "target_of",
    [[function(change, intent)
      local target, group = original(change, intent), change.group
      local read = target.read
      function target.read(options)
        group.client:call("DescribeDiskReplicaGroups",
          { RegionId = intent.from.region, GroupIds = group.id })
        return read(options)
      end
      return target
    end]])),

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
  lie("stale_read", "one look that shows nothing denies what was accepted", 53,
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
  lie("stale_read", "a failover that is seen late is called the answer to an old token", 53,
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

  -- What groups that are waited for at the same time share.
  of_two(mutant("a batched read decides the end", 95, edit(POLLER, "Poller:record_batched",
    [[function(self, snapshot)
      if snapshot.status == "failovered" then return self:record(snapshot, "completed") end
      return original(self, snapshot)
    end]]))),
  of_two(mutant("a batched read that has told nothing is asked for again", 1, edit(POLLER,
    "Poller:look_instead", [[function(self, deadline, told_nothing)
      if told_nothing then return self:look_batched(deadline, deadline) end
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

  -- Patience.
  of("E", mutant("a read is not asked again in an outage", 193, edit(OUTAGE, "M.is_patient",
    FALSE))),
  of("E", mutant("ten minutes of a call that is refused are too long", 480, edit(REFUSAL,
    "wait_for_cloud", FALSE))),
  of("S9", mutant("an outage is waited for without an end", 13, edit(OUTAGE, "M.left",
    "function() return 1e6 end"))),
  of("S4", mutant("a refusal opens the window after an answer that was lost", 440, edit(REFUSAL,
    "is_settled", TRUE))),

  -- A move that has stopped production.
  of("P11", of_planned(mutant("a correction is forgotten by the next process", 5, edit(
    "alicloud.dr.playbook.corrections", "changes_of", [[function(state, wish)
      return original({ params = state.run.params }, wish)
    end]])))),
  of_planned(mutant("nobody says that production is down", 5, edit(PRODUCTION, "M.words", NIL))),
  of_planned(mutant("what a fence will stop is not written down before", 5, edit(GROUP,
    "PREPARE.fence", "function() end"), edit(PRODUCTION, "stopping_steps",
    "function() return {} end"))),
  of_planned(mutant("a step that could not be undone is called undone", 5, edit(UNDO,
    "undo_step", "function(...) original(...) return true end"), edit(PRODUCTION, "M.down", NIL))),
  of_planned(mutant("what is brought back is not started", 34, edit(UNFENCE, "plan_starts", NIL))),
  of_planned(mutant("what is brought back is not attached", 34, edit(UNFENCE, "attach",
    "function(_, _, job) return job.disk end"), edit(UNFENCE, "finish",
    "function(_, _, result) return result end"))),
  of_planned(mutant("a stop that is begun counts as undone", 5, edit(PRODUCTION, "M.apply",
    [[function(list, event)
      original(list, event)
      if event.state == "stopped" then list[event.group_id].state = "back" end
    end]]), edit(PRODUCTION, "stopping_steps", "function() return {} end"))),

  -- Figures.
  of("N1", mutant("the loss grows after the outage", 4, edit(GROUP, "outage_of", NIL))),
  of("N1", mutant("the loss ends with the last recovery point", 1, edit(FAILOVER, "tell_loss",
    [[function(change, made)
      original(change, made)
      if made.rpo then made.rpo = 0 end
    end]]))),
  of("N2", mutant("the time of a later process is that of the failover", 10, edit(FAILOVER,
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
