--- One failover under a random handful of troubles, and the invariants that must hold whatever they
--- are. A seed makes the same run each time.

local helper = require "spec.helper"
local lab = require "spec.dr.lab"

local M = {}

local STATUSES = { "normal", "normal", "normal", "syncing", "manual_syncing", "stopping",
  "stopped", "stop_failed", "failover_failed", "failovered", "initial_syncing" }

-- Answers that leave it open whether the work was done, and answers that say it was not.
local DOUBTFUL = {
  { "InternalError", 500 }, { "ServiceUnavailable", 503 }, { "RequestTimeout", 504 },
  { "LastTokenProcessing", 403 }, { "SignatureNonceUsed", 400 },
}

local REFUSING = {
  { "Throttling.User", 400, 7 }, { "BLOCK.LimitedRquest", 429 }, { "Forbidden", 403 },
  { "OperationDenied.InvalidStatus", 403 }, { "OperationDenied.PairGroupStatusConflict", 403 },
}

local READ_ANSWERS = {
  { "InternalError", 500 }, { "Throttling", 400, 2 }, { "NoSuchResource", 404 },
}

local HOSTILITY = {
  function(pick) return { stale_read = pick { 3, 9, 14, 25 } } end,
  function() return { group_ahead = true } end,
  function(pick) return { short_list = pick { 1, 1, 2, 5 } } end,
  function(pick) return { short_pairs = pick { 1, 1, 2 } } end,
  function() return { empty_list = true } end,
  function() return { unknown_status = "levitating" } end,
  function() return { pair_ids = "comma" } end,
}

local CALM = { short_list = 0, short_pairs = 0, empty_list = false, stale_read = 0,
  unknown_status = "" }

local OPERATORS = {
  function(bench) bench:reverse "stopped" end,
  function(bench) bench:reverse "normal" end,
  function(bench) bench:reverse "normal" end,
  function(bench) bench:put "stopped" end,
  function(bench) bench:put "normal" end,
  function(bench) bench:put "reprotecting" end,
  function(bench) if #bench.emu:group(lab.ID).pairs > 1 then bench:remove_pair() end end,
  function(bench)
    bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID,
      ClientToken = "another-operator" })
  end,
}

local EVENTS = { "looked", "checked", "accepted", "unanswered", "unanswered", "state" }

local function failover_fault(d)
  local when = d.pick { "before", "after" }
  local effect
  if d.chance(0.3) then
    effect = { drop = true }
  elseif d.chance(0.25) then
    effect = { apply_late = d.pick { 1, 8, 14, 16, 40, 130 } }
  elseif d.chance(0.2) then
    effect = d.pick { { stuck = true }, { partial = 1 } }
  elseif d.chance(0.4) then
    when, effect = "before", lab.answer(table.unpack(d.pick(REFUSING)))
  else
    effect = lab.answer(table.unpack(d.pick(DOUBTFUL)))
  end
  return lab.fault(effect, when, { nth = d.pick { 1, 1, 1, 2, 3 }, count = d.pick { 1, 1, 3 } })
end

local function read_fault(d)
  local effect = d.chance(0.5) and { drop = true } or lab.answer(table.unpack(d.pick(READ_ANSWERS)))
  local action = d.pick { "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs" }
  return { match = { action = action, nth = d.pick { 2, 3, 4, 5, 8 } }, effect = effect }
end

-- The work is done late, and the question after it is refused.
local function late_and_refused(d)
  return lab.fault({ apply_late = d.pick { 40, 130 } }, nil, { nth = 1 }),
    lab.fault(lab.answer("Forbidden", 403), "before", { nth = 2 })
end

local function troubles(d)
  local faults = {}
  if d.chance(0.05) then faults = { late_and_refused(d) } end
  for _ = 1, d.pick { 0, 1, 1, 2, 3 } do faults[#faults + 1] = failover_fault(d) end
  for _ = 1, d.pick { 0, 0, 1, 3 } do faults[#faults + 1] = read_fault(d) end
  return faults
end

local function set_hostility(bench, changes)
  local known = {}
  for name, value in pairs(changes) do known[name] = value end
  bench.short_pairs = known.short_pairs or bench.short_pairs
  known.short_pairs = nil
  bench.emu:hostile(known)
end

-- Makes the reads lie from an event on, and perhaps tell the truth again later.
local function lie(d, bench, on)
  local hostility, calm_after = d.pick(HOSTILITY)(d.pick), d.pick { 5, 20, 60, 5000 }
  on[d.pick(EVENTS)] = function()
    set_hostility(bench, hostility)
    bench.emu:later(bench.emu:now() + calm_after, function() set_hostility(bench, CALM) end)
  end
end

local function meddle(d, bench, on)
  local act, delay, event = d.pick(OPERATORS), d.pick { 0, 0, 1, 4, 12, 30 }, d.pick(EVENTS)
  local before = on[event]
  on[event] = function()
    if before then before() end
    bench.emu:later(bench.emu:now() + delay, function()
      bench.meddled = bench.emu.request_log.total
      act(bench)
    end)
  end
end

local function draw(seed)
  local d = helper.dice(seed)
  local bench = lab.new {
    seed = seed, faults = troubles(d),
    group = { status = d.pick(STATUSES), pairs = d.pick { 1, 2, 3 },
      failover_seconds = d.pick { 0, 2, 20, 45 } },
    hostile = { permissive = d.chance(0.3), group_ahead = d.chance(0.3) },
    -- A repeat that the token does not catch is a second effect, so that it can be seen.
    assume = { repeat_failover = "restart" }, auth = "off",
  }
  bench:cut_pair_lists()
  local on = {}
  if d.chance(0.4) then lie(d, bench, on) end
  if d.chance(0.35) then meddle(d, bench, on) end
  return bench, {
    at = d.chance(0.06) and lab.PRIMARY or nil,
    timeout = d.pick { 60, 300 }, stall = d.pick { 40, 300 }, poll = d.pick { 5, 9 },
    resend_window = d.pick { 0, 30, 120, 120 }, incident = d.chance(0.3) and "INC" or nil,
    confirm = d.chance(0.2) and function() return true end or nil, on = on,
  }
end

local function ours(bench)
  local tokens, list, sends = {}, {}, {}
  for _, request in ipairs(bench:sends()) do
    if request.client_token ~= "another-operator" then
      tokens[request.client_token] = true
      sends[#sends + 1] = request
    end
  end
  for _, effect in ipairs(bench:ledger()) do
    if tokens[effect.client_token] then list[#list + 1] = effect end
  end
  return list, sends, tokens
end

local function is_open(bench)
  local group = bench.emu:group(lab.ID)
  for _, pair in ipairs(group.pairs) do
    if pair.status ~= "failovered" then return false end
  end
  return group.status == "failovered" and #group.pairs > 0
end

local function check_sends(bench, options, run, violated)
  local _, sends = ours(bench)
  if not lab.has_right_tokens(sends) then violated "S4 one token until it is refused" end
  if options.at == lab.PRIMARY and #sends > 0 and not bench.meddled then
    violated "S2 sent at the primary site"
  end
  local window = math.max(run.window, 61)
  local lost
  for i, request in ipairs(sends) do
    -- What was refused before the first answer that was lost does not count.
    if lost and request.time - lost > window then violated "sent outside the resend window" end
    lost = lost or lab.is_doubtful(request) and request.time or nil
    local before = sends[i - 1]
    if before and lab.is_doubtful(before) and request.time - before.time < 15 then
      violated "sent again before 15 s of looking"
    end
  end
  for _, request in ipairs(bench:requests()) do
    if request.region ~= (options.at or lab.SECONDARY)
      and request.client_token ~= "another-operator" then
      violated "S11 another region was asked"
    end
  end
end

-- Whether somebody looked between the meddling and the request that had an effect. Without a look
-- there is nothing to see: the service offers no compare-and-set.
local function was_visible(bench, effect)
  local meddled, looked = bench.meddled or 0, false
  for _, request in ipairs(bench:requests()) do
    if request.request_id == effect.request_id then return looked end
    looked = looked or request.action == "DescribeDiskReplicaGroups" and request.n > meddled
  end
  return looked
end

local function check_effects(bench, options, run, violated)
  local effects = ours(bench)
  if #effects > 1 then violated "S1 two effects for one intent" end
  for _, effect in ipairs(effects) do
    if effect.region ~= (options.at or lab.SECONDARY) then violated "S2 in another region" end
    local asked = options.at or lab.SECONDARY
    local wrong = effect.to:sub(1, #asked) ~= asked
    if wrong and was_visible(bench, effect) then violated "S2 wrong direction" end
  end
  -- Nobody can tell a failover that had no effect from one that was undone before the next look.
  local undone = run.meddled and run.err and run.err.code == "Client.TokenReplayed"
  if run.err and #effects > 0 and not undone
    and (run.err.outcome == "rejected" or run.err.outcome == "not_sent") then
    violated("S5 called " .. run.err.outcome .. ", but there is an effect")
  end
end

local function check_verdict(bench, run, violated)
  if run.result and not run.meddled and not run.open then
    violated("S3 called " .. run.result.outcome .. ", but it is not open")
  end
  if run.result and run.result.outcome == "already_failovered" and #ours(bench) > 0 then
    violated "S3 called already failovered after a send"
  end
  if not run.result and not run.err.outcome then violated "S5 an error without an outcome" end
end

--- Runs one seed.
---@param seed integer
---@param change? fun(bench: spec.dr.Lab, options: table) to be applied before the run
---@return string[] violations
---@return table run `result` or `err`
function M.run(seed, change)
  local bench, options = draw(seed)
  local run = { begin = bench.emu:now(), window = options.resend_window }
  if change then change(bench, options) end
  run.result, run.err = bench:failover(options)
  run.open, run.meddled = is_open(bench), bench.meddled ~= nil
  local elapsed = bench.emu:now() - run.begin
  -- Whatever was applied late is in the ledger by then.
  bench.emu:advance(1000)
  local violations = {}
  local function violated(what) violations[#violations + 1] = ("seed %d: %s"):format(seed, what) end
  check_sends(bench, options, run, violated)
  check_effects(bench, options, run, violated)
  check_verdict(bench, run, violated)
  if elapsed > options.timeout + options.resend_window + 200 then violated "S9 ran past its end" end
  run.bench, run.options = bench, options
  return violations, run
end

return M
