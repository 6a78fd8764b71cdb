-- What the documents tell of the tree, and what holds for every file in it.

local scratch = require "spec.scratch"
local tree = require "spec.tree"

local read, run, files, forbid = scratch.read, tree.run, tree.files, tree.forbid

describe("what is told of the tree", function()
  local targets = {}
  for target in read("Makefile"):gmatch("\n## ([%l-]+): ") do targets[target] = true end

  it("fits a terminal, in `make help`", function()
    local told = {}
    for line in run("make --no-print-directory help"):gmatch("[^\n]+") do
      assert.is_true(#line < 80, line)
      told[line:match("^  make ([%l-]+) +%S")] = true
    end
    assert.are.same(targets, told)
  end)

  it("in README.md and the manual names files and targets that are there", function()
    for _, file in ipairs { "README.md", table.unpack(files("lua", "*.md")) } do
      local text = read(file)
      for path in text:gmatch("`([%w_.]+/[%w_./-]*)`") do
        if path:find("^src/") or path:find("^spec/") or path:find("^lua/") then
          run(("test -e %s"):format(path))
        end
      end
      for target in text:gmatch("`make ([%l-]+)") do assert.is_true(targets[target], target) end
    end
  end)

  it("of the ways through the code names files that are there", function()
    local ways = read("lua/alicloud/manual/building.md"):match "| way | files in order |\n(.*)"
    local named = 0
    for row in ways:gmatch "[^\n]+" do
      local folder
      for name in row:gmatch "`([%l_/.]+)`" do
        local root = name:find "^src/" and "" or "lua/alicloud/"
        local path = name:find "/" and root .. name or folder .. name
        local tried = ("%s %s.lua %s/init.lua"):format(path, path, path)
        local found = run("ls -d " .. tried .. " 2>/dev/null; true")
        assert.truthy(found ~= "", path)
        folder, named = path:match "^.*/", named + 1
      end
    end
    assert.is_true(named > 50)
  end)

  it("in README.md is short, and wrapped like the manual", function()
    local _, lines = read("README.md"):gsub("\n", "")
    assert.is_true(lines <= 150)
    for _, file in ipairs { "README.md", table.unpack(files("lua", "*.md")) } do
      local is_code = false
      for line in read(file):gmatch "[^\n]+" do
        if line:find "^```" then is_code = not is_code end
        assert.truthy(is_code or line:find "^|" or utf8.len(line) <= 100, file .. ": " .. line)
      end
    end
  end)
end)

describe("every file of ours", function()
  it("lies in a folder that the tree has, and none beside them", function()
    local kept = { src = true, lua = true, spec = true, rockspec = true, Makefile = true,
      ["README.md"] = true, ["CHANGELOG.md"] = true, LICENSE = true }
    -- An unpacked archive has no list of what is tracked.
    for path in run("git -c safe.directory='*' ls-files 2>/dev/null || true"):gmatch "[^\n]+" do
      local top = path:match "^[^/]+"
      assert.truthy(kept[top] or top:find "^%.", path)
    end
  end)

  it("ends in a newline and has neither tabs nor blanks at a line's end", function()
    local where = "src lua spec rockspec .ci .oci *.md .luacheckrc .busted"
    for path in run("find " .. where .. " -type f"):gmatch("%S+") do
      local text = read(path)
      local data = path:find "/vectors/" or path:find "/corpus/"
      if not data then
        assert.truthy(text:find("\n$"), path)
        assert.falsy(text:find("[ \t]\r?\n"), path)
        assert.falsy(not path:find("%.md$") and not path:find("%.go$") and text:find("\t"), path)
      end
    end
  end)

  it("takes its temporary files from the one place that removes them", function()
    forbid({ "os%.tmpname", "io%.tmpfile" }, files("lua spec", "*.lua"))
  end)

  it("leaves no work undone", function()
    for path in run("find src lua .ci rockspec -type f"):gmatch("[^\n]+") do
      local text = read(path)
      for _, word in ipairs { "TO" .. "DO", "FIX" .. "ME", "X" .. "XX" } do
        assert.falsy(text:find("%f[%w]" .. word .. "%f[%W]"), path)
      end
    end
  end)
end)
