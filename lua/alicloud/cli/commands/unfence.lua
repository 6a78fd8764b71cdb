--- `alicloud-dr unfence`: brings up again what a run has stopped at the old side, and records it.

local attachment = require "alicloud.dr.read.attachment"
local change = require "alicloud.cli.change"
local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local effects = require "alicloud.dr.playbook.effect"
local errors = require "alicloud.base.error"
local journals = require "alicloud.dr.journal"
local lazy = require "alicloud.base.lazy"
local network = require "alicloud.cli.options.network"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local productions = require "alicloud.dr.playbook.production"
local run_journal = require "alicloud.cli.run_journal"
local run_store = require "alicloud.cli.run_store"
local shell = require "alicloud.base.shell"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.playbook.state"
local stores = require "alicloud.dr.store"
local takeovers = require "alicloud.dr.playbook.takeover"
local view_compute = require "alicloud.cli.view_compute"
local view_run = require "alicloud.cli.view_run"

---@module "alicloud.dr.model.part_set"
local part_set = lazy.module "alicloud.dr.model.part_set"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
What happens: the journal tells what stood at the old side before the run has fenced it. The group
is looked at: once it is opened at its other site, or on the way there, nothing is brought back; it
is said where its service comes up, and if it is seen to run there, that is written down. Else you
type the group id; the disks are attached where they were, and the instances that ran are started,
each only if it is not so already. What is seen at the end counts, and is written into the journal.
Replication and services are not touched: alicloud-dr start, and what stopped the services.

The run can be gone on with afterwards; it fences again. A run that stopped since somebody else had
moved its group is at its end once the service was seen to run there. Of a group that a finished run
has opened and not served, only that is looked for, too.

Examples:
  alicloud-dr unfence planned-5f1d2c3b4a-1.jsonl
  alicloud-dr unfence fleet-5f1d2c3b4a-1.jsonl pg-orders --yes

Exit codes: 0 it runs again (or did already, there or elsewhere), 1 refused or failed, 2 usage,
3 outcome unknown, 130 interrupted.]]

function M.configure(command)
  command:argument("journal", "The journal of the run: a path, or an address.")
  command:argument("group", "Which group, if the run has stopped several."):args "?"
  options.add_common(command, "Region of the secondary site; else as the run has seen it",
    true)
  command:option("--as", "Who does it; else $USER."):target "requester":argname "<name>"
  options.add_change(command, { yes = "Do not ask for the typed group id.",
    timeout = "How long to wait for each attach and each start (10m)." })
  command:epilog(EPILOG)
end

local CARRIED_ON = { "requester", "timeout", "poll", "events", "on_event" }

---@class alicloud.cli.LeftDown
---@field group_id string
---@field production alicloud.dr.Production? what the run has stopped of it
---@field way alicloud.dr.WayUp? where it was moved without a service; nothing can be brought back

-- The groups that a run has left down, or open and not served.
local function left_down(state)
  local list, moved, down = {}, {}, productions.down(state)
  for _, way in ipairs(productions.moved(state)) do
    moved[way.group_id], list[#list + 1] = true, { group_id = way.group_id, way = way }
  end
  for _, each in ipairs(down and down.groups or {}) do
    if not moved[each.group_id] then
      list[#list + 1] = { group_id = each.group_id, production = each }
    end
  end
  return list
end

-- The state of the run, and the group that it has left down, from its journal.
local function left_in(args, context)
  local text, err = stores.read_trusted(args.journal, context)
  if not text then return nil, err end
  local state
  state, err = run_journal.state(args.journal, text)
  if not state then return nil, err end
  local groups, names = left_down(state), {}
  for i, each in ipairs(groups) do names[i] = each.group_id end
  if #groups == 0 then
    options.refuse(("journal: nothing that this run has stopped is down: %s"):format(
      shell.command("explain", { args.journal })))
  end
  for _, each in ipairs(groups) do
    if each.group_id == args.group or not args.group and #groups == 1 then return state, each end
  end
  options.refuse(("group: got %s; allowed: %s"):format(args.group or "nothing",
    table.concat(names, ", ")))
end

-- The side from which the group is read: the one where production did not run, whichever direction
-- the replication has now.
local function side_of(state, left)
  local production = left.production
  if not production then return { region = left.way.region, to = left.way.zone } end
  local look = state.looks[production.group_id] or {}
  local in_zones = look.from ~= nil and look.from == look.to
  local name = "to"
  if in_zones and look.to_zone == production.zone
    or not in_zones and look.to == production.region then name = "from" end
  return { region = look[name] or state.region, to = in_zones and look[name .. "_zone"] or nil }
end

-- How production can be brought up elsewhere, by the look just made; nil: it can come back.
local function way_on(state, production, seen)
  if not seen or not seen.from then return nil end
  local way = productions.way_up(production, { status = seen.status, from = seen.from.region,
    to = seen.to.region, from_zone = seen.from.zone, to_zone = seen.to.zone },
    state.params.attach)
  return way.way ~= "back" and way or nil
end

-- Whether every disk of that side is attached to a running instance: the service runs there. The
-- second value says why that is not known.
local function is_served(client, snapshot, end_)
  local side = attachment.of_side_at_once(client, snapshot, end_)
  if not side.known then return false, side.why end
  for _, disk in ipairs(side.disks) do
    local runs = false
    for _, host in ipairs(disk.hosts) do runs = runs or host.status == "Running" end
    if not (runs and disk.status == "In_use") then return false end
  end
  return #side.disks > 0
end

local function write_all(journal, runtime, events)
  for _, event in ipairs(events) do
    event.at = runtime.time()
    local ok, err = journal:write(event, true)
    if not ok then return nil, err end
  end
  return true
end

-- Why the pairs of a look may not be all; nil: they are, or the run has overruled that.
local function fault_of_set(state, snapshot)
  if snapshot.role == "absent" or part_set.overruled(snapshot, state.force) then return nil end
  return snapshots.pair_set_fault(snapshot)
end

-- What to type where production comes up elsewhere. What the run itself has opened, it goes on
-- with: beside it no other run of the group is begun.
local function words_on(args, state, way)
  local reach = network.reach(args)
  if way.way == "open" and not state.is_over and effects.no_return(state) then
    return "the run has opened it and goes on there: "
      .. shell.command("resume", { args.journal }, reach)
  end
  return view_run.way_up(way, args.journal, reach)
end

-- Writes down that a group runs where it was moved to. A run that stopped because of that move is
-- at its end then: a resume would be refused.
local function write_elsewhere(journal, client, state, person, way)
  local place, id = way.zone or way.region, way.group_id
  local events = {
    { type = "note", text = ("%s has seen %s run in %s: alicloud-dr unfence"):format(person, id,
      place) },
    { type = "production", group_id = id, region = way.region, state = "serving" },
  }
  if productions.moved_group(state) == id then
    events[3] = { type = "finished", status = "completed_with_exceptions", exceptions = {
      ("%s was moved to %s by somebody else, and runs there"):format(id, place) } }
  end
  local ok, fault = write_all(journal, client.runtime, events)
  return ok and { outcome = "served_elsewhere", group_id = id, region = way.region, attached = {},
    started = {}, elapsed = 0 }, fault
end

-- Production that cannot come back may run elsewhere already. Then that is recorded, and the run
-- has left nothing down.
local function settle_elsewhere(journal, args, client, state, production, person, err)
  local way = way_on(state, production, err.snapshot)
  if not way then return nil, err end
  local is_whole = not fault_of_set(state, err.snapshot)
  if not (is_whole and is_served(client, err.snapshot, way.way == "turned" and "from" or "to")) then
    err.hint = words_on(args, state, way)
    return nil, err
  end
  return write_elsewhere(journal, client, state, person, way)
end

local function refusal(group, code, message, hint)
  return nil, errors.new { kind = "state", code = code, outcome = "not_sent", group_id = group.id,
    region = group.region, to = group.to, message = message, hint = hint }
end

-- The end of a group where its service may run by a look from there; nil: neither.
local function end_of(state, seen)
  if seen.outcome == "already_there" then return seen.open and "to" or "from" end
  local is_part = part_set.overruled(seen.snapshot, state.force)
  return is_part and snapshots.is_failovered(part_set.as_listed(seen.snapshot)) and "to" or nil
end

-- Records that a group runs where it was moved to, if it is seen to. It is not looked for where it
-- was before: instances may run there whose services were stopped.
local function settle_moved(journal, args, group, state, way, person)
  local place, reach = way.zone or way.region, network.reach(args)
  local seen, err = group:standing()
  if not seen then return nil, err end
  local fault, end_ = fault_of_set(state, seen.snapshot), end_of(state, seen)
  if fault then
    return refusal(group, part_set.CODE, fault, "look again in a few seconds: lists of group and "
      .. "pairs may lag behind each other")
  elseif not end_ then
    local resume = shell.command("resume", { args.journal }, reach)
    local now = seen.status and seen.status .. ", " .. snapshots.direction(seen) or "not listed"
    return refusal(group, "Client.WorldChanged", ("the service of %s does not come up in %s now: "
      .. "the group is %s"):format(group.id, place, now),
      not state.is_over and "go on with the run: " .. resume or nil)
  end
  local served, why = is_served(group.client, seen.snapshot, end_)
  if not served then
    return refusal(group, "Client.NotServed", why or ("not every disk of %s is on a running "
      .. "instance in %s"):format(group.id, place), view_run.way_up(way, args.journal, reach))
  end
  return write_elsewhere(journal, group.client, state, person, way)
end

local function write_down(journal, production, person, runtime)
  local events, step = {
    { type = "note", text = ("%s has brought %s back: alicloud-dr unfence"):format(person,
      production.group_id) },
    { type = "production", group_id = production.group_id, region = production.region,
      state = "back", step = production.step },
  }, production.step
  if step then
    events[3] = { type = "undo_begin", step = step }
    events[4] = { type = "undo_end", step = step, ok = true }
  end
  return write_all(journal, runtime, events)
end

-- The group for changes by hand. With a shared store the calls are witnessed: the process that had
-- the run before may only be suspended and send later.
local function by_hand(journal, group, given, person, client)
  if not journal.store.shared then return group end
  local witness, err = takeovers.by_hand(journal, states.fold(journal.events), client, {
    what = ("%s brings %s back"):format(person, group.id),
    waits = function(left, call)
      given.progress { event = "held_back", left = left, action = call.action }
    end })
  if not witness then return nil, err end
  return dr.group(client:with { witness = witness }, group.id,
    { region = group.region, to = group.to })
end

-- Brings production up while holding the run's lease, and records the step as undone.
local function carry_out(args, group, state, left, given, person, client)
  local production = left.production
  local store, err = stores.open(args.journal, client)
  if not store then return nil, err end
  local _ <close> = setmetatable({}, { __close = function() store:close() end })
  local process, runtime = core.process(), client.runtime
  local lease, journal, result, ok
  lease, err = store:lease("run", { owner = person, host = process.host, pid = process.pid,
    since = core.iso8601(math.floor(runtime.time())) })
  if not lease then return nil, err end
  journal, err = journals.open(store, client.loop)
  if not journal then return nil, err end
  if left.way then return settle_moved(journal, args, group, state, left.way, person) end
  group, err = by_hand(journal, group, given, person, client)
  if not group then return nil, err end
  result, err = group:unfence(given)
  if not result then
    return settle_elsewhere(journal, args, client, state, production, person, err)
  end
  ok, err = write_down(journal, production, person, runtime)
  return ok and result, err
end

function M.run(args, io)
  local given = options.read_change(args)
  local person = args.requester or cli_clients.runtime(io).getenv "USER" or "somebody"
  args.journal = run_store.journal(args.journal)
  local state, left = left_in(args, run_store.context(io))
  if not state then return output.fail(io, args, left, true) end
  consents.demand(args, io)
  local side = side_of(state, left)
  args.region = args.region or side.region
  local client <close>, region = cli_clients.open(args, io)
  local group = dr.group(client, left.group_id, { region = region, to = side.to })
  local command = change.of_group(group, "unfence", given, args, CARRIED_ON)
  command.go_on = function()
    return change.command("unfence", { args.journal, group.id }, region, args, CARRIED_ON)
  end
  command.perform = function(hooks)
    given.progress, given.confirm, given.fenced = hooks.progress, hooks.confirm, left.production
    return carry_out(args, group, state, left, given, person, client)
  end
  command.question = view_compute.unfence_question
  command.show = function(result) return view_compute.unfenced(io, result) end
  command.object, command.of_machines = output.compute_object, true
  return change.run(io, args, command)
end

return M
