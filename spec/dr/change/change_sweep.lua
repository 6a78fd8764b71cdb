--- One change that is not a failover (reprotect, start, stop, one-shot, drill) under a random
--- handful of troubles, and the invariants that must hold whatever they are. A seed makes the same
--- run each time.

local after = require "spec.dr.after_lab"
local helper = require "spec.helper"
local lab = require "spec.dr.lab"

local M = {}

local DOUBTFUL = { { "InternalError", 500 }, { "ServiceUnavailable", 503 },
  { "RequestTimeout", 504 }, { "LastTokenProcessing", 403 } }

local REFUSING = { { "Throttling.User", 400, 7 }, { "Forbidden", 403 },
  { "OperationDenied.InvalidStatus", 403 } }

-- What is asked, from which world, and what is true of the world when it is done.
local VERBS = {
  { verb = "reprotect", action = "ReprotectDiskReplicaGroup", status = "failovered",
    done = "stopped", turned = true },
  { verb = "reprotect", action = "ReprotectDiskReplicaGroup", status = "failovered",
    options = { reverse = false }, done = "stopped" },
  { verb = "start", action = "StartDiskReplicaGroup", status = "stopped",
    done = "normal syncing initial_syncing" },
  { verb = "start", action = "StartDiskReplicaGroup", status = "stopped",
    options = { one_shot = true }, done = "stopped", renewed = true },
  { verb = "stop", action = "StopDiskReplicaGroup", status = "normal", done = "stopped" },
  { verb = "drill", action = "StartReplicaGroupDrill", status = "normal", drill = true },
}

local CALM = { stale_read = 0, short_list = 0, empty_list = false }

local HOSTILITY = {
  function(pick) return { stale_read = pick { 3, 9, 25 } } end,
  function(pick) return { short_list = pick { 1, 2 } } end,
  function() return { empty_list = true } end,
}

local OPERATORS = {
  function(bench) bench:reverse "normal" end,
  function(bench) bench:put "failovered" end,
  function(bench) bench:put "stopped" end,
  function(bench) bench:put "invalid" end,
  function(bench) bench:remove_pair() end,
}

local EVENTS = { "looked", "accepted", "unanswered", "state" }

local function call_fault(d, action)
  local when = d.pick { "before", "after" }
  local effect
  if d.chance(0.3) then
    effect = { drop = true }
  elseif d.chance(0.3) then
    effect = { apply_late = d.pick { 1, 8, 14, 16, 40, 130 } }
  elseif d.chance(0.35) then
    when, effect = "before", lab.answer(table.unpack(d.pick(REFUSING)))
  else
    effect = lab.answer(table.unpack(d.pick(DOUBTFUL)))
  end
  return { match = { action = action, nth = d.pick { 1, 1, 1, 2, 3 }, count = d.pick { 1, 1, 3 } },
    when = when, effect = effect }
end

-- The work is done late, and the question after it is refused.
local function late_and_refused(d, action)
  return { match = { action = action, nth = 1 }, effect = { apply_late = d.pick { 40, 130 } } },
    { match = { action = action, nth = 2 }, when = "before", effect = lab.answer("Forbidden", 403) }
end

local function read_fault(d)
  local effect = d.chance(0.5) and { drop = true } or lab.answer("InternalError", 500)
  return { match = { action = d.pick { "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs",
    "DescribeReplicaGroupDrills" }, nth = d.pick { 2, 3, 4, 5, 8 } }, effect = effect }
end

local function trouble(d, bench, on)
  if d.chance(0.35) then
    local changes, calm_after = d.pick(HOSTILITY)(d.pick), d.pick { 5, 20, 60 }
    on[d.pick(EVENTS)] = function()
      bench.emu:hostile(changes)
      bench.emu:later(bench.emu:now() + calm_after, function() bench.emu:hostile(CALM) end)
    end
  end
  if not d.chance(0.3) then return end
  local act, delay = d.pick(OPERATORS), d.pick { 0, 1, 4, 12, 30 }
  on[d.pick(EVENTS)] = function()
    bench.emu:later(bench.emu:now() + delay, function()
      bench.meddled = true
      act(bench)
    end)
  end
end

local function draw(seed)
  local d = helper.dice(seed)
  local case, faults = d.pick(VERBS), {}
  if d.chance(0.06) then faults = { late_and_refused(d, case.action) } end
  for _ = 1, d.pick { 0, 1, 1, 2 } do faults[#faults + 1] = call_fault(d, case.action) end
  for _ = 1, d.pick { 0, 0, 1, 2 } do faults[#faults + 1] = read_fault(d) end
  local bench = after.new({ status = case.status, old = false },
    { seed = seed, faults = faults, auth = "off" })
  bench.emu:hostile { group_ahead = d.chance(0.4) }
  bench:cut_pair_lists()
  local on = {}
  if d.chance(0.2) then
    on.accepted = function()
      bench.short_pairs = 1
      bench.emu:later(bench.emu:now() + d.pick { 40, 100 }, function() bench.short_pairs = 0 end)
    end
  end
  trouble(d, bench, on)
  local options = { timeout = d.pick { 120, 300 }, stall = d.pick { 90, 300 },
    poll = d.pick { 5, 9 }, resend_window = d.pick { 0, 30, 120, 120 }, on = on }
  for name, value in pairs(case.options or {}) do options[name] = value end
  return bench, case, options
end

local function is_done(bench, case)
  if case.drill then return true end
  local group = bench.emu:group(after.ID)
  local home = case.turned and lab.SECONDARY or lab.PRIMARY
  if group.source.region ~= home then return false end
  for _, unit in ipairs { group, table.unpack(group.pairs) } do
    if not case.done:find(unit.status, 1, true) then return false end
  end
  return not case.renewed or group.recover_point > 1795316400
end

local function check_tokens(by_region, violated)
  for _, sends in pairs(by_region) do
    if not lab.has_right_tokens(sends) then violated "S4 one token until it is refused" end
  end
end

local function check_sends(bench, case, run, violated)
  local sends = bench:requests(case.action)
  local by_region, lost = {}, {}
  for i, request in ipairs(sends) do
    local here = by_region[request.region] or {}
    here[#here + 1], by_region[request.region] = request, here
    local since = lost[request.region]
    if since and request.time - since > math.max(run.window, 61) then
      violated "sent outside the resend window"
    end
    lost[request.region] = since or lab.is_doubtful(request) and request.time or nil
    local before = sends[i - 1]
    if before and lab.is_doubtful(before) and request.time - before.time < 15 then
      violated "sent again before 15 s of looking"
    end
    if before and lab.is_doubtful(before) and before.region ~= request.region then
      violated "asked another region in doubt"
    end
  end
  check_tokens(by_region, violated)
end

local function check_verdict(bench, case, run, violated)
  local effects = after.effects(bench, case.action)
  if effects > 1 then violated "S1 two effects for one intent" end
  if run.result and not run.meddled and not run.open then
    violated("S3 called " .. run.result.outcome .. ", but it is not")
  end
  local err = run.err
  if err and effects > 0 and (err.outcome == "rejected" or err.outcome == "not_sent") then
    violated("S5 called " .. err.outcome .. ", but there is an effect")
  end
  if err and not err.outcome then violated "S5 an error without an outcome" end
end

-- A drill that stays open is told, or its outcome is open.
local function check_drill(bench, run, violated)
  local open = #bench.emu.world.drills
  local told = run.err and (run.err.outcome == "unknown" or run.err.drill_id ~= nil)
  if open > 0 and not told then violated "a drill was left open, and nobody was told" end
end

--- Runs one seed.
---@param seed integer
---@param change? fun(bench: spec.dr.Lab, options: table)
---@return string[] violations
---@return table run `result` or `err`, and `case`
function M.run(seed, change)
  local bench, case, options = draw(seed)
  local run = { begin = bench.emu:now(), window = options.resend_window, case = case }
  if change then change(bench, options) end
  run.result, run.err = bench:run(case.verb, options)
  run.open, run.meddled = is_done(bench, case), bench.meddled
  local elapsed = bench.emu:now() - run.begin
  bench.emu:hostile(CALM)
  -- Whatever was applied late is in the ledger by then.
  bench.emu:advance(1000)
  local violations = {}
  local function violated(what) violations[#violations + 1] = ("seed %d: %s"):format(seed, what) end
  check_sends(bench, case, run, violated)
  check_verdict(bench, case, run, violated)
  if case.drill then check_drill(bench, run, violated) end
  local limit = (case.drill and 3 or 1) * options.timeout + options.resend_window + 300
  if elapsed > limit then violated "S9 ran past its end" end
  run.bench = bench
  return violations, run
end

return M
