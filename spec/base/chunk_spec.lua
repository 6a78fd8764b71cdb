-- Files as the interpreter reads them: held against its own loadfile.

local chunks = require "alicloud.base.chunk"
local scratch = require "spec.scratch"

local BOM, SHEBANG = "\xEF\xBB\xBF", "#!/usr/bin/env -S alicloud-dr run"
local HEADS = { "", BOM, SHEBANG .. "\n", SHEBANG .. "\r\n", BOM .. SHEBANG .. "\n", SHEBANG, "#",
  BOM .. BOM, SHEBANG .. "\n#!again\n", "\n" .. SHEBANG .. "\n", "\xEF\xBB" }
local BODIES = { "", "return 1", "local a = 1\nreturn b.c\n", "local a = 1\r\n\r\nreturn b.c\r\n",
  "return (\n", "return '\xfc'" }

local function outcome(chunk, message)
  if not chunk then return message end
  local _, result = pcall(chunk)
  return result == nil and "nil" or result
end

describe("the text of a Lua file", function()
  it("loads as the interpreter loads the file, with the same lines in errors", function()
    local path = scratch.directory() .. "/made-up.lua"
    for _, head in ipairs(HEADS) do
      for _, body in ipairs(BODIES) do
        local text = head .. body
        scratch.write(path, text)
        assert.equal(outcome(loadfile(path, "t")), outcome(chunks.load(text, path)),
          ("%q"):format(text))
      end
    end
  end)

  it("is no bytecode", function()
    for _, head in ipairs { "", BOM, "#\n" } do
      assert.is_nil(chunks.load(head .. string.dump(function() end), "x.lua"))
    end
  end)

  it("has the globals that it is given", function()
    assert.equal(3, chunks.load(BOM .. "return x", "x.lua", { x = 3 })())
    assert.equal(_G, chunks.load("return _G", "x.lua")())
  end)
end)
