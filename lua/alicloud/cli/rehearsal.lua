--- What the forms of `explore` share: the option --program, the words that repeat a run, and the
--- lines about programs.

local fold = require "alicloud.cli.fold"
local options = require "alicloud.cli.options"
local programs = require "alicloud.simulation.programs"
local shell = require "alicloud.base.shell"
local terminal = require "alicloud.cli.terminal"

local M = {}

local OPTIONS = { "region", "to", "kind", "world", "faults", "assume_from" }

--- The table of programs that was typed; nil if none was.
---@param args table
---@return alicloud.simulation.ProgramTable|nil
function M.read_programs(args)
  if not args.program then return nil end
  local all, text = programs.read(args.program)
  if all then return all end
  options.refuse(("--program: got %s; allowed: %s, each name once"):format(shell.quote(text),
    programs.ALLOWED))
end

--- The options that repeat a rehearsal as it was.
---@param args table
---@return string[] quoted for a shell
function M.words(args)
  local typed = {}
  for _, name in ipairs(OPTIONS) do
    if args[name] then
      typed[#typed + 1] = shell.option("--" .. name:gsub("_", "-"), args[name])
    end
  end
  for _, text in ipairs(args.program or {}) do
    typed[#typed + 1] = shell.option("--program", text)
  end
  if args.wire then typed[#typed + 1] = "--wire" end
  return typed
end

--- Prints the programs that --program does not name and so were not started, and the names that
--- --program gives in vain.
---@param io alicloud.cli.Io
---@param report { programs: string[]?, unused: string[]? }
function M.print_programs(io, report)
  if report.unused and #report.unused > 0 then
    io.out(fold.hang(io, ("    --program names what an undisturbed run does not start: %s"):format(
      terminal.clean(table.concat(report.unused, ", "), 500)), 6) .. "\n")
  end
  local names = report.programs
  if not names or #names == 0 then return end
  io.out(fold.hang(io, ("    no program is started, each ended well: %s; others: --program %s")
    :format(terminal.clean(table.concat(names, ", "), 500), shell.quote(names[1] .. "=1,0")), 6)
    .. "\n")
end

return M
