--- A gate: the run waits until enough people have approved by signed lines, which they leave in the
--- inbox of the run.

local approvals = require "alicloud.dr.playbook.approval"
local core = require "alicloud.core"
local decisions = require "alicloud.dr.playbook.decision"
local duration = require "alicloud.base.duration"
local effects = require "alicloud.dr.playbook.effect"
local errors = require "alicloud.base.error"
local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"
local states = require "alicloud.dr.playbook.state"
local steps = require "alicloud.dr.playbook.step"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.GateOptions
---@field need integer how many of these people have to approve
---@field of string[]|table<string, string> names, with keys from the run's options, or name =
---public key
---@field expires? number|string how long the gate waits, and how long an approval counts (15m)

local EXPIRES = 900
local SLICE = 1

local KEY = schema.rule("64 hexadecimal digits, as `alicloud-dr approve --new-key` prints them",
  function(value)
    return type(value) == "string" and #value == 64 and value:find("^%x+$") ~= nil
  end)

M.KEY = KEY

local NAME = schema.rule("names of up to 80 bytes without control characters", function(value)
  return schema.text.test(value) and #value <= 80
end)

local SCHEMA = {
  need = schema.integer(1, 100),
  of = schema.rule("a list of names, or a table of name = public key", function(value)
    return type(value) == "table" and next(value) ~= nil
  end),
  expires = schema.rule(duration.ALLOWED, function(value)
    local seconds = duration.parse(value)
    return seconds ~= nil and seconds > 0
  end),
}

local function names_of(of)
  local names = {}
  for key, value in pairs(of) do
    names[#names + 1] = math.type(key) == "integer" and value or key
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

-- The first name whose key is malformed. A name in the list part has its key from --approvers.
local function odd_key(of)
  for _, name in ipairs(tables.keys(of)) do
    if type(name) == "string" and not KEY.test(of[name]) then return name end
  end
end

local function no_name(names)
  for _, name in ipairs(names) do
    if not NAME.test(name) then return name end
  end
end

local function twice_there(names)
  for i = 2, #names do
    if names[i] == names[i - 1] then return names[i] end
  end
end

--- Checks a gate's options; raises at the caller of run:gate.
---@param name string
---@param options alicloud.dr.GateOptions
---@return alicloud.dr.GateOptions
function M.check(name, options)
  local where = ("playbook: gate %q"):format(name)
  local given = schema.check(where, options, SCHEMA, 3)
  if not given.need or not given.of then
    error(where .. ": need and of are required, e.g. { need = 2, of = { \"ops-lead\", \"dba\" } }",
      3)
  end
  given.names = names_of(given.of)
  local odd = no_name(given.names)
  if odd ~= nil then
    error(("%s: option of: got %s; allowed: %s"):format(where, schema.show(odd), NAME.allowed), 3)
  end
  local twice = twice_there(given.names)
  if twice then error(("%s: option of: %q is there twice"):format(where, tostring(twice)), 3) end
  local keyless = odd_key(given.of)
  if keyless then
    error(("%s: option of: key of %s: got %s; allowed: %s"):format(where, keyless,
      schema.show(given.of[keyless]), KEY.allowed), 3)
  end
  if given.need > #given.names then
    error(("%s: option need: got %d; allowed: at most %d, the number of names"):format(where,
      given.need, #given.names), 3)
  end
  given.seconds = given.expires and duration.parse(given.expires) or EXPIRES
  return given
end

local GIVE_KEY = "give it in the playbook (of = { name = key }) or in the file of --approvers, or "
  .. "break the gate open: --skip 'gate:%s=WHY'"

-- What is wrong with the keys. Two names must not share a key: its holder could approve twice.
local function key_fault(approvers)
  local holders = {}
  for _, each in ipairs(approvers) do
    if not KEY.test(each.key) then return "there is no public key of " .. each.name end
    local other = holders[each.key:lower()]
    if other then
      return ("%s and %s have the same public key; everybody makes one of his own: alicloud-dr "
        .. "approve --new-key FILE --as NAME"):format(other, each.name)
    end
    holders[each.key:lower()] = each.name
  end
  return nil
end

-- The approvers with their keys: a key in the playbook goes before one in the run's options.
local function approvers_of(engine, options)
  local given, approvers = engine.options.approvers or {}, core.array {}
  for i, name in ipairs(options.names) do
    local own = options.of[name]
    approvers[i] = { name = name, key = own or given[name],
      from = own and "playbook" or "requester" }
  end
  local fault = key_fault(approvers)
  if fault then return nil, fault end
  return approvers
end

local function demand_of(engine, asked, now, barred)
  return { decision = asked, now = now or engine.runtime.time(),
    barred = barred or states.barred(engine.state) }
end

local function consider(engine, key, asked, line)
  local fault = approvals.fault(line, demand_of(engine, asked))
  if fault then
    engine:record { type = "note", mail = line.digest,
      text = ("an approval of gate %q was not taken: %s"):format(key, fault) }
  else
    engine:record { type = "approval", gate = key, by = line.by, approved_at = line.at,
      decision = line.decision, signature = line.signature, mail = line.digest }
  end
end

local function take_lines(engine, key, asked)
  local left = {}
  for _, line in ipairs(engine.inbox.approvals) do
    if line.gate == key then
      consider(engine, key, asked, line)
    else
      left[#left + 1] = line
    end
  end
  engine.inbox.approvals = left
end

local function count(engine, key, asked, at, barred)
  local demand = demand_of(engine, asked, at, barred)
  return approvals.count(engine.state.gates[key].approvals, engine.state.run.run_id, demand)
end

local function expire(branch, key, options, total)
  branch.engine:record { type = "gate_fail", gate = key, approvals = total }
  branch:halt(errors.new {
    kind = "timeout", code = "Client.GateExpired", outcome = "not_sent", step = key,
    message = ("gate %q: %d of %d approvals within %s"):format(key, total, options.need,
      duration.format(options.seconds)),
    hint = "resume the run, and ask for the approvals again",
  })
end

local function ask(engine, key, options, asked)
  engine:record { type = "gate_open", gate = key, need = options.need, of = options.names,
    expires = options.seconds, decision = asked, keys_from = engine.options.approvers_from,
    keys_file = engine.options.approvers_file }
end

-- The decision to ask about. If one of before a crash still holds, it is asked again, so that the
-- approvals of it count.
local function asked_before(engine, key, now)
  local past = engine.state.gates[key]
  for _, asked in pairs(past and past.decisions or {}) do
    if decisions.covers(asked, now, false) then return asked end
  end
  return now
end

-- Takes the approvals that have come. If the decision has changed since, people are asked again.
local function take(branch, key, options, approvers, asked)
  local engine = branch.engine
  local now = decisions.now(engine, branch.prefix, key, options, approvers)
  if not decisions.covers(asked, now, false) then
    asked = now
    ask(engine, key, options, asked)
  end
  take_lines(engine, key, asked)
  return asked, count(engine, key, asked)
end

local function await(branch, key, options, approvers)
  local engine, loop = branch.engine, branch.engine.loop
  local deadline, total, seen = loop.now() + options.seconds, 0, nil
  local asked = asked_before(engine, key,
    decisions.now(engine, branch.prefix, key, options, approvers))
  ask(engine, key, options, asked)
  while true do
    engine.inbox:poll()
    -- Approvals are counted only after a new record or line: without one they can only expire.
    -- `seq` is read before, since other branches may write meanwhile.
    local seq = engine.journal.seq
    if seq ~= seen or #engine.inbox.approvals > 0 then
      asked, total = take(branch, key, options, approvers, asked)
      seen = seq
    end
    if total >= options.need then
      return engine:record { type = "gate_pass", gate = key, approvals = total,
        decision = decisions.digest(asked) }
    end
    local left = deadline - loop.now()
    if left <= 0 then return expire(branch, key, options, count(engine, key, asked)) end
    loop.sleep(math.min(SLICE, left))
  end
end

local function broken_open(engine, key, why)
  engine:except(("gate %q was broken open: %s"):format(key, why))
  return true
end

local function was_broken(engine, key)
  local past = engine.state.gates[key]
  local last = past and past.status == "passed" and past.passes[#past.passes]
  return last and last.broken and last.why and broken_open(engine, key, last.why)
end

-- How many approvals of an earlier pass still count. After a point of no return they count as they
-- did at the pass. Before it they expire, and they do not count if more is lost or left out by now.
local function still_counts(engine, key, asked, now, pass)
  if effects.no_return(engine.state, pass.at) then
    return count(engine, key, asked, pass.at, pass.barred)
  elseif decisions.loses_more(asked, now) or decisions.leaves_out_more(asked, now) then
    return 0
  end
  return count(engine, key, asked, nil, pass.barred)
end

-- Whether the gate was passed before by approvals that still count. A record alone does not prove
-- it: the signatures and the decision are checked again.
local function is_passed(branch, key, options, approvers)
  local engine = branch.engine
  local past = engine.state.gates[key]
  if not past or not approvers then return false end
  local now = decisions.now(engine, branch.prefix, key, options, approvers)
  for _, asked in pairs(past.decisions) do
    for _, pass in ipairs(decisions.covers(asked, now, true) and past.passes or {}) do
      if still_counts(engine, key, asked, now, pass) >= options.need then return true end
    end
  end
  return false
end

local function open_to_all(engine)
  local why = engine.options.open_gates
  return why and { why = why, by = engine.holder.owner } or nil
end

-- Notes that a --skip with the gate's plain name is for a step and does not break the gate open.
local function tell_of_wish(engine, key)
  if not (engine.options.skip or {})[key] then return end
  engine:record { type = "note", text = ("gate %q is not left out by --skip %s, which is for a "
    .. "step; --skip %s breaks it open"):format(key, shell.quote(key .. "=WHY"),
    shell.quote("gate:" .. key .. "=WHY")) }
end

--- Runs a gate. It is passed once; a resumed run asks again if the decision has changed since, or
--- if the approvals in the journal are not genuine.
---@param branch alicloud.dr.PlaybookRun
---@param name string
---@param options alicloud.dr.GateOptions checked
function M.run(branch, name, options)
  local engine, key = branch.engine, branch.prefix .. name
  local own_name = steps.skip_key(branch.prefix, "gate:" .. name)
  branch:go_on()
  steps.claim_name(engine, own_name, 2)
  if was_broken(engine, key) then return end
  local approvers, fault = approvers_of(engine, options)
  if is_passed(branch, key, options, approvers) then return end
  local wish = engine.skips[own_name] or open_to_all(engine)
  if wish then
    broken_open(engine, key, wish.why)
    return engine:record { type = "gate_pass", gate = key, broken = true, why = wish.why,
      by = wish.by, approvals = 0 }
  end
  tell_of_wish(engine, key)
  if not approvers then
    local past = engine.state.gates[key]
    local before = past and past.keys_from
      and "; the attempt before had them from " .. past.keys_from
    engine:refuse("Client.NoApproverKey", ("gate %q: %s"):format(key, fault),
      GIVE_KEY:format(key) .. (before or ""))
  end
  await(branch, key, options, approvers)
end

return M
