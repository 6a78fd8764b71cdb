-- Deliberate mistakes. Each must be noticed by some seed; `seed` is one that did. `only` names the
-- hostile option without which nobody would notice, `names` the invariant where it must be that.

local FAILOVER, POLLER = "alicloud.dr.actions.failover", "alicloud.dr.change.poller"
local FAILURES = "alicloud.dr.change.failures"
local CHANGE = "alicloud.dr.change"
local INTENT, SNAPSHOT = "alicloud.dr.model.intent", "alicloud.dr.model.snapshot"
local PHASE = "alicloud.dr.model.phase"
local PRECHECK, PROTOCOL = "alicloud.dr.model.precheck", "alicloud.dr.journal.protocol"
local JOURNAL, STATE = "alicloud.dr.journal", "alicloud.dr.playbook.state"
local CALLS, GROUP = "alicloud.dr.playbook.call_recorder", "alicloud.dr.playbook.bound_group"
local RUNNER, STEP = "alicloud.dr.playbook.runner", "alicloud.dr.playbook.step"
local MEMORY, INTERCEPTOR = "alicloud.dr.store.memory", "alicloud.call.interceptor"

local function edit(module, from, to)
  return { module = module, from = from, to = to }
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

local function playbook(name, seed, path)
  return { name = name, seed = seed, edits = {}, playbook = path }
end

return {
  -- The journal.
  mutant("no fsync", 1, edit(MEMORY, "if durable then return sync(self) end", "")),
  mutant("the record of a call is not synced", 1, edit(CALLS,
    "engine.tokens[call.client_token] or nil,\n  }, true)",
    "engine.tokens[call.client_token] or nil,\n  }, false)")),
  mutant("the journal is written after the call", 1,
    edit(CALLS, "before = function(call) return note_call(branch, call) end,",
      "before = function() return true end,"),
    edit(CALLS, "after = function(call, result, answer) return note_answer",
      "after = function(call, result, answer) note_call(branch, call) return note_answer")),
  mutant("calls are not written down", 1,
    edit("alicloud.call.attempt", "if context.interceptor and plan.mutating then",
      "if false then")),
  mutant("the intent is not written down", 1, edit(PROTOCOL, "if not journal then return true end",
    "do return true end")),
  mutant("a call that could not be written down is sent", 160,
    edit(INTERCEPTOR, "if ok and agreed then return call end", "do return call end")),
  mutant("the failure of a write is overlooked", 34,
    edit(JOURNAL, "self.fault = err\n    return nil, err", "return true")),
  mutant("a write that failed is tried again", 48,
    edit(JOURNAL, "if self.fault then return nil, self.fault end", ""),
    edit(MEMORY, "if self.fault then return nil, self.fault end", "")),
  mutant("the torn end is kept", 8, edit(JOURNAL, "if reading.torn > 0 then",
    "if false then")),
  mutant("the torn end is damage", 8, edit(JOURNAL, "if not stop or stop == #text",
    "stop = stop or #text + 1 if stop == #text")),
  mutant("the whole journal is cut with its torn end", 8,
    edit(JOURNAL, "store:cut(reading.bytes)", "store:cut(0)")),
  mutant("the lock is ignored", 28, edit(RUNNER, "if not lease then return nil, err end",
    "lease = lease or { fence = 0 }")),
  mutant("the lock is not held", 28, edit(MEMORY,
    "self.disk.leases[key], self.held[#self.held + 1] = lease, lease",
    "self.held[#self.held + 1] = lease")),
  mutant("a secret is written down", 1,
    edit(JOURNAL, "if M.is_secret_name(key) then copy[key] = M.HIDDEN else", "do")),

  -- Resuming.
  mutant("an open intent is forgotten by the next process", 11,
    edit(GROUP, "past = forget(branch, past)", "past = nil")),
  mutant("an intent without an answer is sent at once", 40, edit(CHANGE,
    "local step, failure = self:decide_by_looking(pollers.STABLE, failures.lost_answer(self))",
    'local step, failure = "send", nil')),
  mutant("an intent without an answer is decided anew", 11,
    edit(CHANGE, "return past ~= nil and past.first_send_wall ~= nil", "return past ~= past")),
  mutant("the resend window begins anew with each process", 40,
    edit(CHANGE, "local age = math.abs(runtime.time() - past.first_send_wall)",
      "local age = 0"),
    edit(CHANGE, "monotonic = loop.now() - age, wall = past.first_send_wall }",
      "monotonic = loop.now() - age, wall = past and runtime.time() }")),
  mutant("an unknown answer is written down as not sent", 160,
    edit(CALLS, 'or answer.outcome or "unknown",', 'or "not_sent",')),
  mutant("the next process takes no doubt over", 154,
    edit(STATE, "past.doubtful = past.doubtful or M.is_doubtful(call)", "")),
  mutant("a finished run runs again", 9,
    edit(RUNNER, 'state.ending.type == "finished" then', 'state.ending.type == "ended" then')),
  mutant("finished steps are done again", 2,
    edit(STEP, "if past and settled_before(past) then", "if false then")),
  mutant("every resume begins with a new intent's token", 11,
    edit(CHANGE, "if options.continue then return options.continue.intent.client_token end", ""),
    edit(CHANGE, "return past ~= nil and past.first_send_wall ~= nil", "return past ~= past")),

  -- Tokens.
  mutant("a new token for each send", 1, edit(CHANGE,
    "local params = { ClientToken = self.intent.client_token }",
    "local params = { ClientToken = self.runtime.random_hex(16) }")),
  mutant("the client makes up the token", 1, edit(CHANGE,
    "local params = { ClientToken = self.intent.client_token }",
    "local params = {}")),
  mutant("an incident's token is each operator's own", 150,
    edit(INTENT, "snapshot.to.region, snapshot.to.zone or \"\", incident }",
      "snapshot.to.region, snapshot.to.zone or \"\", incident .. core.random_hex(4) }")),

  -- Sending again.
  mutant("sent again though the window is over", 40, edit(CHANGE,
    'if phase == "not_started" and self:window_left() > 0 then',
    'if phase == "not_started" then')),
  mutant("the window stands still with the machine", 91,
    edit(CHANGE, "return math.max(self:now() - self.first_send.monotonic,\n"
      .. "    self.runtime.time() - self.first_send.wall)",
      "return self:now() - self.first_send.monotonic")),
  lie("token_forget", "sent again without a look", 150, edit(CHANGE,
    "local phase = self.poller:until_stable(stability, self:now() + time)",
    'local phase = self.poller:until_stable({ reads = 0, span = -1 }, self:now() + time)\n'
      .. '  if phase == "in_progress" or phase == "not_started" then\n'
      .. '    self.loop.sleep(5)\n    phase = "not_started"\n  end')),
  mutant("sent again by the client itself", 150, edit(CHANGE,
    'local options = { region = self.region, resend = "never" }',
    "local options = { region = self.region }")),
  lie("token_forget", "sent again after two quick looks", 211,
    edit(POLLER, "M.STABLE = { reads = 3, span = 15 }", "M.STABLE = { reads = 2, span = 2 }")),

  -- Success.
  mutant("success when the call is accepted", 1, edit(POLLER,
    "if phase then\n      count(evidence, phase, now)\n      local conclusion",
    'if phase then return "completed" end\n    if phase then\n'
      .. "      count(evidence, phase, now)\n      local conclusion")),
  lie("group_ahead", "success on the group alone", 31, edit(PHASE,
    'if group == "done" and counts.done == total then', 'if group == "done" then')),
  lie("short_list", "cut pair lists are whole", 185, edit(SNAPSHOT,
    "function M.pair_set_fault(snapshot)\n", "function M.pair_set_fault()\n  do return nil end\n"
      .. "  local snapshot = nil\n")),
  mutant("the frozen pair set is not compared", 651, edit(PHASE,
    "local difference = snapshots.id_difference(intent.pairs, snapshots.ids(snapshot))",
    "local difference")),
  lie("empty_list", "a group that both lists leave out has arrived", 56,
    edit("alicloud.dr.read.groups", "local record = find(records or {}, group_id)",
      'M.left_out = records ~= nil and (site == "backup" or M.left_out)\n'
        .. "    local record = find(records or {}, group_id)"),
    edit(PHASE, 'if snapshot.role == "absent" then',
      'if snapshot.role == "absent" and require "alicloud.dr.read.groups".left_out then\n'
        .. '    return "completed", "gone"\n  end\n  if snapshot.role == "absent" then')),
  lie("unknown_status", "an unknown word means done", 496, edit(PHASE,
    'if group == "unknown" or counts.unknown > 0 then return "unknown" end',
    'if group == "unknown" or counts.unknown > 0 then return "completed" end')),
  mutant("a failover in part is success", 75,
    edit(PHASE, 'snapshot) then return "failed" end', 'snapshot) then return "completed" end'),
    edit(PHASE, 'return "partially_failed"\n', 'return "completed"\n')),
  mutant("under way is as good as there", 1, edit(PHASE,
    'return "in_progress"\n', 'return "completed"\n')),
  mutant("a failover under way is called done", 912, edit(FAILOVER,
    'if snapshots.is_failovered(snapshot) then return "done" end',
    'if is_under_way(snapshot) then return "done" end')),

  -- Direction and place.
  of("S2", lie("permissive", "no check of the direction", 20, edit(PRECHECK,
    'if snapshot.role == "primary" then return block(M.wrong_side(snapshot)) end',
    'if snapshot.role == "primary" then return ok "whatever" end'))),
  mutant("the other region is asked meanwhile", 1, edit(FAILOVER,
    "read = function(options) return group:observe(options) end,",
    'read = function(options)\n      group.client:call("DescribeDiskReplicaGroups",\n'
      .. "        { RegionId = intent.from.region, GroupIds = group.id })\n"
      .. "      return group:observe(options)\n    end,")),

  -- What is said.
  mutant("an unknown outcome is called rejected", 189, edit(FAILURES,
    'kind = "state", code = "Client.OutcomeUnknown", outcome = "unknown"',
    'kind = "state", code = "Client.OutcomeUnknown", outcome = "rejected"')),
  mutant("a later refusal hides an earlier doubt", 17, edit(FAILURES,
    'local doubtful = change.doubtful or err.outcome == "unknown"', "local doubtful = false")),
  mutant("what was accepted and failed was not sent", 27, edit(FAILURES,
    'if change.accepted then return "accepted" end',
    'if change.accepted then return "not_sent" end')),
  mutant("a wait that ends too early ends as not sent", 182, edit(FAILURES,
    'outcome = "unknown", retryable = true,\n    message = (stalled',
    'outcome = "not_sent", retryable = true,\n    message = (stalled')),
  mutant("an answer that never came is a refusal", 208, edit("alicloud.call.outcome",
    'local outcome = failure.outcome or "unknown"',
    'local outcome = failure.outcome == "not_sent" and "not_sent" or "rejected"')),
  mutant("a broken journal hides what was sent", 90, edit(RUNNER,
    "if err.incomplete and is_in_doubt(engine.state) then", "if false then")),
  lie("stale_read", "one look that shows nothing denies what was accepted", 53,
    edit(POLLER, 'if phase == "direction_changed" then return "superseded" end',
      'if phase == "direction_changed" then return "superseded" end\n'
        .. '  if phase == "not_started" and self.last.status == "normal" then '
        .. 'return "denied" end'),
    edit(CHANGE, 'if ending == "failed" then return failures.failed(self) end',
      'if ending == "denied" then\n    self.poller.reason = "nothing has happened"\n'
        .. '    local _, failure = failures.superseded(self)\n'
        .. '    failure.outcome = "rejected"\n    return nil, failure\n  end\n'
        .. '  if ending == "failed" then return failures.failed(self) end')),
  lie("pair_ids", "ids in one element are one id", 119, edit(SNAPSHOT,
    'for id in tostring(element):gmatch("[^,%s]+") do ids[#ids + 1] = id end',
    "ids[#ids + 1] = tostring(element)")),

  -- What groups that are waited for at the same time share.
  of_two(mutant("a batched read decides the end", 95, edit(POLLER,
    'if phase == "in_progress" then return self:record(snapshot, phase, reason) end',
    'if snapshot.status == "failovered" then phase = "completed" end\n'
      .. '    if phase == "in_progress" or phase == "completed" then\n'
      .. "      return self:record(snapshot, phase, reason)\n    end"))),
  of_two(mutant("a batched read that has told nothing is asked for again", 1, edit(POLLER,
    "return self:look_instead(deadline, true)", "return self:look_batched(deadline, ends)"))),

  -- Bounds, plans, chance.
  mutant("looked without a pause", 1, edit(POLLER,
    "self:pause(pause, math.min(deadline, changed_at + stall))", "")),
  mutant("waited without an end", 182, edit(POLLER,
    'if now >= deadline then return "timeout" end\n'
      .. '    if now - changed_at >= stall then return "stalled" end', "")),
  mutant("a plan sends", 31, edit("alicloud.dr.playbook.dry_run",
    'local client = noting_client(dry, options.client:with { mode = "observe" })',
    'local client = options.client\n  client:call("StopDiskReplicaGroup", '
      .. '{ ReplicaGroupId = "pg-move" })')),
  mutant("chance that no seed gives", 50, edit(CHANGE,
    "return options.client_token or self.runtime.random_hex(16)",
    'return options.client_token or require "alicloud.core".random_hex(16)')),

  -- The playbook itself.
  playbook("a playbook that calls the API itself", 1, "spec/simulation/playbooks/raw.lua"),
}
