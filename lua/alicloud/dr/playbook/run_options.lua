--- Checks the options of a run, before anything is opened.

local accounts = require "alicloud.dr.playbook.account"
local anchors = require "alicloud.dr.playbook.anchor"
local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"
local forces = require "alicloud.dr.model.force"
local formats = require "alicloud.base.formats"
local lazy = require "alicloud.base.lazy"
local protocol = require "alicloud.dr.journal.protocol"
local schema = require "alicloud.base.schema"
local signatures = require "alicloud.dr.playbook.signature"
local tables = require "alicloud.base.tables"
local ways = require "alicloud.dr.playbook.way"

---@module "alicloud.dr.playbook.step_names"
local step_names = lazy.module "alicloud.dr.playbook.step_names"

local M = {}

---@class alicloud.dr.RunOptions
---@field client alicloud.Client
---@field store? alicloud.dr.Store the store of the journal; give either this or `journal`
---@field journal? string a path, or the address of a run in a shared store
---@field standby? boolean|number|string wait while another process has the run, or takes it over:
---true for as long as that lasts, or a time
---@field account? string number of the account that owns the groups, for a store that several
---machines share; nil: from the environment, or from sts:GetCallerIdentity
---@field params? table<string, any> for the playbook; kept in the journal, so never a secret
---@field kind? "drill"|"planned"|"unplanned" (unplanned)
---@field mode? "graceful"|"ungraceful" (graceful); given for a run that has begun it switches
---@field incident? string derives the tokens, so that two operators send the same ones
---@field incident_since? number unix seconds: when the first run of that incident began, if this is
---another one; the RTO is counted from there
---@field outage_at? number|string since when nothing has been written, a moment; verbs of groups
---use it unless they are given another one
---@field requester? string who asks for the run; cannot approve it
---@field declared? { rto: number|string, rpo: number|string } the declared targets
---@field approvers? table<string, string> public keys by name
---@field approvers_from? string where those keys come from, for readers of the journal
---@field approvers_file? string absolute path of their file, for the command that resumes the run
---@field way? alicloud.dr.Way how the client reaches the service, for the command that resumes the
---run
---@field sign? { by: string, key: string|alicloud.Secret } signs the journal's head when the
---attempt ends, whether well or not
---@field anchor? string|fun(notice: alicloud.dr.Notice): string? a witness that gets heads of the
---journal: a command line for sh, a URL that takes a POST, or a function
---@field anchor_network? table options of alicloud.transport for that URL
---@field ask? fun(question: alicloud.dr.Question): "again"|"skip"|"stop", string? a person's
---answer and name
---@field confirm? fun(question: alicloud.dr.RunQuestion): string|boolean|nil, string? asked once,
---before the first step of a playbook with a point of no return; returns how somebody has agreed,
---and who; nil: nobody is asked
---@field skip? table<string, string> reasons by step ("pg-orders/promote" in a branch), or by
---"gate:" and a gate's name ("gate:pg-orders/approve")
---@field open_gates? string reason for which every gate is broken open, where nobody can be asked,
---e.g. in a rehearsal
---@field again? table<string, boolean> steps in doubt that may be run once more
---@field accept_loss? alicloud.dr.AcceptLoss
---@field force? alicloud.dr.Force[] findings of the pre-checks that a person overrules
---@field corrections? alicloud.dr.CorrectionWish new values of parameters, from now on
---@field accept_edit? boolean an edited playbook may lack finished steps
---@field progress? fun(event: table, run_id: string?) gets every record, and events that are none:
---"waiting" while a step waits:
---`state` ("waiting", "back", "given_up"; "settling": it looks again), `reason`, `pause`, `left`;
---"standby" each second on standby: `holder`, `since`, `waited`; "takeover" if a call of an earlier
---process may still arrive: `step`, `action`, `left`
---@field headway? number seconds between two events for `progress`: "headway", how far a run:each
---is (see alicloud.dr.HeadwayEvent), and "under_way", a step goes on (see
---alicloud.dr.UnderWayEvent); nil: none
---@field replay? string the recording that the client plays; such a run continues no real run, and
---no real run continues it
---@field program? fun(command: string, variables: table): any called in place of every command line
---that a step would start, e.g. in a rehearsal; functions are called all the same
---@field executor? alicloud.dr.Executor does the work of steps, gates and branches; nil: a real run
---@field pace? fun(step: string) called before a step is begun; the run waits for it

---@class alicloud.dr.Question
---@field step string
---@field err alicloud.Error
---@field critical boolean the answer "skip" is not accepted
---@field release boolean? more groups than max_groups would be moved: "again" lets them begin
---@field canary boolean? a canary has failed: "again" takes another one, "skip" begins the others

local function is_map_of(test)
  return function(value)
    if type(value) ~= "table" then return false end
    for name, element in pairs(value) do
      if type(name) ~= "string" or not test(element) then return false end
    end
    return true
  end
end

local function is_reason(value)
  return type(value) == "string" and value:find("%S") ~= nil and not value:find("%c")
end

local function is_correction(value)
  return type(value) == "table" and type(value.values) == "table" and is_reason(value.why)
    and (value.by == nil or schema.text.test(value.by))
end

local function is_declared(value)
  if type(value) ~= "table" then return false end
  for name, element in pairs(value) do
    if name ~= "rto" and name ~= "rpo" or not duration.parse(element) then return false end
  end
  return true
end

--- The rule for the time between two progress events.
M.SECONDS = schema.rule("a number of seconds from 0.1 to 3600", function(value)
  return type(value) == "number" and value >= 0.1 and value <= 3600
end)

local SCHEMA = {
  client = schema.rule("an alicloud.client", function(value)
    return type(value) == "table" and type(value.call) == "function"
  end),
  store = schema.typed "table",
  journal = schema.text,
  standby = schema.rule("true, or " .. duration.ALLOWED, function(value)
    return type(value) == "boolean" or duration.parse(value) ~= nil
  end),
  account = accounts.RULE,
  params = schema.typed "table",
  kind = schema.choice("drill", "planned", "unplanned"),
  mode = schema.choice("graceful", "ungraceful"),
  incident = formats.INCIDENT, incident_since = schema.typed "number", outage_at = formats.MOMENT,
  requester = schema.text,
  declared = schema.rule("{ rto = duration, rpo = duration }", is_declared),
  approvers = schema.rule("a table of name = public key", is_map_of(function(value)
    return type(value) == "string"
  end)),
  approvers_from = schema.text, approvers_file = schema.text, way = ways.RULE,
  sign = schema.rule("{ by = name, key = private key of 64 hexadecimal digits }",
    signatures.check),
  anchor = anchors.RULE,
  anchor_network = schema.typed "table",
  ask = schema.callable,
  confirm = schema.callable,
  skip = schema.rule("a table of step = reason", is_map_of(is_reason)),
  open_gates = schema.rule("a reason, text without control characters", is_reason),
  again = schema.rule("a table of step = true", is_map_of(function(value)
    return value == true
  end)),
  accept_loss = protocol.ACCEPT_LOSS,
  force = forces.OPTION,
  corrections = schema.rule("{ values = table, why = reason, by = name }", is_correction),
  accept_edit = schema.boolean,
  progress = schema.callable,
  headway = M.SECONDS,
  program = schema.callable,
  replay = schema.text,
  executor = schema.typed "table",
  pace = schema.callable,
}

-- Seconds to wait on standby; nil: no standby.
local function limit_of(standby)
  if not standby then return nil end
  return standby == true and math.huge or duration.parse(standby)
end

--- Checks the options of a run; raises at the level of the public function's caller.
---@param where string
---@param given table
---@param level integer
---@return alicloud.dr.RunOptions copy, with durations in seconds
function M.check(where, given, level)
  local options = schema.check(where, given, SCHEMA, level + 1)
  if not options.client then error(where .. ": option client is required", level + 1) end
  if (options.store == nil) == (options.journal == nil) then
    error(where .. ": give either option journal, a path or an address, or option store", level + 1)
  end
  if options.declared then
    local declared = {}
    for name, value in pairs(options.declared) do declared[name] = duration.parse(value) end
    options.declared = declared
  end
  options.requester = options.requester or "unnamed"
  options.standby = limit_of(options.standby)
  return options
end

--- Why a playbook cannot be run in a mode.
---@param playbook alicloud.dr.Playbook
---@param mode "graceful"|"ungraceful"|nil
---@return string|nil message
function M.mode_fault(playbook, mode)
  if mode ~= "ungraceful" or not playbook.graceful_only then return nil end
  return ("mode: got %s; allowed: graceful: %s has no ungraceful way: %s"):format(
    schema.show(mode), playbook.name, playbook.graceful_only)
end

--- Why a playbook cannot be run as a kind: one that is declared to move groups is no drill.
---@param playbook alicloud.dr.Playbook
---@param kind "drill"|"planned"|"unplanned"|nil
---@return string|nil message
function M.kind_fault(playbook, kind)
  if kind ~= "drill" or not playbook.kind or playbook.kind == "drill" then return nil end
  return ('kind: got "drill"; allowed: "planned" or "unplanned": %s moves groups; a drill: '
    .. "alicloud-dr run drill"):format(playbook.name)
end

--- The error of a wish to skip a step that the text of the playbook says is critical: the steps
--- before it would be done in vain. A step that is behind the run already is not asked about.
---@param playbook alicloud.dr.Playbook
---@param skip table<string, string>|nil reasons by step
---@param state alicloud.dr.RunState
---@return alicloud.Error|nil
function M.critical_skip(playbook, skip, state)
  if not playbook.source or not next(skip or {}) then return nil end
  local found = step_names.of(playbook.source)
  for _, name in ipairs(tables.keys(skip)) do
    local past = state.steps[name]
    local is_settled = past and (past.status == "done" or past.status == "skipped")
    if not is_settled and step_names.is_critical(found, name) then
      return errors.new { kind = "state", code = "Client.CriticalStep", outcome = "not_sent",
        message = ("step %q is critical and cannot be skipped"):format(name) }
    end
  end
  return nil
end

--- The steps to be skipped, in the form of the engine.
---@param skip table<string, string>|nil reasons by step
---@param by string who skips them
---@return table<string, { why: string, by: string }>
function M.skips(skip, by)
  local wishes = {}
  for name, why in pairs(skip or {}) do wishes[name] = { why = why, by = by } end
  return wishes
end

return M
