-- Neovim (LuaJIT): the groups of a region in a buffer. The command runs beside the editor, which
-- goes on; its --json is what the editor reads.
--
--   :lua require("dr").status("cn-shanghai")

local M = {}

local function show(groups)
  local lines = {}
  for _, group in ipairs(groups) do
    lines[#lines + 1] = ("%s  %s -> %s  %s"):format(group.group_id, group.from.region,
      group.to.region, group.status)
  end
  vim.cmd "new"
  vim.api.nvim_buf_set_lines(0, 0, -1, false, lines)
end

--- Opens the buffer when the answer is there.
---@param region string
---@return integer job for vim.fn.jobwait
function M.status(region)
  return vim.fn.jobstart({ "alicloud-dr", "status", "--region", region, "--json" }, {
    stdout_buffered = true,
    on_stdout = function(_, output)
      local answer = vim.fn.json_decode(output)
      if answer.error then return vim.notify(answer.error.message, vim.log.levels.ERROR) end
      show(answer.groups)
    end,
  })
end

return M
