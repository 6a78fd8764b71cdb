--- What an exploration has come by, as `explore` shows it.

local core = require "alicloud.core"
local coverage = require "alicloud.simulation.coverage"
local fold = require "alicloud.cli.fold"
local tables = require "alicloud.base.tables"

local M = {}

--- The line of what an exploration has come by, and what it never has.
---@param io alicloud.cli.Io
---@param met table<string, integer>
function M.print_coverage(io, met)
  local never = coverage.never(met)
  io.out(fold.hang(io, ("    met %d kinds of requests, writes, phases and codes; never: %s")
    :format(#tables.keys(met), #never > 0 and table.concat(never, ", ") or "none"), 6) .. "\n")
end

--- The same for `--json`.
---@param met table<string, integer>
---@return { met: table<string, integer>, never: string[] }
function M.coverage(met)
  return { met = met, never = core.array(coverage.never(met)) }
end

return M
