--- Scripts that complete a command line in the shells that people type into. All is known when a
--- script is written, but for the words of `alicloud.cli.completion.words`.

local declared = require "alicloud.cli.declared"

local M = {}

--- The shells, and the file names by which they find a script.
M.FILES = { bash = "alicloud-dr", zsh = "_alicloud-dr", fish = "alicloud-dr.fish" }

--- The script for a shell.
---@param shell "bash"|"zsh"|"fish"
---@return string
function M.script(shell)
  return require("alicloud.cli.completion." .. shell).script(declared.read())
end

--- Writes all of them.
---@param directory string that is there
function M.write(directory)
  for shell, name in pairs(M.FILES) do
    local file <close> = assert(io.open(directory .. "/" .. name, "wb"))
    assert(file:write(M.script(shell)))
  end
end

return M
