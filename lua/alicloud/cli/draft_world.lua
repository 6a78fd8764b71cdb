--- `alicloud-dr explore --draft-world`: writes a first draft of the world that a playbook needs,
--- for `explore --world` and `emulator --world`.

local confine = require "alicloud.cli.confine.playbook"
local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local fold = require "alicloud.cli.fold"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local rehearsal = require "alicloud.cli.rehearsal"
local schema = require "alicloud.base.schema"
local shapes = require "alicloud.cli.confine.shapes"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

local M = {}

local FOUND = { world = schema.typed "table", ["problem?"] = shapes.text(12000) }

local function fault(value)
  local problem = shapes.fault("a world", value, FOUND)
  problem = problem or emulator.world_problem(value.world)
  return problem
end

-- One record per line, since the file is to be edited.
local function text_of(world)
  local parts = {}
  for _, name in ipairs(tables.keys(world)) do
    local lines = {}
    for i, record in ipairs(world[name]) do lines[i] = "    " .. core.encode(record) end
    parts[#parts + 1] = ("  %q: [\n%s\n  ]"):format(name, table.concat(lines, ",\n"))
  end
  return ("{\n%s\n}\n"):format(table.concat(parts, ",\n"))
end

-- Writes a new file only: an older draft may have been edited.
local function write(path, text)
  local ok, message = core.write_file(path, text, "new")
  if not ok then options.refuse("--draft-world: " .. message) end
end

local function counted(list, word)
  return ("%d %s%s"):format(#list, word, #list == 1 and "" or "s")
end

local function object_of(path, world, problem)
  local found = { draft_world = path, problem = problem }
  for _, name in ipairs { "groups", "disks", "instances" } do found[name] = #world[name] end
  return found
end

-- Options that say how to explore or with which world, which a draft does not do.
local OTHERS = { "world", "exhaustive", "progress", "seed", "seeds", "only" }

--- Refuses options that do not go with --draft-world.
---@param args table
function M.check(args)
  for _, name in ipairs(OTHERS) do
    if args[name] then options.refuse(("--%s: not with --draft-world"):format(name)) end
  end
  if not args.draft_world:lower():find "%.json$" then
    options.refuse(("--draft-world: got %s; allowed: a name that ends in .json"):format(
      shell.quote(args.draft_world)))
  end
end

--- Drafts the world in a process without rights and writes the file.
---@param args table
---@param io alicloud.cli.Io
---@param job table of the process
---@param begin table handler of its frame `playbook`
---@return integer exit_code
function M.run(args, io, job, begin)
  local confined = confine.run(io, { entry = "alicloud.cli.confined.draft", job = job,
    handlers = { playbook = begin } }, fault)
  if not confined.value then return confine.fail(io, args, confined) end
  local path, world, problem = args.draft_world, confined.value.world, confined.value.problem
  write(path, text_of(world))
  if args.json then return output.json(io, output.EXIT.done, object_of(path, world, problem)) end
  io.out(("%s: %s, %s, %s\n"):format(terminal.clean(path, 300), counted(world.groups, "group"),
    counted(world.disks, "disk"), counted(world.instances, "instance")))
  if problem then io.out(fold.hang(io, "  " .. terminal.clean(problem, 1000), 4) .. "\n") end
  local typed = rehearsal.words(args)
  typed[#typed + 1] = shell.option("--world", path)
  io.out(("  %s\n  %s\n"):format(
    shell.command("explore", { args.file, table.unpack(args.param) }, typed),
    shell.command("emulator", {}, { shell.option("--world", path) })))
  return output.EXIT.done
end

return M
