--- `--world FILE`, in the process without rights: runs a data file of the emulator.

local book = require "alicloud.cli.confined.book"
local core = require "alicloud.core"
local datafile = require "alicloud.emulator.datafile"

local M = {}

-- What is wrong with the first field that JSON cannot carry, nil if there is none.
local function strange(value, path, above)
  local kind = type(value)
  if kind == "number" then
    return (value ~= value or value == math.huge or value == -math.huge)
      and ("%s: must be number, got number %s"):format(path, value) or nil
  elseif kind == "string" or kind == "boolean" then
    return nil
  elseif kind ~= "table" then
    return ("%s: must be plain data, got %s"):format(path, kind)
  end
  if above[value] then return path .. ": holds itself" end
  above[value] = true
  for key, field in pairs(value) do
    local name = type(key) == "string" and (path == "" and key or path .. "." .. key)
      or ("%s[%s]"):format(path, tostring(key))
    local fault = strange(field, name, above)
    if fault then return fault end
  end
  above[value] = nil
end

---@param job { file: { text: string, path: string } }
---@return table
function M.run(job)
  local value, message = datafile.parse(job.file.text, job.file.path)
  if not value then book.refuse(message) end
  local fault = strange(value, "", {})
  if fault then book.refuse(("%s: %s"):format(job.file.path, fault)) end
  local plain, message_of = pcall(core.encode, value)
  if not plain then
    book.refuse(("%s: must give plain data: %s"):format(job.file.path, message_of))
  end
  return { data = value }
end

return M
