--- Files that a spec, or a tool beside the specs, needs for a while. All are in one directory below
--- $TMPDIR, which goes with the interpreter's state, whether that ends well or not.

local core = require "alicloud.core"

local M = {}

local root, made = nil, 0

local function remove()
  if root then os.execute("rm -rf '" .. root .. "'") end
end

-- A test has one `finally` and a program that fails has none, but every state is closed.
setmetatable(M, { __gc = remove })

--- A path at which nothing is yet.
---@param suffix? string
---@return string
function M.path(suffix)
  if not root then
    root = ("%s/alicloud_%s"):format(os.getenv "TMPDIR" or "/tmp", core.random_hex(8))
    assert(core.make_directory(root))
  end
  made = made + 1
  return ("%s/%d%s"):format(root, made, suffix or "")
end

--- A directory with nothing in it, for its owner alone.
---@return string path
function M.directory()
  local path = M.path()
  assert(core.make_directory(path))
  return path
end

--- Writes a file, wherever it is.
---@param path string
---@param text string
function M.write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

--- A new file with a text in it.
---@param text string
---@param suffix? string
---@param mode? string in octal, if it is not to be as the umask has it
---@return string path
function M.file(text, suffix, mode)
  local path = M.path(suffix)
  M.write(path, text)
  if mode then assert(os.execute(("chmod %s '%s'"):format(mode, path))) end
  return path
end

--- What is in a file, wherever it is.
---@param path string
---@return string
function M.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

return M
