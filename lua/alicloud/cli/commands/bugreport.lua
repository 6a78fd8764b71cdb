--- `alicloud-dr bugreport`: writes what is needed to look into a fault into one file. Shows what is
--- in it and asks first; nothing is sent anywhere.

local cli_clients = require "alicloud.cli.client"
local consents = require "alicloud.cli.consent"
local core = require "alicloud.core"
local fold = require "alicloud.cli.fold"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local stores = require "alicloud.dr.store"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.bug_report"
local bug_report = lazy.module "alicloud.cli.bug_report"
---@module "alicloud.cli.run_store"
local run_store = lazy.module "alicloud.cli.run_store"
---@module "alicloud.conformance.recording.reading"
local reading = lazy.module "alicloud.conformance.recording.reading"

---@type alicloud.cli.Command
local M = {}

local OUTPUT = "alicloud-dr-bugreport.txt"

local EPILOG = [[
It holds versions, the platform, which variables and files there are for keys and hosts (no key, no
name of a machine), a recording, and the last records of a journal, redacted as recordings are. It
is written for you alone (mode 600), and is sent nowhere. Whoever gets it can play it:
`alicloud-dr status --replay FILE`.

Examples:
  alicloud-dr bugreport --recording night.jsonl
  alicloud-dr bugreport run.jsonl --recording night.jsonl --output report.txt

Exit codes: 0 written, 1 not agreed to or failed, 2 usage.]]

function M.configure(command)
  command:argument("journal", "The journal of the run that went wrong: a path."):args "?"
  command:option("--recording", "The recording of what went wrong, as --record has written it.")
    :argname "<recording>"
  command:option("-o --output", ("A new file; else %s."):format(OUTPUT))
    :default(OUTPUT):show_default(false)
    :argname "<file>"
  command:flag("--online", "Also ask the provider of the keys what it is; that may reach out.")
  options.add_profile(command)
  command:flag("-y --yes", "Do not ask.")
  options.add_json(command)
  command:epilog(EPILOG)
end

local function recorded(args, runtime, redactor)
  if not args.recording then return nil end
  local text, message = runtime.read_file(args.recording)
  if not text then options.refuse("--recording: " .. message) end
  local recording, err = reading.read(text, args.recording)
  if not recording then options.refuse("--recording: " .. err.message) end
  return bug_report.recording(recording, text, redactor)
end

local function journalled(args, redactor)
  if not args.journal then return nil end
  if not stores.is_path(run_store.journal(args.journal)) then
    options.refuse "journal: must be a path; a run in a shared store keeps a copy on this machine"
  end
  local text, err = stores.read(args.journal)
  if not text then
    options.refuse(("journal: %s%s"):format(err.message, err.hint and "; " .. err.hint or ""))
  end
  return bug_report.journal(text, redactor)
end

-- The section `configuration`. Why no client can be made may be the fault itself, so it is
-- included.
local function configuration(args, io, runtime, redactor)
  if not args.online then return bug_report.configuration(runtime, redactor) end
  local ok, made = pcall(cli_clients.anywhere, args, io)
  if not ok and not options.is_refusal(made) then error(made, 0) end
  if not ok then return bug_report.configuration(runtime, redactor, nil, tostring(made)) end
  local client <close> = made
  return bug_report.configuration(runtime, redactor, client)
end

local function sections_of(args, io, runtime)
  local redactor = bug_report.redactor(runtime)
  local sections = { bug_report.versions(), bug_report.platform(runtime),
    configuration(args, io, runtime, redactor) }
  sections[#sections + 1] = recorded(args, runtime, redactor)
  sections[#sections + 1] = journalled(args, redactor)
  return sections
end

-- Shows text sections in full, and of JSON lines the number.
local function show(io, sections)
  for _, about in ipairs(sections) do
    io.err(("  %s\n"):format(about.title))
    local is_json = (about.lines[1] or ""):sub(1, 1) == "{"
    for _, line in ipairs(is_json and {} or about.lines) do
      io.err(fold.hang(io, "    " .. terminal.clean(line, 1000), 6) .. "\n")
    end
    if is_json then
      local left_out = about.dropped > 0
        and ("; left out, as it cannot be proved that nothing private is in it: %d"):format(
          about.dropped) or ""
      io.err(fold.hang(io, ("    %d lines of JSON%s"):format(#about.lines, left_out), 6) .. "\n")
    end
  end
end

local function agrees(args, io, sections)
  consents.demand(args, io, "word yes")
  if not args.json then show(io, sections) end
  if args.yes then return true end
  return consents.read(io, ("  Type yes to write %s, which is sent nowhere: "):format(
    terminal.clean(args.output))) == "yes"
end

local function summary_of(sections)
  local list = core.array {}
  for i, about in ipairs(sections) do
    list[i] = { title = about.title, lines = #about.lines, dropped = about.dropped }
  end
  return list
end

local function fail(io, args, message)
  return output.complain(io, args.json, output.EXIT.failed, { kind = "state",
    code = "Client.ReportFailed", outcome = "not_sent", message = message })
end

function M.run(args, io)
  local runtime = cli_clients.runtime(io)
  local sections = sections_of(args, io, runtime)
  if not agrees(args, io, sections) then
    return fail(io, args, "nothing was written: it was not agreed to")
  end
  if core.look(args.output) then
    options.refuse(("--output: %s is there already; allowed: a name that is free"):format(
      args.output))
  end
  local ok, message = core.write_file(args.output, bug_report.text(sections, runtime.time()),
    "private")
  if not ok then return fail(io, args, message) end
  if args.json then
    return output.json(io, output.EXIT.done, { output = args.output,
      sections = summary_of(sections) })
  end
  io.out(("  %s is written; look into it before you hand it on\n"):format(
    terminal.clean(args.output)))
  return output.EXIT.done
end

return M
