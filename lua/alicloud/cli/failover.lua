--- `alicloud-dr failover`: check, ask, fail over, watch until every pair is open.

local dr = require "alicloud.dr"
local guard = require "alicloud.guard"
local network = require "alicloud.cli.network"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local reporters = require "alicloud.cli.reporter"
local rules = require "alicloud.dr.rules"
local session = require "alicloud.cli.session"
local snapshots = require "alicloud.dr.snapshot"
local terminal = require "alicloud.cli.terminal"
local view = require "alicloud.cli.view"

local M = { name = "failover", summary = "Fail a group over to its secondary site." }

local EPILOG = [[
What happens: the group and its pairs are read in the given region only; the pre-check is shown rule
by rule; you type the group id; one call is sent; the state is watched until the group and every
pair say failovered. An answer that is lost is followed by looking, and the call is sent again only
with the same token, only if nothing has happened, and only within two minutes.

Examples:
  alicloud-dr failover pg-orders --region cn-shanghai --max-rpo 20m
  alicloud-dr failover pg-orders --region cn-shanghai --yes --json
  alicloud-dr failover pg-orders --region cn-shanghai --incident INC-4711
  alicloud-dr failover pg-orders --region cn-shanghai --client-token 5f1d…   (go on after exit 3)

Exit codes: 0 failed over (or already was), 1 refused or failed, 2 usage, 3 outcome unknown,
130 interrupted. The token and the command that goes on safely are printed on standard error before
the call leaves, and again after 3 and 130.]]

---@param command table of argparse
function M.configure(command)
  command:argument "group":description "Group id, e.g. pg-orders."
  options.add_common(command, "Region of the secondary site, which takes over")
  command:option "--max-rpo"
    :argname "<duration>"
    :description "Refuse if the oldest recovery point is older, e.g. 20m."
  command:flag "-y --yes"
    :description "Do not ask for the typed group id."
  command:option "--timeout"
    :argname "<duration>"
    :description "How long to wait for the open disks (20m)."
  command:option "--poll"
    :argname "<duration>"
    :description "Longest pause between two looks (5s)."
  command:option "--incident"
    :argname "<name>"
    :description("Derive the token from group, direction and this name: operators who give "
      .. "the same name send the same token. After failover_failed it gives a second token, once; "
      .. "then take another name.")
  command:option "--client-token"
    :argname "<token>"
    :description "Go on with this token instead of a new one."
  command:epilog(EPILOG)
end

local function read_options(args)
  if args.incident and args.client_token then
    options.refuse("--client-token: cannot be given together with --incident, which derives the "
      .. "token; allowed: one of the two")
  end
  return {
    max_rpo = options.duration(args, "max_rpo"),
    timeout = options.duration(args, "timeout", 1),
    poll = options.duration(args, "poll", 0.05),
    incident = options.text(args, "incident", rules.INCIDENT),
    client_token = options.text(args, "client_token", rules.TOKEN),
  }
end

-- A word as the shell reads it back.
local function quote(word)
  if word:find("^[%w_%.:@%%+=/-]+$") then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local LOOKED_WITH = { "endpoint", "wait_for_cloud", "failed_region" }
local CARRIED_ON = { "endpoint", "wait_for_cloud", "failed_region", "max_rpo", "timeout", "poll" }

-- The commands that look, and that go on under a token, with everything that was typed.
local function commands(args, id, region)
  local function command(name, token, carried)
    local words = { "alicloud-dr", name, id, "--region", region }
    if token then
      words[#words + 1], words[#words + 2] = "--client-token", quote(token)
    end
    for _, word in ipairs(network.words(args)) do words[#words + 1] = quote(word) end
    for _, option in ipairs(carried) do
      if args[option] then
        words[#words + 1] = "--" .. option:gsub("_", "-")
        words[#words + 1] = quote(args[option])
      end
    end
    return table.concat(words, " ")
  end
  return {
    look = command("status", nil, LOOKED_WITH),
    go_on = function(token) return command("failover", token, CARRIED_ON) end,
  }
end

-- A question that nobody can answer must not hang, and silence is not consent.
local function demand_consent(args, io)
  if args.yes or io.input_tty then return end
  options.refuse("--yes: is missing and there is no terminal to type the group id on; allowed: "
    .. "add --yes, or run it in a terminal")
end

local function ask(io, id, reporter)
  return function(snapshot)
    reporter:finish()
    -- With --json the output belongs to the object alone; redirected, nobody sees it in time.
    local say = (reporter.quiet or not io.tty) and io.err or io.out
    say(view.question(snapshot))
    local typed = io.read_line()
    if typed == nil then say "\n" end
    return typed ~= nil and typed:match("^%s*(.-)%s*$") == id
  end
end

local function ways_on(ways, token)
  return ("    look:   %s\n    go on:  %s\n"):format(ways.look, ways.go_on(token))
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

local function print_refusal(io, err)
  io.out(view.obstacles(io, err.findings))
  if io.tty then return io.out "  refused by the pre-check, nothing was sent\n" end
  io.err(("alicloud-dr: refused by the pre-check, nothing was sent: %s: %s\n"):format(
    terminal.clean(err.code), terminal.clean(err.message, 1000)))
end

local function print_failure(io, err, ways)
  local verdict = err.outcome == "unknown" and "?" or "✘"
  io.out(("  %s %s\n"):format(terminal.paint(io, err.outcome == "unknown" and "yellow" or "red",
    verdict .. " " .. (VERDICTS[err.outcome] or "failed")), terminal.clean(err.code)))
  io.out("    " .. terminal.clean(err.message, 2000) .. "\n")
  if err.last then
    io.out("    last seen: " .. terminal.clean(snapshots.state(err.last)) .. "\n")
  end
  if err.hint then io.out("    what to do: " .. terminal.clean(err.hint, 1000) .. "\n") end
  io.out(attempt_facts(err))
  if err.outcome == "unknown" and err.client_token then
    io.out(ways_on(ways, err.client_token))
  end
  -- On a terminal both streams meet, and once is enough.
  if io.tty then return end
  io.err(("alicloud-dr: %s: %s: %s\n"):format(VERDICTS[err.outcome] or "failed",
    terminal.clean(err.code), terminal.clean(err.message, 1000)))
end

local function report_failure(io, args, err, ways)
  if args.json or err.kind == "credentials" then return output.fail(io, args, err, true) end
  if err.findings then
    print_refusal(io, err)
  else
    print_failure(io, err, ways)
  end
  return output.exit_code(err, true)
end

local function report_interrupt(io, args, group, ways, reporter)
  local code = output.EXIT.interrupted
  local token, sent = reporter.client_token, reporter.sent
  if args.json then
    return output.json(io, code, { error = {
      kind = "cancelled", code = "Client.Interrupted", group_id = group.id, region = group.region,
      message = "interrupted, last seen: " .. reporter:last_seen(),
      outcome = sent and "unknown" or "not_sent", client_token = sent and token or nil,
    } })
  end
  io.out(("\n  interrupted; last seen: %s\n"):format(reporter:last_seen()))
  if not sent then
    io.out "    nothing was sent\n"
    return code
  end
  io.out("    the failover may be under way; client token " .. terminal.clean(token) .. "\n")
  io.out(ways_on(ways, token))
  return code
end

--- Runs the command.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(args, io)
  local id, given = options.group_id(args.group), read_options(args)
  demand_consent(args, io)
  local client <close>, region = session.open(args, io)
  local ways = commands(args, id, region)
  local reporter = reporters.new(io, args.json == true, ways.go_on)
  given.progress = function(event) reporter:take(event) end
  if not args.yes then given.confirm = ask(io, id, reporter) end
  local group = dr.group(client, id, { region = region })
  local ok, result, err = pcall(group.failover, group, given)
  reporter:finish()
  if not ok and guard.is_interrupt(result) then
    return report_interrupt(io, args, group, ways, reporter)
  end
  if not ok then error(result, 0) end
  -- While a call may be at work, every look belongs to it.
  if not result and err.outcome == "not_sent" then session.diagnosed(client, err) end
  if not result then return report_failure(io, args, err, ways) end
  if args.json then return output.json(io, output.EXIT.done, output.result_object(result)) end
  io.out(view.result(io, result))
  return output.EXIT.done
end

return M
