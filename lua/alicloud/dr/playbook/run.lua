--- The object that a playbook's function gets: one branch of a run, first the whole run. Functions
--- of run:each and run:parallel get branches of their own; the keys of their steps begin with the
--- name of the branch ("pg-orders/promote"). Real runs, dry runs and traces of calls use the same
--- object: the engine's executor (alicloud.dr.Executor) does the work of its methods.

local bound_group = require "alicloud.dr.playbook.bound_group"
local core = require "alicloud.core"
local corrections = require "alicloud.dr.playbook.corrections"
local errors = require "alicloud.base.error"
local gates = require "alicloud.dr.playbook.gate"
local hooks = require "alicloud.dr.playbook.hooks"
local intents = require "alicloud.dr.model.intent"
local keeping = require "alicloud.dr.journal.keeping"
local parallel = require "alicloud.dr.playbook.parallel"
local pasts = require "alicloud.dr.playbook.past"
local programs = require "alicloud.dr.playbook.program"
local schema = require "alicloud.base.schema"
local steps = require "alicloud.dr.playbook.step"
local stops = require "alicloud.dr.playbook.stop"
local verify = require "alicloud.dr.playbook.verify"

local M = {}

---@class alicloud.dr.PlaybookRun
---@field kind "drill"|"planned"|"unplanned"
---@field params table<string, any> as the playbook declares them, else as they were given
---@field mode "graceful"|"ungraceful" the present mode
---@field direction { from: string, to: string }? regions, of the newest look at a group
---@field recovery_point integer? unix seconds, of the newest look at a group
---@field attempt integer how many processes have run it, this one included
---@field incident string?
---@field id string
---@field way alicloud.dr.Way? the typed options that reach the service, for printed commands
---@field client alicloud.Client a client whose changes are journaled
---@field loop alicloud.loop.Loop
---@field engine alicloud.dr.Engine
---@field prefix string "" for the whole run, else the names of its branches, each with "/" behind
---@field step_key string? the present step
---@field step_scope alicloud.Scope? the scope of that step
---@field verb string? the present verb of a group
---@field fencing boolean? the journal has a record that the present fence stops something
---@field ran_program boolean? its step has run a program
---@field is_left boolean? an earlier try of its step may have had an effect, and is not undone
---@field seen string? what its step's last look has shown, in words
---@field touched_at number monotonic seconds of its latest change: older looks do not show it
---@field seat alicloud.dr.Seat? its place among the branches that run:each counts as at work
---@field parent alicloud.dr.PlaybookRun?
---@field reads table<string, boolean> parameters that were read outside of steps
---@field step_reads table<string, boolean> parameters that were read in the present step
---@field params_view table?
---@field jump_target string? the step that on_error "goto:" of the failed `jump_from` leads to
---@field jump_from string?
---@field stopped alicloud.dr.Stop? why this branch has ended
local Run = {}

-- Methods for the engine, not for playbooks.
local Branch = {}

local FIELDS = {}

--- The fields and methods of a run that a playbook may use, beside `client`.
M.FIELDS, M.METHODS = FIELDS, Run

function FIELDS.kind(branch) return branch.engine.state.run.kind end
function FIELDS.params(branch)
  branch.params_view = branch.params_view or corrections.view(branch)
  return branch.params_view
end
function FIELDS.mode(branch) return branch.engine.state.mode end
function FIELDS.attempt(branch) return branch.engine.state.attempts end
function FIELDS.incident(branch) return branch.engine.state.run.incident end
function FIELDS.id(branch) return branch.engine.state.run.run_id end
function FIELDS.way(branch) return branch.engine.state.way end
function FIELDS.loop(branch) return branch.engine.loop end

function FIELDS.direction(branch)
  local look = branch.engine.state.last_look
  return look and { from = look.from, to = look.to }
end

function FIELDS.recovery_point(branch)
  local look = branch.engine.state.last_look
  return look and look.recover_point
end

local metatable = {
  __name = "alicloud.dr.PlaybookRun",
  __index = function(branch, name)
    if FIELDS[name] then return FIELDS[name](branch) end
    return Run[name] or Branch[name]
  end,
  __tostring = function(branch)
    local run = branch.engine.state.run
    return ("alicloud.dr.PlaybookRun(%s, %s)"):format(run.playbook, run.run_id)
  end,
}

local function new(engine, prefix, parent)
  local branch = setmetatable({ engine = engine, prefix = prefix, parent = parent, reads = {},
    step_reads = {} }, metatable)
  branch.touched_at = parent and parent.touched_at or engine.loop.now()
  branch.client = engine.executor:client(branch)
  return branch
end

--- Makes the branch that is the whole run.
---@param engine alicloud.dr.Engine
---@return alicloud.dr.PlaybookRun
function M.new(engine)
  return new(engine, "")
end

local function own(run)
  if getmetatable(run) == metatable then return run end
  error("playbook: not a run; call its methods with a colon", 3)
end

local function complain(what, value, rule)
  error(("playbook: %s: got %s; allowed: %s"):format(what, schema.show(value), rule.allowed), 3)
end

-- Checks the arguments of a method; the options may be left out.
local function arguments(what, name, options, body, rules)
  if body == nil then options, body = nil, options end
  if not steps.NAME.test(name) then complain(what .. " name", name, steps.NAME) end
  if not schema.callable.test(body) then complain(what .. " " .. name, body, schema.callable) end
  return schema.check(("playbook: %s %q"):format(what, name), options, rules, 3), body
end

--- Names a group, and locks it for this run. If another process has the lock, the run ends with an
--- error that names that process.
---@param id string
---@param options? { region: string, to: string } the side that takes over, as for dr.group
---@return alicloud.dr.Group
function Run:group(id, options)
  local engine = own(self).engine
  self:go_on()
  local group = bound_group.bind(self, id, options)
  engine.executor:hold(self, group)
  return group
end

--- Does something once. The journal keeps its result, which is returned again after a resume. The
--- step fails if the body raises, or returns `nil, err` or a table whose field `ok` is false.
---@param name string identifies the step in the run, whatever the order
---@param options? alicloud.dr.StepOptions
---@param body fun(run: alicloud.dr.PlaybookRun): any
---@return any result plain
---@return alicloud.Error? err only if on_error lets the run go on
function Run:step(name, options, body)
  own(self)
  options, body = arguments("step", name, options, body, steps.SCHEMA)
  return self.engine.executor:step(self, name, options, body)
end

--- Probes from outside whether the service is back; the first success ends the RTO.
---@param name string
---@param options? { timeout: number|string, every: number|string, on_error: string } without a
---timeout it is tried once; every: pause between two tries (5 s)
---@param body fun(run: alicloud.dr.PlaybookRun): any true if the service is back
---@return any result
---@return alicloud.Error? err
function Run:verify(name, options, body)
  own(self)
  options, body = arguments("verify", name, options, body, verify.SCHEMA)
  return self.engine.executor:verify(self, name, options, body)
end

--- Waits until enough people have approved.
---@param name string
---@param options alicloud.dr.GateOptions
function Run:gate(name, options)
  own(self)
  if not steps.NAME.test(name) then complain("gate name", name, steps.NAME) end
  return self.engine.executor:gate(self, name, gates.check(name, options))
end

--- Calls a function for each of many groups or other items, several at a time.
---@generic T
---@param list T[] names, groups, or tables with `id`
---@param options? alicloud.dr.EachOptions
---@param body fun(item: T, run: alicloud.dr.PlaybookRun): any
---@return alicloud.dr.EachResult
function Run:each(list, options, body)
  own(self)
  if body == nil then options, body = nil, options end
  if not schema.callable.test(body) then complain("each", body, schema.callable) end
  if type(list) ~= "table" then complain("each", list, schema.typed "table") end
  options = schema.check("playbook: each", options, parallel.SCHEMA, 2)
  return self.engine.executor:each(self, list, options, body)
end

--- Calls several functions at a time.
---@param branches table<string, fun(run: alicloud.dr.PlaybookRun): any>
---@return table<string, any> results by name
function Run:parallel(branches)
  own(self)
  if type(branches) ~= "table" then complain("parallel", branches, schema.typed "table") end
  return self.engine.executor:parallel(self, branches)
end

--- Writes a note into the journal. Fields that a journal cannot keep are left out, and named in it.
---@param text string
---@param fields? table
function Run:note(text, fields)
  local engine = own(self).engine
  self:go_on()
  local kept, faults = keeping.copy(fields, "fields")
  local left_out = #faults > 0 and (" (left out, since it cannot be kept: %s)"):format(
    table.concat(faults, ", "))
  local ok, err = engine:write({ type = "note", text = tostring(text) .. (left_out or ""),
    fields = kept, left_out = left_out and true or nil }, false)
  if not ok then engine:stop(err) end
end

--- Reads a parameter without freezing it: it can still be corrected for the step that will use it.
---@param name string
---@return any
function Run:peek(name)
  local all = own(self).engine.params
  if not schema.text.test(name) then complain("peek", name, schema.text) end
  return all[name]
end

local WHY = schema.rule("a reason, text without control characters", function(value)
  return type(value) == "string" and value:find("%S") ~= nil and not value:find("%c")
    and utf8.len(value) ~= nil
end)

--- Runs a command line with sh, or calls a function, inside of a step. The program gets `variables`
--- in its environment as ALICLOUD_DR_GROUP etc., with ALICLOUD_DR_KIND, _MODE and _RUN. Variables
--- of the environment that hold keys are removed, unless `credentials = true`.
---@param command string|fun(run: alicloud.dr.PlaybookRun, variables: table): any
---@param variables? table<string, any> by names in lower case; for a command line up to 50 texts,
---numbers or booleans
---@param options? alicloud.dr.ProgramOptions
---@return any result true of a program
---@return any err "Client.ProgramFailed"
function Run:program(command, variables, options)
  local telling = own(self).engine.hooks:telling() ~= nil
  if not self.step_key and not telling then
    error("playbook: program: only inside of a step, or of a function of run:on", 2)
  end
  variables = variables or {}
  programs.demand(command, variables, 2)
  options = schema.check("playbook: program", options, programs.SCHEMA, 2)
  self.loop.checkpoint()
  if not telling then self.ran_program = true end
  return self.engine.executor:program(self, command, variables, options)
end

--- Skips a step when the run comes to it.
---@param name string of a step, or "gate:" and the name of a gate, which is broken open then
---@param why string
function Run:skip(name, why)
  local engine = own(self).engine
  if not steps.NAME.test(name) then complain("skip", name, steps.NAME) end
  if not WHY.test(why) then complain("skip " .. name .. ": reason", why, WHY) end
  engine.skips[steps.skip_key(self.prefix, name)] = { why = why, by = engine.state.run.requester }
end

--- The names of all steps that are to be skipped, or were, so that a playbook can reject a wrong
--- one, and do nothing in vain before one that will not come.
---@return string[] names as they are given: "pg-orders/promote" in a branch
function Run:skips()
  return own(self).engine:skipped()
end

--- Calls a listener for each event of a kind. Neither its errors nor its waits affect the run.
---@param kind string e.g. "step", "gate", "finished"
---@param listener fun(event: table)
function Run:on(kind, listener)
  local engine = own(self).engine
  if not hooks.ALLOWED[kind] then
    error(("playbook: on: unknown event %s%s"):format(schema.show(kind),
      schema.did_you_mean(kind, hooks.ALLOWED)), 2)
  end
  if not schema.callable.test(listener) then complain("on " .. kind, listener, schema.callable) end
  engine.executor:on(self, kind, listener)
end

--- Switches the mode. "ungraceful" gives the old side up: steps with `graceful_only` are skipped.
---@param mode "graceful"|"ungraceful"
---@param why string
function Run:switch(mode, why)
  local engine = own(self).engine
  self:go_on()
  local rule = schema.choice("graceful", "ungraceful")
  if not rule.test(mode) then complain("switch", mode, rule) end
  local way = mode == "ungraceful" and engine.playbook.graceful_only
  if way then error("playbook: switch: there is no ungraceful way: " .. way, 2) end
  if not WHY.test(why) then complain("switch: reason", why, WHY) end
  if engine.state.mode ~= mode then
    engine:record { type = "mode", mode = mode, why = why, by = engine.state.run.requester }
  end
end

--- An idempotency token that is the same after a resume, so that the step can repeat its own call.
--- After a refusal it is another one, since the service may repeat the refusal for the old one.
---@param label string purpose of the token; unique within the step
---@return string 64 hexadecimal digits
function Run:token(label)
  local engine = own(self).engine
  if not self.step_key then error("playbook: token: only inside of a step", 2) end
  local parts = { engine.state.run.incident or engine.state.run.run_id, self.step_key,
    tostring(label) }
  for i, part in ipairs(parts) do parts[i] = #part .. ":" .. part end
  local token = core.sha256("playbook" .. table.concat(parts))
  while pasts.refusal_of(engine.state, token) do token = intents.renewed(token) end
  engine.tokens[token] = true
  return token
end

--- The operations of a product, called with the run's client.
---@param product string
---@return alicloud.Service
function Run:service(product)
  return own(self).client:service(product)
end

--- Makes a branch of this one.
---@param name string
---@return alicloud.dr.PlaybookRun
function Branch:fork(name)
  return new(self.engine, self.prefix .. name .. "/", self)
end

local function seat_of(branch)
  while branch and not branch.seat do branch = branch.parent end
  return branch and branch.seat
end

--- Says that this branch only waits from now on: run:each no longer counts it as at work.
function Branch:rest()
  local seat = seat_of(self)
  if seat then seat:leave() end
end

--- Says that this branch is at work again.
function Branch:rise()
  local seat = seat_of(self)
  if seat then seat:take() end
end

--- Raises if this branch or the run has ended, or the calling task was cancelled.
function Branch:go_on()
  self.engine:go_on()
  if self.stopped then error(self.stopped, 0) end
end

--- Ends this branch by raising; or the whole run.
---@param err alicloud.Error
---@param whole boolean? true: the whole run; it is so, too, if this branch is the whole run
function Branch:halt(err, whole)
  if whole or self.prefix == "" then self.engine:stop(err) end
  self.stopped = self.stopped or stops.new(err, false)
  error(self.stopped, 0)
end

--- The error if this branch has ended before it came to the step that a "goto:" names; else nil.
---@return alicloud.Error|nil
function Branch:unresolved_jump()
  if not self.jump_target then return nil end
  return errors.new { kind = "state", code = "Client.NoSuchStep", step = self.jump_target,
    message = ("step %q, to which %q leads, never came"):format(self.jump_target, self.jump_from) }
end

-- The first finished step of a branch that this attempt has not come to.
local function missing_finished_step(engine, prefix)
  for _, key in ipairs(engine.state.order) do
    local step = engine.state.steps[key]
    local same_branch = key:sub(1, #prefix) == prefix and not key:find("/", #prefix + 1, true)
    if step.status == "done" and same_branch and not engine.seen[key] then return key end
  end
  return nil
end

--- Notes that the branch has come to a step. Ends the run if the playbook was edited and has left
--- out a finished step before this one.
---@param key string
---@param definition string text of the step's options
function Branch:register_step(key, definition)
  local engine = self.engine
  local past = engine.state.steps[key]
  if past and past.definition and past.definition ~= definition then
    engine:record { type = "note", text = ("step %q has other options now"):format(key) }
  end
  if not engine.edited or past and past.status == "done" or engine.options.accept_edit then
    return
  end
  local missing = missing_finished_step(engine, self.prefix)
  if missing then
    engine:refuse("Client.PlaybookChanged",
      ("the playbook was edited: step %q is finished, but step %q comes without it now")
        :format(missing, key),
      "put the finished step back before it, or accept the edit (--accept-edit)")
  end
end

return M
