--- The directories for a user's files, by the XDG base directory rules: a relative path is ignored.

local M = {}

local function directory(getenv, variable, below_home)
  local own, home = getenv(variable), getenv "HOME"
  if own and own:sub(1, 1) == "/" then return own end
  return home and home:sub(1, 1) == "/" and home .. below_home or nil
end

--- The directory for files that outlive a program.
---@param getenv fun(name: string): string|nil
---@return string|nil path nil: no variable names one
function M.state(getenv) return directory(getenv, "XDG_STATE_HOME", "/.local/state") end

--- The directory for files that may be lost at any time.
---@param getenv fun(name: string): string|nil
---@return string|nil path nil: no variable names one
function M.cache(getenv) return directory(getenv, "XDG_CACHE_HOME", "/.cache") end

return M
