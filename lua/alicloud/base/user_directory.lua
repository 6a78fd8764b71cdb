--- Where a user keeps files of programs, by the rules of the XDG base directories: a path that does
--- not begin at the root is none.

local M = {}

local function directory(getenv, variable, below_home)
  local own, home = getenv(variable), getenv "HOME"
  if own and own:sub(1, 1) == "/" then return own end
  return home and home:sub(1, 1) == "/" and home .. below_home or nil
end

--- For what outlives a program.
---@param getenv fun(name: string): string|nil
---@return string|nil path nil: nothing says where
function M.state(getenv) return directory(getenv, "XDG_STATE_HOME", "/.local/state") end

--- For what may be lost at any time.
---@param getenv fun(name: string): string|nil
---@return string|nil path nil: nothing says where
function M.cache(getenv) return directory(getenv, "XDG_CACHE_HOME", "/.cache") end

return M
