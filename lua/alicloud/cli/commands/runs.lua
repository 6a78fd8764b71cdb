--- `alicloud-dr runs`: lists the runs of a directory or a store: state, holder, and the command
--- that goes on.

local cli_clients = require "alicloud.cli.client"
local core = require "alicloud.core"
local fold = require "alicloud.cli.fold"
local gather = require "alicloud.dr.report.gather"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local relocate = require "alicloud.dr.store.relocate"
local run_journal = require "alicloud.cli.run_journal"
local run_store = require "alicloud.cli.run_store"
local shell = require "alicloud.base.shell"
local sources = require "alicloud.dr.report.source"
local stores = require "alicloud.dr.store"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"
local view_run = require "alicloud.cli.view_run"
local view_table = require "alicloud.cli.view_table"
local zones = require "alicloud.cli.zone"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
The newest run comes first. Shown are playbook, state, when it began and by whom, its groups, why it
ended, and for one that is not at its end the command that goes on; for the others the command that
tells what it did. Where a run has left production down, or has opened disks that no step of it has
served, `up` is what brings it up, and `then` what writes down that it runs there. `run` says where
journals are kept.

States: running (it is told who holds it, and since when), interrupted (its process is gone),
stopped, failed, rolled_back, unfinished (on another machine), completed,
completed_with_exceptions, damaged, handed_over (it is told where to: nothing of it goes on here).

Examples:
  alicloud-dr runs
  alicloud-dr runs --open --json
  alicloud-dr runs /var/lib/alicloud-dr
  alicloud-dr runs etcd+https://dr1,dr2,dr3/alicloud-dr

Exit codes: 0 done, 1 the directory or the store cannot be read, 2 usage.]]

function M.configure(command)
  command:argument("directory", "A directory of journals, or the address of a shared store; else "
    .. "where run keeps them."):args "?"
  command:flag("--open", "Only runs that are not at their end, and are here.")
  options.add_json(command)
  command:epilog(EPILOG)
end

local OVER = { completed = true, completed_with_exceptions = true }

-- States of runs that nobody has to go on with here.
local NOT_OPEN = tables.merged(OVER, { handed_over = true })

local function groups_of(events)
  local set = {}
  for _, event in ipairs(events) do
    local id = event.type == "look" and event.group_id
      or event.type == "intent" and event.intent.group_id
    if id then set[id] = true end
  end
  return tables.keys(set)
end

local function unreadable(path, message)
  return { journal = path, status = "damaged", message = message, began_at = 0,
    groups = core.array {}, bring_up = core.array {}, command = shell.command("verify", { path }) }
end

-- The process that is at work on the run, nil if none is known.
local function holder_of(presence)
  local process = presence and presence.verdict == "running" and presence.process
  return process and { owner = process.owner, host = process.host, pid = process.pid,
    since = process.since } or nil
end

local function facts_of(path, model, events)
  return {
    journal = path, playbook = model.playbook.name, kind = model.run.kind, status = model.status,
    began_at = model.began_at, ended_at = model.ended_at, requester = model.run.requester,
    incident = model.run.incident, replay = model.run.replay,
    groups = core.array(groups_of(events)), bring_up = core.array {},
  }
end

local function standing_of(path, model, source)
  local ending = model.error or {}
  local process = model.processes[#model.processes] or {}
  local reach = gather.way(source, process.way)
  return {
    code = ending.code, message = model.production_down or ending.message, resume = model.resume,
    again = model.again, once_up = view_run.once_up(model.ways_up, path, reach),
    bring_up = core.array(view_run.commands_up(model.ways_up, path, reach)),
    holder = holder_of(model.presence),
    command = model.fleet or model.resume
      or shell.command(OVER[model.status] and "report" or "explain", { path }),
  }
end

-- The line of a run that was handed over: its command explains it at its new place if that is
-- known, else the file that is left here.
local function handed_over(path, target)
  local err, known = relocate.moved_error(path), target ~= ""
  return { status = "handed_over", moved_to = known and target or nil, code = err.code,
    message = err.message,
    command = shell.command("explain", { known and target or relocate.moved_name(path) }) }
end

-- The line of a journal; nil for one that is not of a run.
local function line_of(path, context)
  local target = stores.is_path(path) and relocate.moved_to(path)
  local source, err = sources.open(target and relocate.moved_name(path) or path, nil, nil, context)
  -- The file has gone since the listing, or its run has not written anything yet.
  if not source and err.errno == "ENOENT" then return nil end
  if not source then return unreadable(path, err.message) end
  local ok, model = pcall(gather.model, source)
  if not ok then return unreadable(path, "cannot be read") end
  if not model then return nil end
  return tables.merged(facts_of(path, model, source.events),
    target and handed_over(path, target) or standing_of(path, model, source))
end

-- The lines of all runs, the newest first.
local function runs_of(names, only_open, context)
  local list = {}
  local lines = stores.each(names, context, function(name) return line_of(name, context) end)
  for i in ipairs(names) do
    local line = lines[i]
    if line and not (only_open and NOT_OPEN[line.status]) then list[#list + 1] = line end
  end
  table.sort(list, function(a, b)
    if a.began_at ~= b.began_at then return a.began_at > b.began_at end
    return a.journal < b.journal
  end)
  return list
end

local MARKS = { completed = "ok", completed_with_exceptions = "warn", running = "unknown",
  handed_over = "unknown", failed = "fail", damaged = "fail" }

local function show(io, line)
  local clean = terminal.clean
  local parts = {}
  local function add(text) parts[#parts + 1] = { text = clean(text) } end
  add(line.playbook or line.journal)
  add((line.status:gsub("_", " ")))
  if line.replay then add "a replay: nothing has happened" end
  if line.began_at > 0 then add(zones.moment(line.began_at)) end
  if line.requester then add("by " .. line.requester) end
  for _, id in ipairs(tables.first(line.groups)) do add(id) end
  local facts = view_table.wrap(parts, "      ", io.tty and io.columns or math.huge)
  local is_left = OVER[line.status] and line.message
  io.out(("  %s %s\n"):format(terminal.mark(io, not is_left and MARKS[line.status] or "warn"),
    facts:gsub("^ +", "")))
  if line.message then
    local why = (line.code and clean(line.code) .. ": " or "") .. clean(line.message, 300)
    io.out(fold.hang(io, "      " .. why, 6) .. "\n")
  end
  if line.holder then
    io.out(fold.hang(io, "      " .. clean(view_run.holder(line.holder), 300), 6) .. "\n")
  end
  for _, command in ipairs(is_left and { line.bring_up[1] } or line.bring_up) do
    io.out(("    up:     %s\n"):format(command))
  end
  if line.once_up then io.out(("    then:   %s\n"):format(line.once_up)) end
  io.out(("    %s%s\n"):format(line.resume and "go on:  " or "look:   ", line.command))
  if line.again then io.out(("    if it was never done:  %s\n"):format(line.again)) end
end

local function place_of(args, io)
  local typed = args.directory
  if not typed then return run_journal.place(cli_clients.runtime(io).getenv) end
  if typed == "" then options.refuse "directory: is empty; allowed: a directory, or an address" end
  return stores.is_path(typed) and typed or run_store.store(typed, "directory")
end

function M.run(args, io)
  local place, context = place_of(args, io), run_store.context(io)
  local names, err = stores.list(place, context)
  if not names then return output.fail(io, args, err) end
  if stores.is_path(place) then
    for _, path in ipairs(relocate.moved_from(place)) do names[#names + 1] = path end
  end
  local list = runs_of(names, args.open, context)
  if args.json then
    local key = stores.is_path(place) and "directory" or "store"
    return output.json(io, output.EXIT.done, { [key] = place, runs = core.array(list) })
  end
  if #list == 0 then
    io.out(("  no %srun in %s\n"):format(args.open and "unfinished " or "",
      terminal.clean(place, 1000)))
  end
  for _, line in ipairs(list) do show(io, line) end
  return output.EXIT.done
end

return M
