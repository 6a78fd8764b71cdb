--- Checks the invariants, by the emulator's ledger and the journal, after a case has ended. Those
--- that can only be checked while it runs (S4 of a call that leaves, S11) are noted on the stage by
--- alicloud.simulation.carrier.

local controllers = require "alicloud.simulation.controllers"
local corrections = require "alicloud.simulation.correction"
local effects = require "alicloud.simulation.effects"
local elsewhere = require "alicloud.simulation.elsewhere"
local errors = require "alicloud.base.error"
local events = require "alicloud.dr.playbook.events"
local journals = require "alicloud.dr.journal"
local lazy = require "alicloud.base.lazy"
local numbers = require "alicloud.simulation.numbers"
local order = require "alicloud.simulation.order"
local production = require "alicloud.simulation.production"
local repeated = require "alicloud.simulation.repeated"
local surroundings = require "alicloud.simulation.surroundings"
local tables = require "alicloud.base.tables"
local tasks = require "alicloud.simulation.tasks"

---@module "alicloud.simulation.stage"
local stages = lazy.module "alicloud.simulation.stage"

local M = {}

--- Every invariant by its name.
M.INVARIANTS = tables.merged(order.INVARIANTS, production.INVARIANTS,
  corrections.INVARIANTS, numbers.INVARIANTS, tasks.INVARIANTS,
  controllers.INVARIANTS, surroundings.INVARIANTS, elsewhere.INVARIANTS, {
  S1 = "one intent has at most one effect",
  S2 = "every effect is where and what its intent asked for",
  S3 = "what is called open was open, group and every pair",
  S4 = "nothing is sent without a synced record; one token per intent, inside its window",
  S5 = "what is called rejected or not sent had no effect",
  S6 = "a journal only grows; a crash leaves at most a torn end",
  S7 = "a finished run makes no further call and writes nothing more",
  S8 = "a plan changes nothing",
  S9 = "every process ends in time and does not ask too often",
  S10 = "no secret in journals and errors",
  S11 = "a failover asks in its own region only",
  S12 = "the same seed gives the same run",
  S13 = "nothing is opened into a side that nobody asked for",
  S14 = "no token is sent again after it was refused for good",
  P8 = "one journal, one process",
  P9 = "two operators of one incident send one token",
  N3 = "no reported loss is smaller than the true one",
  E = "crashes, interrupts, takeovers, harmless lies and ten minutes of outage do not change how a "
    .. "run ends",
})

-- Seconds within which a process must end, without waits for people: the longest wait, that for the
-- last synchronization of a planned failover, and 20 minutes for each step that is begun or undone.
-- A step outlasts an outage of ten minutes, and may take as long again for its work after that.
local LONGEST_WAIT, EACH_STEP = 7200, 1200

local CHECK = {}

-- S1. The token of an incident may serve again after its intent was settled: intents are counted.
function CHECK.effects(_, found, violated)
  local by_token = {}
  for _, entry in ipairs(found.effects) do
    local token = entry.effect.client_token
    if token then
      by_token[token] = (by_token[token] or 0) + 1
      local intended = found.intents[token] and found.intents[token].times or 1
      if by_token[token] > intended then
        violated(("S1 %d effects for %d intents under token %.8s"):format(by_token[token],
          intended, token))
      end
    end
  end
end

-- Whether the run could see that the group was reversed. The service has no compare-and-set, so a
-- change after the last look cannot be seen.
local function was_visible(stage, request)
  if stage.stale then return false end
  local turned
  for _, act in ipairs(stage.interferences) do
    if act.name == "reverse" and act.group == request.group then turned = act.request end
  end
  if not turned then return true end
  for n = turned + 1, request.n - 1 do
    local look = stage.requests[n]
    if look.who == request.who and look.action == "DescribeDiskReplicaGroups" then return true end
  end
  return false
end

function CHECK.direction(stage, found, violated)
  for _, entry in ipairs(found.effects) do
    local effect = entry.effect
    local intent = found.intents[effect.client_token]
    if intent and effect.region ~= intent.region then
      violated(("S2 effect in %s, asked for in %s"):format(effect.region, intent.region))
    end
    local failover = effect.action == "FailoverDiskReplicaGroup"
    local right = effect.to and effect.to:match "^[^/]+" == effect.region
    if failover and not right and was_visible(stage, entry.request) then
      violated(("S2 failover in %s towards %s"):format(effect.region, tostring(effect.to)))
    end
  end
end

-- S13. The right side is known from the case, whatever the run took for the direction.
function CHECK.sides(stage, found, violated)
  local sides = stage.case.sides or {}
  for _, entry in ipairs(found.effects) do
    local effect, side = entry.effect, sides[entry.effect.group or ""]
    local failover = effect.action == "FailoverDiskReplicaGroup"
    if failover and side and effect.to ~= side and was_visible(stage, entry.request) then
      violated(("S13 failover into %s, asked for into %s"):format(tostring(effect.to), side))
    end
  end
end

function CHECK.success(stage, _, violated)
  for _, success in ipairs(stage.successes) do
    if not success.open and not success.interfered then
      violated(("S3 %s was called %s, but is not open"):format(success.result.group_id,
        success.result.outcome))
    end
    local frozen = success.intent and #success.intent.pairs
    if frozen and success.result.pairs and #success.result.pairs ~= frozen then
      violated(("S3 called open with %d pairs, decided for %d"):format(#success.result.pairs,
        frozen))
    end
  end
end

-- Seconds; two clocks of the service may differ by five.
local CLOCKS_DIFFER = 6

function CHECK.losses(stage, _, violated)
  for _, success in ipairs(stage.successes) do
    local told, point = success.result, success.point
    local lost = told.rpo_to and point and told.rpo_to - point
    if told.rpo and lost and not success.interfered and told.rpo < lost - CLOCKS_DIFFER then
      violated(("N3 a loss of %.0f s was told, it was %.0f s"):format(told.rpo, lost))
    end
  end
end

local function is_settled(outcome)
  return outcome ~= nil and outcome ~= "unknown"
end

function CHECK.steps(_, found, violated)
  for _, step in ipairs(repeated.of(found.events)) do
    violated(("S7 step %s was finished and has begun again"):format(step))
  end
end

local function first_intent(list)
  for _, event in ipairs(list) do
    if event.type == "intent" and event.verb == "failover" then return event.intent end
  end
  return nil
end

function CHECK.operators(stage, found, violated)
  local other = stage.case.incident and stage.other_disk
    and journals.read(stage.other_disk:text "run")
  local mine, his = first_intent(found.events), other and first_intent(other.events)
  if not mine or not his or mine.group_id ~= his.group_id then return end
  local alike = (mine.status == "failover_failed") == (his.status == "failover_failed")
    and mine.from.region == his.from.region
  if alike and mine.client_token ~= his.client_token then
    violated "P9 two operators of one incident have two tokens"
  end
end

-- S4: one open intent at a time for a group and a verb. It ends with a definite outcome, or when a
-- look showed that nothing had happened.
function CHECK.intents(_, found, violated)
  local open = {}
  for _, event in ipairs(found.events) do
    if event.type == "intent" then
      local key = event.verb .. " " .. event.intent.group_id
      local before = open[key]
      if before and before ~= event.intent.client_token then
        violated "S4 a new intent while the outcome of the one before is open"
      end
      open[key] = event.intent.client_token
    elseif event.type == "settled" or event.type == "outcome" and is_settled(event.outcome) then
      open[event.verb .. " " .. event.group_id] = nil
    end
  end
end

local function is_final(answer)
  local code = answer.code or ""
  return answer.outcome == "rejected" and not code:find "^Throttling" and not code:find "^BLOCK"
end

-- Whether a token was refused, and no call under it was in doubt.
local function is_ended(token)
  return token.refused and not token.doubtful
end

-- S14: the service may keep a refusal under its token, so the token must not be sent again.
function CHECK.tokens(_, found, violated)
  local by_token, by_call = {}, {}
  for _, event in ipairs(found.events) do
    if event.type == "call" and event.client_token then
      local token = by_token[event.client_token] or {}
      if is_ended(token) then
        violated(("S14 %s sent again under a token that was refused"):format(event.action))
      end
      -- A call whose answer is not written is in doubt.
      if token.open then token.doubtful = true end
      token.open = event.call
      by_token[event.client_token], by_call[event.call] = token, token
    elseif event.type == "answer" and by_call[event.call] then
      local token = by_call[event.call]
      token.open = nil
      token.doubtful = token.doubtful or event.outcome == "unknown"
      token.refused = token.refused or is_final(event)
    end
  end
end

local PENDING = { ["LastTokenProcessing"] = true, ["SignatureNonceUsed"] = true }

-- Whether a request had no effect, and the run was told so.
local function is_refused(request)
  local entry = request.entry
  local status = entry and entry.status or 0
  return request.unsent or status >= 400 and status < 500 and not PENDING[entry.code]
end

-- Time of the first call under a token that may have had an effect. From then on the service knows
-- the token.
local function first_left(sends)
  for _, request in ipairs(sends) do
    if not is_refused(request) then return request.time end
  end
  return math.huge
end

local function check_window(stage, sends, intent, violated)
  local first, since = sends[1], first_left(sends)
  local window = math.max(intent.resend_window or 120, 61)
  for _, request in ipairs(sends) do
    if request.group ~= first.group or request.region ~= first.region then
      violated "S4 one token for two groups"
    end
    local late = request.time - since > window
    if late and not stage.went_back then violated "S4 sent again outside the resend window" end
  end
end

-- S4. Without an incident a token belongs to one intent. With one, a settled intent may be followed
-- by another one under the same token, so windows are checked for single intents only.
function CHECK.sends(stage, found, violated)
  local by_token = {}
  for _, request in ipairs(stage.requests) do
    if request.action == "FailoverDiskReplicaGroup" and request.who == "run" then
      local intent = request.token and found.intents[request.token]
      if intent and (intent.times == 1 or not stage.case.incident) then
        by_token[request.token] = by_token[request.token] or {}
        table.insert(by_token[request.token], request)
      elseif not intent then
        violated "S4 sent under a token that no intent names"
      end
    end
  end
  for token, sends in pairs(by_token) do
    check_window(stage, sends, found.intents[token], violated)
  end
end

local function denied(outcome)
  return outcome == "rejected" or outcome == "not_sent"
end

-- Whether others may have undone the work of a call before the next look. The run cannot tell that
-- from a call that was accepted and did nothing.
local function was_put_back(stage, code)
  return code == "Client.TokenReplayed" and stage.undone
end

function CHECK.denials(stage, found, violated)
  for _, said in ipairs(stage.outcomes) do
    local event = said.event
    if not event.ok and denied(event.outcome) and not was_put_back(stage, event.code)
      and effects.between(found.effects, event.client_token, said.since, said.request) then
      violated(("S5 called %s (%s), but there is an effect"):format(event.outcome,
        tostring(event.code)))
    end
  end
  for _, process in ipairs(stage.processes) do
    local err = process.err
    if type(err) == "table" and denied(err.outcome) and (err.client_token or err.incomplete)
      and not was_put_back(stage, err.code)
      and effects.between(found.effects, err.client_token, process.first - 1, process.last,
        process.n) then
      violated(("S5 the run ended %s (%s), but there is an effect"):format(err.outcome,
        tostring(err.code)))
    end
    if type(err) == "table" and err.code == "Client.JournalDamaged" then
      violated("S6 a crash has damaged the journal: " .. errors.text_of(err))
    end
  end
end

-- Requests for each group of a fleet that are not too many.
local MOST_EACH = 4

-- Counts the requests of a process, without those of others meanwhile.
local function asked_by(stage, process)
  local count = 0
  for n = process.first, process.last or 0 do
    local request = stage.requests[n]
    if request.who == "run" and request.process == process.n then count = count + 1 end
  end
  return count
end

function CHECK.bounds(stage, _, violated)
  if stage.lost then violated "S9 the run asks without end" end
  for n, process in ipairs(stage.processes) do
    local seconds = process.ended - process.began - process.asleep
    if seconds > LONGEST_WAIT + process.steps * EACH_STEP then
      violated(("S9 process %d took %.0f s"):format(n, seconds))
    end
    local asked = asked_by(stage, process)
    if asked > math.max(100, MOST_EACH * #stage.emu.world.groups) + 2 * seconds then
      violated(("S9 %d requests in %.0f s"):format(asked, seconds))
    end
  end
end

function CHECK.secrets(stage, found, violated)
  if found.text:find(stages.SECRET, 1, true) then violated "S10 the journal holds the secret" end
  for _, process in ipairs(stage.processes) do
    if errors.words_of(process.err):find(stages.SECRET, 1, true) then
      violated "S10 an error holds the secret"
    end
  end
end

local function intents_of(list)
  local intents = {}
  for _, event in ipairs(list) do
    if event.type == "intent" then
      local token = event.intent.client_token
      local known = intents[token] or { region = event.intent.region, times = 0,
        resend_window = event.resend_window }
      known.times = known.times + 1
      intents[token] = known
    end
  end
  return intents
end

--- Checks the invariants for a case that has ended.
---@param stage alicloud.simulation.Stage
---@return string[] violations each begins with the name of its invariant
function M.violations(stage)
  local list, known = {}, {}
  local function violated(what)
    if not known[what] then list[#list + 1], known[what] = what, true end
  end
  for _, what in ipairs(stage.violations) do violated(what) end
  local text = stage.disk:text "run"
  local reading, damage = events.read(text)
  if not reading then
    violated(("S6 line %d of the journal %s"):format(damage.line, damage.reason))
    reading = { events = {} }
  end
  local found = { text = text, events = reading.events, effects = effects.own(stage),
    intents = intents_of(reading.events) }
  for _, name in ipairs { "effects", "direction", "sides", "success", "losses", "steps",
    "operators", "intents", "tokens", "sends", "denials", "bounds", "secrets" } do
    CHECK[name](stage, found, violated)
  end
  corrections.check(stage, found.events, violated)
  order.check(stage, found.events, violated)
  numbers.check(stage, found, violated)
  tasks.check(stage, found, violated)
  controllers.check(stage, found.events, violated)
  surroundings.check(stage, found.effects, violated)
  elsewhere.check(stage, violated)
  return list
end

return M
