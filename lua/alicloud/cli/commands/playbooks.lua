--- `alicloud-dr playbooks`: lists the ready playbooks and their parameters, and copies one to edit.
--- A file of a playbook is read in a process without rights.

local cli_clients = require "alicloud.cli.client"
local confine = require "alicloud.cli.confine.playbook"
local core = require "alicloud.core"
local fold = require "alicloud.cli.fold"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local params = require "alicloud.dr.playbook.params"
local ready = require "alicloud.playbooks"
local shapes = require "alicloud.cli.confine.shapes"
local shell = require "alicloud.base.shell"
local terminal = require "alicloud.cli.terminal"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
`plan` shows what a playbook would do, and `run` runs it: a ready one by its name, a file by its
path. A file tells of itself in a process without rights, as with `plan`.

Examples:
  alicloud-dr playbooks failover
  alicloud-dr playbooks ./orders.lua
  alicloud-dr playbooks --copy drill
  alicloud-dr plan failover group=pg-orders region=cn-shanghai
  alicloud-dr run failover group=pg-orders region=cn-shanghai

Exit codes: 0 done, 1 the file's process has ended, 2 usage, or the copy could not be written.]]

function M.configure(command)
  command:argument("playbook", "Only this one: a ready one by its name, or a Lua file."):args "?"
    :target "name"
  command:option("--copy", "Write NAME.lua into this directory, to edit and to run by its path.")
    :argname "<playbook>"
  options.add_json(command)
  command:epilog(EPILOG)
end

local function load(name, read_file)
  local playbook, message = ready.load(name, read_file)
  if not playbook then options.refuse("playbook: " .. message) end
  local takes = {}
  for i, param in ipairs(playbook.params) do
    takes[i] = { name = param.name, type = param.type, help = param.help,
      required = param.required == true, default = param.default, allowed = params.allowed(param) }
  end
  return { name = playbook.name, summary = playbook.summary, kind = playbook.kind,
    params = core.array(takes) }
end

local function print_playbook(io, playbook)
  local clean = terminal.clean
  local summary = playbook.summary and "   " .. clean(playbook.summary) or ""
  io.out(("  %s%s\n"):format(clean(playbook.name), summary))
  for _, param in ipairs(playbook.params) do
    local note = param.required and " (needed)"
      or param.default ~= nil and (" (%s)"):format(clean(param.default)) or ""
    local line = ("    %-11s %s%s"):format(clean(param.name), clean(param.help or ""), note)
    io.out(fold.hang(io, line, 16) .. "\n")
  end
  if playbook.digest then io.out(("  sha256 %s\n"):format(playbook.digest)) end
end

local WORD, TEXT = shapes.text(600), shapes.text(4000)
local PARAM = shapes.object { name = WORD, type = WORD, ["help?"] = TEXT, required = shapes.flag,
  ["default?"] = TEXT, allowed = TEXT }
local ABOUT = { name = WORD, ["summary?"] = TEXT, ["kind?"] = WORD, ["graceful_only?"] = TEXT,
  params = shapes.list(PARAM, 1000) }

local function fault(value)
  return shapes.fault("a description", value, ABOUT)
end

local function describe(args, io)
  local source = confine.read(args.name, io)
  local confined = confine.run(io, { entry = "alicloud.cli.confined.describe",
    job = { playbook = source } }, fault)
  local about = confined.value
  if not about then return nil, confine.fail(io, args, confined) end
  about.digest, about.confined = source.digest, confined.confined
  return about
end

local function copy(name, args, io, read_file)
  local text, message = ready.text(name, read_file)
  if not text then options.refuse("--copy: " .. message) end
  local path = name .. ".lua"
  local ok
  -- Writes a new file only: an older copy may have been edited.
  ok, message = core.write_file(path, text, "new")
  if not ok then options.refuse("--copy: " .. message) end
  if args.json then return output.json(io, output.EXIT.done, { path = path }) end
  io.out(("  %s   run it by its path: %s …\n"):format(path,
    shell.command("run", { "./" .. path })))
  return output.EXIT.done
end

function M.run(args, io)
  local read_file, list = cli_clients.runtime(io).read_file, {}
  if args.copy then return copy(args.copy, args, io, read_file) end
  local is_file = args.name and not ready.is_name(args.name)
  if is_file then
    local about, code = describe(args, io)
    if not about then return code end
    list[1] = about
  end
  for _, name in ipairs(args.name and { args.name } or ready.NAMES) do
    if not is_file then list[#list + 1] = load(name, read_file) end
  end
  if args.json then
    return output.json(io, output.EXIT.done, { playbooks = core.array(list) })
  end
  for _, playbook in ipairs(list) do print_playbook(io, playbook) end
  return output.EXIT.done
end

return M
