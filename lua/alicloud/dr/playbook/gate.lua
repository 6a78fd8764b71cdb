--- A gate: the run waits until enough people have approved, by signed lines that are left for it.

local alicloud = require "alicloud"
local approvals = require "alicloud.dr.playbook.approval"
local duration = require "alicloud.dr.duration"
local option = require "alicloud.options"
local steps = require "alicloud.dr.playbook.step"

local M = {}

---@class alicloud.dr.GateOptions
---@field need integer how many of them
---@field of string[]|table<string, string> names, whose keys the run is given, or name = public key
---@field expires? number|string how long the gate waits and an approval counts (15m)

local EXPIRES = 900
local SLICE = 1

local KEY = option.rule("64 hexadecimal digits, as `alicloud-dr approve --new-key` prints them",
  function(value)
    return type(value) == "string" and #value == 64 and value:find("^%x+$") ~= nil
  end)

M.KEY = KEY

local SCHEMA = {
  need = option.integer(1, 100),
  of = option.rule("a list of names, or a table of name = public key", function(value)
    return type(value) == "table" and next(value) ~= nil
  end),
  expires = option.rule(duration.ALLOWED, function(value)
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
  local given = option.check(where, options, SCHEMA, 3)
  if not given.need or not given.of then
    error(where .. ": need and of are required, e.g. { need = 2, of = { \"ops-lead\", \"dba\" } }",
      3)
  end
  given.names = names_of(given.of)
  local twice = twice_there(given.names)
  if twice then error(("%s: option of: %q is there twice"):format(where, tostring(twice)), 3) end
  if given.need > #given.names then
    error(("%s: option need: got %d; allowed: at most %d, the number of names"):format(where,
      given.need, #given.names), 3)
  end
  given.seconds = given.expires and duration.parse(given.expires) or EXPIRES
  return given
end

local function key_of(engine, options, name)
  return options.of[name] or (engine.options.approvers or {})[name]
end

local GIVE_KEY = "give it in the playbook (of = { name = key }) or in the file of --approvers"

-- Who holds one key for two names would approve twice.
local function demand_keys(engine, key, options)
  local holders = {}
  for _, name in ipairs(options.names) do
    local public = key_of(engine, options, name)
    if not KEY.test(public) then
      engine:refuse("Client.NoApproverKey",
        ("gate %q: there is no public key of %s"):format(key, name), GIVE_KEY)
    end
    local other = holders[public:lower()]
    if other then
      engine:refuse("Client.NoApproverKey",
        ("gate %q: %s and %s have the same public key"):format(key, other, name),
        "everybody makes a key of his own: alicloud-dr approve --new-key FILE --as NAME")
    end
    holders[public:lower()] = name
  end
end

local function is_named(options, name)
  for _, allowed in ipairs(options.names) do
    if allowed == name then return true end
  end
  return false
end

-- Neither who asked for the run nor who took it over may approve it.
local function consider(engine, key, options, letter)
  local known = is_named(options, letter.by) and key_of(engine, options, letter.by) or nil
  local asked = letter.by == engine.holder.owner and letter.by or engine.state.run.requester
  local fault = approvals.fault(letter, known, {
    run = engine.state.run.run_id, playbook = engine.playbook.digest, gate = key,
    requester = asked, now = engine.runtime.time(), expires = options.seconds,
  })
  if fault then
    engine:record { type = "note", mail = letter.digest,
      text = ("an approval of gate %q was not taken: %s"):format(key, fault) }
  else
    engine:record { type = "approval", gate = key, by = letter.by, approved_at = letter.at,
      text = letter.playbook, signature = letter.signature, mail = letter.digest }
  end
end

local function take_mail(engine, key, options)
  engine.mail:poll()
  local left = {}
  for _, letter in ipairs(engine.mail.approvals) do
    if letter.gate == key then
      consider(engine, key, options, letter)
    else
      left[#left + 1] = letter
    end
  end
  engine.mail.approvals = left
end

local function count(engine, key, options)
  local names, now, total = {}, engine.runtime.time(), 0
  for _, approval in ipairs(engine.state.gates[key].approvals) do
    local fresh = now - approval.approved_at <= options.seconds
      and approval.text == engine.playbook.digest
    if fresh and not names[approval.by] and is_named(options, approval.by) then
      names[approval.by], total = true, total + 1
    end
  end
  return total
end

local function expire(branch, key, options, total)
  branch.engine:record { type = "gate_fail", gate = key, approvals = total }
  branch:halt(alicloud.error.new {
    kind = "timeout", code = "Client.GateExpired", outcome = "not_sent", step = key,
    message = ("gate %q: %d of %d approvals within %s"):format(key, total, options.need,
      duration.format(options.seconds)),
    hint = "resume the run, and ask for the approvals again",
  })
end

local function await(branch, key, options)
  local engine, loop = branch.engine, branch.engine.loop
  local deadline = loop.now() + options.seconds
  while true do
    take_mail(engine, key, options)
    local total = count(engine, key, options)
    if total >= options.need then
      return engine:record { type = "gate_pass", gate = key, approvals = total,
        text = engine.playbook.digest }
    end
    local left = deadline - loop.now()
    if left <= 0 then return expire(branch, key, options, total) end
    loop.sleep(math.min(SLICE, left))
  end
end

local function broken_open(engine, key, why)
  engine:except(("gate %q was broken open: %s"):format(key, why))
  return true
end

-- What was approved is a text, so another one is asked about again.
local function is_passed(engine, key)
  local past = engine.state.gates[key]
  if not past or past.status ~= "passed" then return false end
  if past.broken then return broken_open(engine, key, past.why) end
  return past.text == engine.playbook.digest
end

local function open_to_all(engine)
  local why = engine.options.open_gates
  return why and { why = why } or nil
end

-- Whoever wished to leave it out has named a step, and would wait for nothing.
local function tell_of_wish(engine, key)
  if not (engine.options.skip or {})[key] then return end
  engine:record { type = "note", text = ("gate %q is not left out by --skip %s=…, which is for a "
    .. "step; --skip gate:%s=… breaks it open"):format(key, key, key) }
end

--- Comes to a gate. It is passed once; a resumed run asks again only if the playbook was edited.
---@param branch alicloud.dr.PlaybookRun
---@param name string
---@param options alicloud.dr.GateOptions checked
function M.run(branch, name, options)
  local engine, key = branch.engine, branch.prefix .. name
  local own_name = steps.wish(branch.prefix, "gate:" .. name)
  branch:go_on()
  steps.claim(engine, own_name, 2)
  if is_passed(engine, key) then return end
  local wish = engine.skips[own_name] or open_to_all(engine)
  if wish then
    broken_open(engine, key, wish.why)
    return engine:record { type = "gate_pass", gate = key, broken = true, why = wish.why,
      by = wish.by, approvals = 0 }
  end
  tell_of_wish(engine, key)
  demand_keys(engine, key, options)
  engine:record { type = "gate_open", gate = key, need = options.need, of = options.names,
    expires = options.seconds }
  await(branch, key, options)
end

return M
