-- The commands that look, over many playbooks in one process, for a spec that traces it:
--   lua5.4 spec/looker.lua OUTPUT PLAYBOOK…
-- OUTPUT gets a JSON object a line for each. The limits are short ones.

local confine = require "alicloud.cli.confine"
local core = require "alicloud.core"
local main = require "alicloud.cli.main"

confine.SILENCE, confine.COMPUTING, confine.PATIENCE, confine.CALLS = 1, 2, 3, 200
confine.MEMORY, confine.FRAMES = 256 << 20, 2000

local COMMANDS = { { "plan" }, { "explore", "--seeds", "1" }, { "policy" } }

local function look(path, command)
  local said = {}
  local function say(text) said[#said + 1] = text end
  local words = table.move(command, 1, #command, 1, {})
  table.move({ path, "--region", "cn-shanghai" }, 1, 3, #words + 1, words)
  local ok, code = pcall(main.run, words, { out = say, err = say, tty = false, input_tty = false,
    color = false, columns = 100, read_line = function() end, ended_by = function() end })
  return { path = path, command = command[1], ok = ok, code = ok and code or tostring(code),
    said = table.concat(said) }
end

local output <close> = assert(io.open(arg[1], "wb"))
for n = 2, #arg do
  for _, command in ipairs(COMMANDS) do
    output:write(core.encode(look(arg[n], command)), "\n")
    output:flush()
  end
end
