--- Shows groups in the order in which they move, one line per tier or stage, within one screen.

local plural = require "alicloud.base.plural"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"
local widths = require "alicloud.cli.width"

local M = {}

---@class alicloud.cli.TierBlock
---@field title string
---@field names string[] groups

-- Most lines: a screen of 24 lines also has to show what stands before and behind them.
local MOST = 11

--- The lines for the blocks.
---@param io alicloud.cli.Io
---@param blocks alicloud.cli.TierBlock[] in their order
---@return string
---@return integer count number of lines
function M.text(io, blocks)
  local lines, left = {}, 0
  for i, block in ipairs(blocks) do
    local text = ("  %s, %s: %s"):format(block.title, plural.of(#block.names, "group"),
      terminal.clean(tables.few(block.names), 1000))
    if i <= MOST then lines[i] = (io.tty and widths.cut(text, io.columns) or text) .. "\n" end
    if i > MOST then left = left + #block.names end
  end
  if left > 0 then
    lines[#lines + 1] = ("  then %d more with %s\n"):format(#blocks - MOST,
      plural.of(left, "group"))
  end
  return table.concat(lines), #lines
end

return M
