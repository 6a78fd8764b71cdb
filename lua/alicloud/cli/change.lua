--- Runs a command that changes a group: asks for consent, shows progress, and ends with words that
--- tell a refusal from an unknown outcome, and with the command that goes on.

local fold = require "alicloud.cli.fold"
local force_options = require "alicloud.cli.options.force"
local guard = require "alicloud.base.guard"
local hints = require "alicloud.cli.hints"
local lazy = require "alicloud.base.lazy"
local listeners = require "alicloud.cli.listeners"
local network = require "alicloud.cli.options.network"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local prompts = require "alicloud.cli.prompt"
local reporters = require "alicloud.cli.progress"
local shell = require "alicloud.base.shell"
local snapshots = require "alicloud.dr.model.snapshot"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"
local view = require "alicloud.cli.view_group"

---@module "alicloud.cli.group_names"
local group_names = lazy.module "alicloud.cli.group_names"
---@module "alicloud.cli.view_compute"
local view_compute = lazy.module "alicloud.cli.view_compute"

local M = {}

---@class alicloud.cli.Change
---@field noun string e.g. "failover"
---@field group alicloud.dr.Group
---@field look string the command that shows the state
---@field go_on fun(token: string?): string the command that goes on, with the token if there is one
---@field of_machines? boolean instances and disks are changed, by calls that take no token
---@field again? fun(incident: string): string the command with another name of the incident
---@field overrule? fun(codes: string[]): string the command that overrules these findings
---@field typed string text that has to be typed for consent
---@field question fun(...: any): string
---@field perform fun(hooks: { progress: function, confirm: function? }): table|nil, alicloud.Error?
---@field show fun(result: table): string
---@field object fun(result: table): table
---@field exit? fun(result: table): integer exit code of a result; nil: always 0
---@field describe? fun(snapshot: table): string
---@field progress? fun(snapshot: table): string words while it runs; nil: those of the event

-- Options of every command that talks to the service, which a printed command repeats.
local WAY = { "endpoint", "profile", "wait_for_cloud", "failed_region" }

--- A printed command in a region, with the options that were typed.
---@param verb string e.g. "drill list"
---@param arguments string[]
---@param region string
---@param args table
---@param carried? string[] keys of args to repeat besides those of the connection
---@param token? string
---@return string
function M.command(verb, arguments, region, args, carried, token)
  local all = { shell.option("--region", region) }
  if token then all[2] = shell.option("--client-token", token) end
  for _, list in ipairs { network.typed(args), options.typed(args, WAY),
    options.typed(args, carried or {}) } do
    table.move(list, 1, #list, #all + 1, all)
  end
  return shell.command(verb, arguments, all)
end

--- The change of a verb that is a command of the same name, without `question`, `show` and
--- `object`.
---@param group alicloud.dr.Group
---@param verb string
---@param given table options of the verb
---@param args table
---@param carried string[] keys of args that printed commands repeat
---@return table change
function M.of_group(group, verb, given, args, carried)
  local place = { group.id }
  carried = { "events", "on_event", table.unpack(carried) }
  return {
    noun = verb, group = group, typed = group.id,
    look = M.command("status", place, group.region, args),
    go_on = function(token)
      return M.command(verb, place, group.region, args, carried, token)
    end,
    again = function(incident)
      return M.command(verb, place, group.region, tables.merged(args, { incident = incident }),
        { "incident", table.unpack(carried) })
    end,
    overrule = function(codes)
      local more = setmetatable(force_options.with(args, codes), { __index = args })
      return M.command(verb, place, group.region, more, carried)
    end,
    perform = M.performer(group, verb, given),
  }
end

--- A function that calls a method of a group with the hooks of the command.
---@param group alicloud.dr.Group
---@param verb string
---@param given table options of the verb
---@param ... any arguments before the options
---@return fun(hooks: table): table|nil, alicloud.Error?
function M.performer(group, verb, given, ...)
  local arguments = { ... }
  arguments[#arguments + 1] = given
  return function(hooks)
    given.progress, given.confirm = hooks.progress, hooks.confirm
    return group[verb](group, table.unpack(arguments))
  end
end

local function ask(io, change, reporter)
  return function(...)
    reporter:finish()
    -- With --json standard output holds the object only; if it is redirected, nobody sees a
    -- question.
    local say = (reporter.quiet or not io.tty) and io.err or io.out
    local question = fold.lines(io, change.question(...))
    return prompts.ask(io, function() say(question) end, change.group.client.loop) == change.typed
  end
end

-- The commands that look and go on. Without a token only a change of machines may be repeated: it
-- reads the state before it sends.
local function ways_on(change, token, is_superseded)
  local may_repeat = not is_superseded and (token or change.of_machines)
  local go_on = may_repeat and ("    go on:  %s\n"):format(change.go_on(token)) or ""
  return ("    look:   %s\n%s"):format(change.look, go_on)
end

local VERDICTS = {
  unknown = "outcome unknown", not_sent = "refused, nothing was sent", rejected = "refused",
  accepted = "failed",
}

local function attempt_facts(err)
  local facts = {}
  local function add(label, value)
    if value then facts[#facts + 1] = label .. " " .. terminal.clean(value) end
  end
  add("request id", err.request_id)
  add("client token", err.client_token)
  add("attempts", err.attempts ~= 0 and err.attempts)
  return #facts > 0 and "    " .. table.concat(facts, "   ") .. "\n" or ""
end

local function print_overrule(io, err, change)
  if not err.forcible or not change.overrule then return end
  io.out("  the service may see it otherwise; to ask it all the same:\n    "
    .. change.overrule(err.forcible) .. "\n")
end

local function print_refusal(io, err, change)
  io.out(view.obstacles(io, err.findings))
  print_overrule(io, err, change)
  if io.tty then return io.out "  refused by the pre-check, nothing was sent\n" end
  io.err(("alicloud-dr: refused by the pre-check, nothing was sent: %s: %s\n"):format(
    terminal.clean(err.code), terminal.clean(err.message, 1000)))
end

local function print_failure(io, err, change)
  local verdict = err.outcome == "unknown" and "?" or "✘"
  io.out(("  %s %s\n"):format(terminal.paint(io, err.outcome == "unknown" and "yellow" or "red",
    verdict .. " " .. (VERDICTS[err.outcome] or "failed")), terminal.clean(err.code)))
  io.out(fold.hang(io, "    " .. terminal.clean(err.message, 2000), 4) .. "\n")
  if err.last and err.last.pairs then
    io.out("    last seen: " .. terminal.clean((change.describe or snapshots.state)(err.last))
      .. "\n")
  end
  if err.hint then
    io.out(fold.lines(io, "    what to do: " .. terminal.clean(err.hint, 1000) .. "\n"))
  end
  io.out(attempt_facts(err))
  if err.next_incident and change.again then
    io.out(("    again:  %s\n"):format(change.again(err.next_incident)))
  end
  -- After another change of the group (Superseded) only `look` is printed, not the way on.
  local done = view_compute.done_so_far(err)
  if done then io.out("    done so far: " .. done .. "\n") end
  if err.outcome == "unknown" or done then
    io.out(ways_on(change, err.client_token, err.code == "Client.Superseded"))
  end
  print_overrule(io, err, change)
  -- On a terminal both streams are seen together, and the message is there already.
  if io.tty then return end
  io.err(("alicloud-dr: %s: %s: %s\n"):format(VERDICTS[err.outcome] or "failed",
    terminal.clean(err.code), terminal.clean(err.message, 1000)))
end

-- Nothing else can be said of a group that is not listed than which groups are.
local function report_absence(io, args, err, change)
  local group = change.group
  err.findings, err.hint = nil, nil
  err.message = group_names.not_listed(group.client, group.region, group.id)
  if args.json then return output.fail(io, args, err, true) end
  return output.complain(io, false, output.exit_code(err, true), err)
end

local function report_failure(io, args, err, change)
  if err.code == "NoSuchResource" and err.outcome == "not_sent" then
    return report_absence(io, args, err, change)
  end
  hints.at_the_shell(err, args)
  if args.json or err.kind == "credentials" then return output.fail(io, args, err, true) end
  if err.findings then
    print_refusal(io, err, change)
  else
    print_failure(io, err, change)
  end
  return output.exit_code(err, true)
end

local function report_interrupt(io, args, change, reporter)
  local code, said = output.interrupted(io), terminal.interruption(io)
  local token, sent = reporter.client_token, reporter.sent
  if args.json then
    return output.json(io, code, { error = {
      kind = "cancelled", code = "Client.Interrupted", group_id = change.group.id,
      region = change.group.region, message = said .. ", last seen: " .. reporter:last_seen(),
      outcome = sent and "unknown" or "not_sent", client_token = sent and token or nil,
    } })
  end
  io.out("\n" .. fold.hang(io, ("  %s; last seen: %s"):format(said, reporter:last_seen()), 4)
    .. "\n")
  if not sent then
    io.out(("    nothing was sent%s\n"):format(reporter.joined
      and ", and one is under way\n    look:   " .. change.look or ""))
    return code
  end
  local under = token and "; client token " .. terminal.clean(token) or ""
  io.out(("    the %s may be under way%s\n"):format(change.noun, under))
  io.out(ways_on(change, token))
  return code
end

--- Asks for consent, performs the change, shows its result and returns the exit code.
---@param io alicloud.cli.Io
---@param args table with yes and json
---@param change alicloud.cli.Change
---@return integer exit_code
function M.run(io, args, change)
  local reporter = reporters.new(io, args.json == true, change.noun, change)
  local hooks = { progress = function(event)
    reporter:take(event)
    listeners.tell(io, "change", event)
  end }
  listeners.tell(io, "about", change.group)
  if not args.yes then hooks.confirm = ask(io, change, reporter) end
  local ok, result, err = pcall(change.perform, hooks)
  reporter:finish()
  if not ok and guard.is_interrupt(result) then
    return report_interrupt(io, args, change, reporter)
  end
  if not ok then error(result, 0) end
  listeners.tell(io, "outcome", change, result and change.object(result), err)
  if err then listeners.tell(io, "failed", err) end
  if not result then return report_failure(io, args, err, change) end
  local code = change.exit and change.exit(result) or output.EXIT.done
  if args.json then return output.json(io, code, change.object(result)) end
  io.out(fold.lines(io, change.show(result)))
  return code
end

return M
