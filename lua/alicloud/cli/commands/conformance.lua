--- `alicloud-dr conformance`: compares what the emulator assumes with a service.

local alicloud = require "alicloud"
local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local endpoint = require "alicloud.net.endpoint"
local formats = require "alicloud.base.formats"
local guard = require "alicloud.base.guard"
local help = require "alicloud.cli.help"
local json = require "alicloud.cli.json"
local lazy = require "alicloud.base.lazy"
local network = require "alicloud.cli.options.network"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.conformance"
local conformance = lazy.module "alicloud.conformance"
---@module "alicloud.conformance.report"
local reports = lazy.module "alicloud.conformance.report"
---@module "alicloud.cli.conformance_journal"
local journals = lazy.module "alicloud.cli.conformance_journal"
---@module "alicloud.core"
local core = lazy.module "alicloud.core"
---@module "alicloud.cli.fold"
local fold = lazy.module "alicloud.cli.fold"
---@module "alicloud.cli.orders"
local orders = lazy.module "alicloud.cli.orders"
---@module "alicloud.cli.view_conformance"
local view = lazy.module "alicloud.cli.view_conformance"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
What no document decides, the emulator assumes (`alicloud-dr emulator --list-assumptions`). This
command asks a service. Without options it only reads, about 60 calls, and can change nothing:
its client refuses every operation that is not on its list. --burst, --drill and --throwaway do
more; each says first what it calls, what that costs and which permissions it needs, and asks.

What was seen is written to a file for `emulator --assume-from` and `explore --assume-from`, with
texts of errors and measured times. Ids and names in it are pseudonyms. The journal beside it
(.jsonl) has real ids: it is for --continue, and for you alone.

Examples:
  alicloud-dr conformance --region cn-shanghai
  alicloud-dr conformance --region cn-shanghai --drill pg-orders
  alicloud-dr conformance --continue conformance-20261130T061500Z.jsonl
  alicloud-dr emulator --assume-from conformance-20261130T061500Z.json

Exit codes: 0 all that could be told is as assumed, 1 something is otherwise, 2 usage, 3 nothing
could be told, or the run stopped before its end, 130 interrupted. With --cleanup: 0 nothing of the
run is left, 3 something is.]]

function M.configure(command)
  command:option "--region":argname "<region>"
    :description("Region to ask, best the secondary site's; else $ALIBABA_CLOUD_REGION_ID.")
  command:option("--group", "Group to look at; else the first with pairs."):argname "<group>"
  command:option("--reversed", "A group that runs in reverse, if there is one.")
    :argname "<group>"
  command:flag("--burst", "Also find out how throttling works: 120 reads of one operation at once.")
  command:option("--drill", "Also start a drill of this group, and clear it."):argname "<group>"
  command:flag("--throwaway", "Also live a whole life of groups and pairs of blank disks.")
  command:option("--disks", "For --throwaway: three pairs of blank disks; the second ones are "
    .. "overwritten."):argname "<source=target,…>"
  command:option("--instance-source", "For --throwaway: where source disks may be attached.")
    :argname "<instance>"
  command:option("--instance-target", "For --throwaway: where target disks may be attached.")
    :argname "<instance>"
  command:option("--output", "The file to write; must be new."):argname "<file>"
  command:option("--continue", "Go on with a run, by its journal."):argname "<journal>"
    :target "journal"
  command:option("--cleanup", "Undo what a run with --throwaway has left, by its journal.")
    :argname "<journal>"
  command:flag("-y --yes", "Do not ask before what does more than read.")
  options.add_json(command)
  help.connection(command, function()
    options.add_profile(command)
    command:option("--endpoint", "[http://|https://]host[:port] to ask, or region=host for each "
      .. "region, with commas."):argname "<host>"
    network.add(command)
    options.add_recording(command)
  end)
  command:epilog(EPILOG)
end

local function read_endpoint(args)
  local text = args.endpoint
  if not text or not text:find "=" then return options.endpoint(args) end
  local list = {}
  for part in (text .. ","):gmatch "([^,]*)," do
    local region, host = part:match "^([^=]+)=(.+)$"
    if not region or not formats.REGION.test(region) or not endpoint.parse(host, false) then
      options.refuse(("--endpoint: got %q; allowed: a host, or region=host with commas between")
        :format(part))
    end
    list[region] = host
  end
  return list
end

local DISKS = "three pairs source=target with commas between, e.g. d-a=d-b,d-c=d-d,d-e=d-f"

local function read_disks(args)
  if not args.disks then return nil end
  local list, seen = {}, {}
  for part in (args.disks .. ","):gmatch "([^,]*)," do
    local source, target = part:match "^([^=]+)=([^=]+)$"
    for _, id in ipairs { source, target } do
      if seen[id] then
        options.refuse(("--disks: %s stands twice; allowed: %s"):format(id, DISKS))
      end
      seen[id] = true
    end
    if not source or not formats.ID.test(source) or not formats.ID.test(target) then
      options.refuse(("--disks: got %q; allowed: %s"):format(part, DISKS))
    end
    list[#list + 1] = { source = source, destination = target }
  end
  if #list ~= 3 then
    options.refuse(("--disks: got %d pairs; allowed: %s"):format(#list, DISKS))
  end
  return list
end

local function read_lab(args)
  local lab = { disks = read_disks(args) }
  for _, name in ipairs { "group", "reversed", "drill", "instance_source", "instance_target" } do
    local value = args[name]
    if value ~= nil and not formats.ID.test(value) then
      options.refuse(("--%s: got %q; allowed: %s"):format(name:gsub("_", "-"), value,
        formats.ID.allowed))
    end
    lab[name] = value
  end
  if args.throwaway and not lab.disks then
    options.refuse("--disks: is missing, --throwaway needs it; allowed: " .. DISKS)
  end
  for _, name in ipairs { "disks", "instance_source", "instance_target" } do
    if args[name] and not args.throwaway and not args.journal then
      options.refuse(("--%s: is for --throwaway, which is missing"):format(name:gsub("_", "-")))
    end
  end
  return lab
end

local function read_tiers(args)
  local tiers = { "read" }
  for _, name in ipairs { "burst", "drill", "throwaway" } do
    if args[name] then tiers[#tiers + 1] = name end
  end
  return tiers
end

-- Options of a new run only: for a continued run the journal has them.
local FIRST_ONLY = { "region", "burst", "drill", "throwaway", "disks", "instance_source",
  "instance_target" }

local function refuse_first_only(args, field)
  for _, name in ipairs(FIRST_ONLY) do
    if args[name] then
      options.refuse(("--%s: does not go with %s; allowed: what the journal says, or a new run")
        :format(name:gsub("_", "-"), field))
    end
  end
end

-- What to run: as typed, or as a journal says, with the groups that were typed in addition.
local function read_job(args, io)
  local runtime = cli_clients.runtime(io)
  local path = args.journal or args.cleanup
  if args.journal and args.cleanup then
    options.refuse "--cleanup: does not go with --continue"
  end
  if path then refuse_first_only(args, args.journal and "--continue" or "--cleanup") end
  if not path then
    return { tiers = read_tiers(args), lab = read_lab(args), started = runtime.time(),
      region = options.region(args, runtime.getenv), runtime = runtime }
  end
  local field = args.journal and "--continue" or "--cleanup"
  local text = orders.text(field, path, args, io)
  local past, problem = journals.read(text)
  if not past then options.refuse(("%s: %s: %s"):format(field, path, problem)) end
  local lab = past.start.lab
  for name, value in pairs(read_lab(args)) do lab[name] = value end
  return { tiers = args.cleanup and { "cleanup" } or past.start.tiers, lab = lab, past = past,
    started = past.start.started, region = past.start.region, text = text, journal = path,
    runtime = runtime }
end

local function tool()
  return "alicloud-dr " .. core.version.core
end

-- Names the output and its journal, which differ in the suffix only.
local function name_files(args, job)
  local stamp = core.iso8601(job.started // 1):gsub("[-:]", "")
  job.output = args.output or job.journal and job.journal:gsub("%.jsonl$", "") .. ".json"
    or ("conformance-%s.json"):format(stamp)
  job.journal = job.journal or job.output:gsub("%.json$", "") .. ".jsonl"
  if core.look(job.output) then
    if job.past and not args.output then
      local now = core.iso8601(job.runtime.time() // 1):gsub("[-:]", "")
      job.output = ("%s-%s.json"):format(job.output:gsub("%.json$", ""), now)
    end
    if core.look(job.output) then
      options.refuse(("--output: %s is there already; allowed: a new file"):format(job.output))
    end
  end
end

-- What has to be typed to agree to a tier.
local TYPED = {
  burst = function() return "burst", "word burst" end,
  cleanup = function() return "cleanup", "word cleanup" end,
  drill = function(lab) return lab.drill, "group id" end,
  throwaway = function(lab)
    local ids = {}
    for i, pair in ipairs(lab.disks) do ids[i] = pair.destination end
    return table.concat(ids, " "), "ids of the three disks that are overwritten"
  end,
}

local DETAIL = {
  drill = function(lab) return "group " .. lab.drill end,
  throwaway = function(lab)
    local words = {}
    for i, pair in ipairs(lab.disks) do
      words[i] = ("%s is overwritten with %s"):format(pair.destination, pair.source)
    end
    return table.concat(words, ", ")
  end,
}

local function agree(args, io, name, lab)
  local wanted, words = TYPED[name](lab)
  if args.yes then return true end
  return consents.read(io, ("  Type the %s to go on: "):format(words)) == wanted
end

-- Says what each tier will do, and asks, before anything is sent.
local function consent(args, io, job)
  for _, name in ipairs(job.tiers) do
    if TYPED[name] then consents.demand(args, io, select(2, TYPED[name](job.lab))) end
  end
  for _, name in ipairs(job.tiers) do
    local detail = DETAIL[name] and DETAIL[name](job.lab)
    io.err(view.intent(io, name, conformance.tier(name), detail))
    if TYPED[name] and not agree(args, io, name, job.lab) then return false end
  end
  return true
end

local function open_journal(job)
  local journal, problem
  if job.past then
    journal, problem = journals.reopen(job.journal, job.text)
  else
    journal, problem = journals.create(job.journal, { tool = tool(), started = job.started,
      region = job.region, tiers = core.array(job.tiers), lab = job.lab })
  end
  if not journal then options.refuse("--output: " .. problem) end
  return journal
end

local function client_options(args, io, job)
  network.log_keys(args, io, options.refuse)
  local given = network.read(args, options.refuse)
  given.endpoint, given.profile = read_endpoint(args), args.profile
  given.transport, given.runtime = io.transport, job.runtime
  given.recorder = cli_clients.recorder(args, io, job.runtime)
  -- Makes a client once, so that wrong options are refused before a journal exists.
  local ok, client = guard.call(alicloud.client, given)
  if not ok then options.refuse_misuse(client) end
  client:close()
  return given
end

-- Options of the connection as they were typed. Other commands take one endpoint, not a list.
local function way(args, region)
  local asked = args
  if region and args.endpoint then
    local found = read_endpoint(args)
    asked = tables.merged(args, { endpoint = type(found) == "table" and found[region]
      or type(found) ~= "table" and args.endpoint or false })
  end
  local typed = options.typed(asked, { "endpoint", "profile" })
  return table.move(network.typed(args), 1, 50, #typed + 1, typed)
end

local function tell(io, line)
  io.err(fold.hang_command(io, line, 2) .. "\n")
end

local function go_on(args, job)
  local typed = { shell.option(args.cleanup and "--cleanup" or "--continue", job.journal) }
  local list = way(args)
  return shell.command("conformance", {}, table.move(list, 1, #list, #typed + 1, typed))
end

local function tell_left(args, io, job)
  for _, command in ipairs(job.left) do
    local words = { "alicloud-dr", command,
      table.unpack(way(args, not command:find "^conformance " and job.region or nil)) }
    tell(io, "alicloud-dr: left behind, clear it with: "
      .. terminal.clean(table.concat(words, " "), 1000))
  end
end

local function run(args, io, job, journal)
  local spinner = terminal.spinner(io)
  job.left = {}
  local ok, result = pcall(conformance.run, {
    client = job.client, region = job.region, tiers = job.tiers, lab = job.lab,
    journal = journal, resumed = job.past, left = job.left,
    progress = function(name) spinner.show("conformance", name) end,
  })
  spinner.clear()
  journal.close()
  tell_left(args, io, job)
  if ok then return result end
  tell(io, "alicloud-dr: go on with: " .. go_on(args, job))
  if guard.is_stop(result) then error(result, 0) end
  return nil, tostring(result)
end

local EXIT = { as_assumed = output.EXIT.done, otherwise = output.EXIT.failed,
  nothing = output.EXIT.unknown }

local function fail(args, io, message)
  return output.complain(io, args.json, output.EXIT.unknown, { kind = "state",
    code = "Client.NothingTold", message = "nothing could be told: " .. message })
end

-- A run that failed at its first call.
local function fail_with(args, io, job, err)
  local hint = err.hint and "; " .. err.hint or ""
  local code = fail(args, io, err.message .. hint)
  if not args.json and not err.is_final then
    tell(io, "alicloud-dr: then go on with: " .. go_on(args, job))
  end
  return code
end

-- Writes the output: a new file that only this user may read.
local function write(job, file)
  local made <close>, message = core.open_file(job.output, "create")
  local ok = made ~= nil
  if made then ok, message = made:append(json.encode(file) .. "\n") end
  if ok then ok, message = made:sync() end
  return ok, message and ("%s: %s"):format(job.output, message)
end

local function show(args, io, job, result)
  local file = reports.file(result, tool())
  local written, problem = write(job, file)
  if not written then return fail(args, io, problem) end
  local code = EXIT[not args.cleanup and reports.outcome(result) or "as_assumed"]
  if result.stopped then code = output.EXIT.unknown end
  if args.json then
    file.file, file.journal, file.calls = job.output, job.journal, result.calls
    return output.json(io, code, file)
  end
  io.out(view.result(io, result, job.output))
  if args.cleanup and not result.stopped then io.out "  nothing of the run is left\n" end
  if result.stopped then
    io.err(fold.lines(io, ("alicloud-dr: it stopped: %s; go on with: %s\n"):format(
      terminal.clean(result.stopped, 500), go_on(args, job))))
  end
  return code
end

function M.run(args, io)
  local job = read_job(args, io)
  name_files(args, job)
  job.client = client_options(args, io, job)
  if not consent(args, io, job) then
    return output.complain(io, args.json, output.EXIT.failed, { kind = "state",
      code = "Client.NotConfirmed", message = "not confirmed, nothing was sent",
      outcome = "not_sent" })
  end
  local result, problem = run(args, io, job, open_journal(job))
  if not result then return fail(args, io, problem) end
  if result.failure then return fail_with(args, io, job, result.failure) end
  return show(args, io, job, result)
end

return M
