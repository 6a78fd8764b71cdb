--- Shows violations and coverage of an exploration.

local core = require "alicloud.core"
local coverage = require "alicloud.simulation.coverage"
local fold = require "alicloud.cli.fold"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

local M = {}

--- Prints a violation, and the troubles that it needs.
---@param io alicloud.cli.Io
---@param what string
---@param troubles string[]
function M.print_harm(io, what, troubles)
  local mark = terminal.paint(io, "red", "✘")
  io.out(fold.hang(io, ("  %s %s"):format(mark, terminal.clean(what, 500)), 6) .. "\n")
  for _, trouble in ipairs(troubles) do
    io.out(fold.hang(io, "      " .. terminal.clean(trouble, 200), 8) .. "\n")
  end
end

-- One line per request or write, with all outcomes that never came.
local function by_name(never)
  local lines = {}
  for _, key in ipairs(never) do
    local name, part = key:match "^(.*)/([^/]*)$"
    local last = lines[#lines]
    if last and last:sub(1, #name + 2) == name .. ": " then
      lines[#lines] = last .. ", " .. part
    else
      lines[#lines + 1] = name .. ": " .. part
    end
  end
  return lines
end

--- Prints what the runs of an exploration have met, and what none of them has.
---@param io alicloud.cli.Io
---@param met table<string, integer>
function M.print_coverage(io, met)
  local never = coverage.never(met)
  io.out(("    met %d kinds of requests, writes, phases and codes; never:%s\n"):format(
    #tables.keys(met), #never > 0 and "" or " none"))
  for _, line in ipairs(by_name(never)) do io.out(fold.hang(io, "      " .. line, 8) .. "\n") end
end

--- The coverage for `--json`.
---@param met table<string, integer>
---@return { met: table<string, integer>, never: string[] }
function M.coverage(met)
  return { met = met, never = core.array(coverage.never(met)) }
end

return M
