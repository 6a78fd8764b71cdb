--- The files of the tree, for specs that look at them.

local process = require "spec.process"
local scratch = require "spec.scratch"

local M = {}

local read = scratch.read

-- Runs without the sanitizers' runtime, which may be loaded before this interpreter.
function M.run(command)
  local pipe = assert(io.popen("env -u LD_PRELOAD " .. command .. " 2>&1"))
  local text = pipe:read("a")
  assert(pipe:close(), text)
  return text
end

--- `make install`. What our modules write is written with the sanitizers' runtime, which they may
--- need; to copy files with it would take minutes.
---@param words string variables of make
function M.install(words)
  local make = "make -s --no-print-directory " .. words
  local text, code = process.sh(make .. " man completions")
  assert(code == 0, text)
  M.run(make .. " -o man -o completions install")
end

function M.files(where, pattern)
  local list = {}
  local found = M.run(("find %s -type f -name '%s' | sort"):format(where, pattern))
  for path in found:gmatch "[^\n]+" do
    list[#list + 1] = path
  end
  assert(#list > 0, where)
  return list
end

-- Lua text without comments and without the contents of strings.
function M.lua_code(path)
  local text = read(path)
  text = text:gsub("%-%-%[(=*)%[.-%]%1%]", ""):gsub("%-%-[^\n]*", "")
  text = text:gsub("%[(=*)%[.-%]%1%]", '""')
  text = text:gsub("\\.", ""):gsub('"[^"\n]*"', '""'):gsub("'[^'\n]*'", "''")
  return text
end

-- What the code of these files must not say; some may.
function M.forbid(words, list, may)
  for _, path in ipairs(list) do
    local code = may and may(path) and "" or M.lua_code(path)
    for _, word in ipairs(words) do
      assert(not code:find(word), ("%s uses %s"):format(path, word))
    end
  end
end

return M
