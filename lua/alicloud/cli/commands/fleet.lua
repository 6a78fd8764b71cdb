--- `alicloud-dr fleet`: moves many groups, also of many accounts, from several machines. Each group
--- has a run of its own in a shared store.

local consents = require "alicloud.cli.consent"
local dr = require "alicloud.dr"
local errors = require "alicloud.base.error"
local event_options = require "alicloud.cli.options.events"
local fleet_orders = require "alicloud.cli.fleet_order"
local fold = require "alicloud.cli.fold"
local formats = require "alicloud.base.formats"
local listeners = require "alicloud.cli.listeners"
local cli_clients = require "alicloud.cli.client"
local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local network = require "alicloud.cli.options.network"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local output = require "alicloud.cli.output"
local reports = require "alicloud.cli.commands.report"
local run_store = require "alicloud.cli.run_store"
local schema = require "alicloud.base.schema"
local shared_loops = require "alicloud.loop.shared"
local terminal = require "alicloud.cli.terminal"
local view_fleet = require "alicloud.cli.view_fleet"

---@module "alicloud.dr.fleet.division"
local divisions = lazy.module "alicloud.dr.fleet.division"
---@module "alicloud.cli.view_tiers"
local view_tiers = lazy.module "alicloud.cli.view_tiers"
---@module "alicloud.cli.headway_line"
local headway_lines = lazy.module "alicloud.cli.headway_line"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
The first call makes the fleet: it needs groups=all or groups=A,B, and a region. The same words on
other machines, or the name alone, join it. Each group is an item: a run of its own, whose journal
is in the store and whose lock is the claim, so that no group is moved twice. An item whose machine
has died is taken by another one within a quarter of a minute.

The canaries come first, tier after tier. A canary that is not done well, and as many failures as
--max-errors, put the fleet on hold, as --hold does: nobody takes a further item, and what is under
way comes to its end. --release lets it go on. What has failed is tried again with --again.

Several accounts: --accounts 100001=prod,100002=shop, with the profiles that have their keys; groups
are ACCOUNT/GROUP then, or all. A machine takes what it has keys for.

Examples:
  alicloud-dr fleet night groups=all region=cn-shanghai --store ADDRESS --yes
  alicloud-dr fleet night --store ADDRESS --yes
  alicloud-dr fleet night --status
  alicloud-dr fleet night --report night.html
  alicloud-dr fleet night --hold "the network team asks for an hour"

Exit codes: 0 all done, 1 something failed or was left, or it is on hold, 2 usage, 3 an outcome is
unknown; 130 interrupted.]]

function M.configure(command)
  command:argument("name", "The name of the fleet.")
  command:argument("param", "key=value for the playbook of each group; groups and region say which "
    .. "groups."):args "*"
  command:option("--store", "The shared store; else $ALICLOUD_DR_STORE."):argname "<address>"
  command:option("--playbook", "For each group: a ready one (failover), or a Lua file.")
    :argname "<playbook>"
  command:option("--workers", "How many groups at a time on this machine (50).")
    :argname "<number>"
  command:option("--canary", "So many, or those, must be done well before the others (1).")
    :argname "<number>"
  command:option("--max-errors", "Failures at which nothing more is begun (5%).")
    :argname "<share>"
  command:option("--tier", "Who moves before whom: 1:db-*,2:app-*."):argname "<tiers>"
  command:option("--account", "The account of the keys; else $ALICLOUD_DR_ACCOUNT, else STS is "
    .. "asked."):argname "<account>"
  command:option("--accounts", "Accounts, and the profiles with their keys.")
    :argname "<account=profile,…>"
  command:option("--hold", "Let nobody take a further item; why is kept."):argname "<text>"
  command:flag("--release", "Let a fleet on hold go on; failures are counted from anew.")
  command:option("--again", "Let what has failed, or was left out, be taken once more: a group, "
    .. "ACCOUNT/GROUP, or all."):argname "<group>"
  command:flag("--status", "Show how the fleet stands, and take nothing.")
  command:option("--report", "Write one report over all of its groups: .html, .md or .json.")
    :argname "<file>"
  command:option("--as", "Who asks for the runs; else $USER."):target "requester":argname "<name>"
  command:option("--incident", "Derive the tokens from this name."):argname "<name>"
  command:flag("-y --yes", "Do not ask for the typed name of the fleet.")
  orders.add_option(command)
  event_options.add(command)
  options.add_common(command, "Region to which the groups fail over", true)
  command:epilog(EPILOG)
end

local CONTROLS = { "hold", "release", "again", "status", "report" }

local function control_of(args)
  local found
  for _, name in ipairs(CONTROLS) do
    if args[name] and found then
      options.refuse(("--%s: cannot be given together with --%s"):format(name, found))
    end
    found = args[name] and name or found
  end
  if found and #args.param > 0 then
    options.refuse(("--%s: takes no parameters of groups"):format(found))
  end
  return found
end

-- Turns misuse that the library raises into a refusal: it was typed here.
local function open(given)
  local ok, fleet, err = guard.call(dr.fleet, given)
  if not ok then options.refuse_misuse(fleet) end
  return fleet, err
end

local function surroundings(args, io)
  local runtime = run_store.context(io).runtime
  return { name = args.name, store = args.store, runtime = runtime,
    loop = shared_loops.of_clock(runtime),
    requester = options.person(args, cli_clients.runtime(io).getenv) }
end

local function at_the_shell(err, args)
  if err.code == "Client.FleetHeld" then
    err.hint = ("see what has failed: %s; then let it go on: %s, and take items: %s"):format(
      fleet_orders.command(args, { "--status" }), fleet_orders.command(args, { "--release" }),
      fleet_orders.join_command(args))
  elseif err.code == "Client.NoSuchStep" then
    err.hint = "see them: " .. fleet_orders.command(args, { "--status" })
  elseif err.code == "Client.JournalEmpty" then
    err.hint = "begin it: " .. fleet_orders.command(args, { "groups=all", "region=REGION" })
  elseif err.code == "Client.RunChanged" then
    -- The fleet has its own playbook, which may differ from the one that was typed.
    local own = setmetatable({ playbook = false }, { __index = args })
    err.hint = err.hint:gsub("^join it by its name alone", function()
      return "join it as it is: " .. fleet_orders.join_command(own)
    end)
  end
  return err
end

local function show_status(fleet, args, io)
  local status, err = fleet:status()
  if not status then return output.fail(io, args, err) end
  if args.json then return output.json(io, output.EXIT.done, view_fleet.object(status)) end
  view_fleet.status(io, status, args)
  return output.EXIT.done
end

local ACT = {}
local FORMS = { html = "html", md = "md", json = "json" }

-- Refuses a report that could not be written, before anything is sent.
local function check_report(args)
  if not args.report then return end
  if not FORMS[args.report:match "%.(%w+)$"] then
    options.refuse(("--report: got %s; allowed: a file that ends in .html, .md or .json"):format(
      schema.show(args.report)))
  end
  reports.check_target("--report", args.report)
end

function ACT.hold(fleet, args)
  if not args.hold:find "%S" or args.hold:find "%c" then
    options.refuse "--hold: is empty; allowed: why, one line"
  end
  return fleet:hold(args.hold, fleet.requester)
end

function ACT.release(fleet)
  local was_held, err = fleet:release()
  return was_held ~= nil, err
end

function ACT.again(fleet, args)
  return fleet:again(args.again)
end

function ACT.status()
  return true
end

function ACT.report(fleet, args)
  local text, err = fleet:report(FORMS[args.report:match "%.(%w+)$"])
  if not text then return nil, err end
  local ok, why = reports.write(args.report, text)
  if ok then return true end
  return nil, errors.new { kind = "state", code = "Client.ReportFailed", outcome = "not_sent",
    message = "the report was not written: " .. tostring(why) }
end

-- The region is known from the fleet's items, so it need not be typed.
local function keep_region(fleet, args)
  args.region = args.region or fleet.items[1].region
end

local function control(name, args, io)
  check_report(args)
  local fleet, err = open(surroundings(args, io))
  if not fleet then return output.fail(io, args, at_the_shell(err, args)) end
  local _ <close> = setmetatable({}, { __close = function() fleet:close() end })
  keep_region(fleet, args)
  local ok
  ok, err = ACT[name](fleet, args)
  if not ok then return output.fail(io, args, at_the_shell(err, args)) end
  if args.report and not args.json then
    io.out(("  report: %s\n"):format(terminal.clean(args.report)))
  end
  return show_status(fleet, args, io)
end

local function whole(args, name)
  local number = math.tointeger(tonumber(args[name]))
  if args[name] and not number then
    options.refuse(("--%s: got %q; allowed: a whole number from 1"):format(name, args[name]))
  end
  return number
end

-- Shows the stages of the fleet: tier after tier, in each the canaries first.
local function show_stages(fleet, io)
  local blocks = {}
  for i, stage in ipairs(fleet.meta.stages) do
    blocks[i] = { title = ("stage %d%s"):format(i, stage.canary and " (canary)" or ""), names = {} }
  end
  if #blocks == 1 then blocks[1].title = "at once" end
  for _, item in ipairs(fleet.items) do
    table.insert(blocks[item.stage].names, divisions.name_of(item))
  end
  io.err(view_tiers.text(io, blocks))
end

-- Asks for consent to all runs; returns how it was given, nil if it was not.
local function consent(fleet, args, io)
  if args.yes then return "--yes" end
  consents.demand(args, io, "name of the fleet")
  show_stages(fleet, io)
  local typed = consents.read(io, fold.hang(io, ("  %s moves %d groups with the playbook %s, and "
    .. "there is a point from which they do not come back. Type %s to go on: "):format(
    terminal.clean(fleet.name), fleet.meta.count, terminal.clean(fleet.meta.playbook),
    fleet.name), 2))
  return typed == fleet.name and "typed" or nil
end

local function begin(args, io, given)
  local params = fleet_orders.params(args, io)
  local accounts, fault = fleet_orders.accounts(args, io)
  if not accounts then return nil, fault end
  given.client = accounts.open
  local playbook = fleet_orders.playbook(args.playbook or "failover", args, io)
  local wish, err = fleet_orders.wish(params, args, io, accounts, playbook)
  if not wish then return nil, err end
  for name, value in pairs(wish) do given[name] = value end
  local fleet
  fleet, err = open(given)
  return fleet, err and at_the_shell(err, args)
end

local function join(args, io, given)
  local accounts
  given.client = function(account) return accounts.open(account) end
  local fleet, err = open(given)
  if not fleet then return nil, at_the_shell(err, args) end
  keep_region(fleet, args)
  accounts, err = fleet_orders.accounts(args, io)
  if not accounts then
    fleet:close()
    return nil, err
  end
  fleet.playbook = fleet_orders.joined_playbook(args, io, fleet.meta)
  return fleet
end

local function exit_code(status)
  for _, item in ipairs(status.items) do
    if item.ending and item.ending.effect == "unknown" then return output.EXIT.unknown end
  end
  return status.done == status.count and output.EXIT.done or output.EXIT.failed
end

local function finish(fleet, args, io)
  local status, err = fleet:status()
  if not status then return output.fail(io, args, err, true) end
  local code = exit_code(status)
  if args.json then return output.json(io, code, view_fleet.object(status)) end
  view_fleet.status(io, status, args)
  return code
end

-- Puts the command that goes on into the hint. The hint of one run's error would not fit the fleet.
local function stopped(args, io, err)
  if err.code == "Client.Interrupted" then error(guard.INTERRUPTED, 0) end
  if err.code == "Client.FleetHeld" then
    return output.fail(io, args, at_the_shell(err, args), true)
  end
  local first = err.code == "Client.JournalFailed" and err.hint and err.hint .. "; then " or ""
  err.hint = first .. "take items again: " .. fleet_orders.join_command(args)
  return output.fail(io, args, err, true)
end

-- Prints the command that goes on when an error, e.g. an interrupt, ends the command.
local function tell_way_on(args, io)
  return setmetatable({}, { __close = function(_, raised)
    if raised == nil or args.json or options.is_refusal(raised) then return end
    io.err(("    go on:  %s\n"):format(fleet_orders.join_command(args)))
  end })
end

local function take(fleet, args, io)
  local how = consent(fleet, args, io)
  if not how then options.refuse "the name of the fleet was not typed; nothing was begun" end
  fleet.run_options = { confirm = function() return how, fleet.requester end,
    incident = options.text(args, "incident", formats.INCIDENT), way = network.way(args) }
  fleet.headway = headway_lines.every(io, args)
  fleet.progress = listeners.of_runs(io, fleet.playbook.name,
    not args.json and view_fleet.progress(io) or nil)
  local _ <close> = tell_way_on(args, io)
  local result, err = fleet:run()
  if not result then return stopped(args, io, err) end
  return finish(fleet, args, io)
end

function M.run(args, io)
  args.store = fleet_orders.store(args, io)
  local name = control_of(args)
  if name then return control(name, args, io) end
  options.keep_endpoint(args, io, cli_clients.runtime(io).getenv)
  local given = surroundings(args, io)
  given.workers = whole(args, "workers")
  fleet_orders.check_accounts(args)
  local fleet, err = (#args.param > 0 and begin or join)(args, io, given)
  if not fleet then return output.fail(io, args, err) end
  local _ <close> = setmetatable({}, { __close = function() fleet:close() end })
  return take(fleet, args, io)
end

return M
