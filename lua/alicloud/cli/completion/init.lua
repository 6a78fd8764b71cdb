--- Writes the scripts that complete command lines in bash, zsh and fish. All candidates are in the
--- script, except those of `alicloud.cli.completion.words`, which it asks for while it runs.

local declared = require "alicloud.cli.declared"

local M = {}

--- The shells, each with the file name by which it finds a script.
M.FILES = { bash = "alicloud-dr", zsh = "_alicloud-dr", fish = "alicloud-dr.fish" }

--- The script for a shell.
---@param shell "bash"|"zsh"|"fish"
---@return string
function M.script(shell)
  return require("alicloud.cli.completion." .. shell).script(declared.read())
end

--- Writes the scripts of all shells.
---@param directory string an existing one
function M.write(directory)
  for shell, name in pairs(M.FILES) do
    local file <close> = assert(io.open(directory .. "/" .. name, "wb"))
    assert(file:write(M.script(shell)))
  end
end

return M
