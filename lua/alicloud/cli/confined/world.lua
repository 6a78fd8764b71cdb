--- `--world FILE`, in the process without rights: the data that a file of the emulator gives.

local book = require "alicloud.cli.confined.book"
local core = require "alicloud.core"
local fixture = require "alicloud.emulator.fixture"

local M = {}

---@param job { file: { text: string, path: string } }
---@return table
function M.run(job)
  local value, message = fixture.parse(job.file.text, job.file.path)
  if not value then book.refuse(message) end
  local plain, fault = pcall(core.encode, value)
  if not plain then book.refuse(("%s: must give plain data: %s"):format(job.file.path, fault)) end
  return { data = value }
end

return M
