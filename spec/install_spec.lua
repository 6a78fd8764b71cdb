-- `make install` and `make uninstall` in a small tree, whose files are named like the real ones.

local process = require "spec.process"
local scratch = require "spec.scratch"

local sh = process.sh

local FILES = {
  ["lua/alicloud/base/lua_version.lua"] = 'local BUILD = "any"\nreturn BUILD\n',
  ["lua/alicloud/init.lua"] = "return {}\n",
  ["lua/alicloud/manual/start.md"] = "# Start\n",
  ["lua/alicloud/past/gone.lua"] = "return {}\n",
  ["build/alicloud/core.so"] = "C\n",
  ["build/obj/build.word"] = "1.2.3-4711\n",
  ["build/man/alicloud-dr.1"] = ".TH alicloud-dr 1\n",
  ["build/man/alicloud-dr-zones.7"] = ".TH alicloud-dr-zones 7\n",
  ["build/completions/alicloud-dr"] = "complete\n",
  ["build/completions/_alicloud-dr"] = "#compdef\n",
  ["build/completions/alicloud-dr.fish"] = "complete\n",
}

local INSTALLED = {
  "bin/alicloud-dr", "lib/lua/5.4/alicloud/core.so",
  "share/bash-completion/completions/alicloud-dr",
  "share/fish/vendor_completions.d/alicloud-dr.fish",
  "share/lua/5.4/alicloud/base/lua_version.lua", "share/lua/5.4/alicloud/init.lua",
  "share/lua/5.4/alicloud/manual/start.md", "share/lua/5.4/alicloud/past/gone.lua",
  "share/man/man1/alicloud-dr.1", "share/man/man7/alicloud-dr-zones.7",
  "share/zsh/site-functions/_alicloud-dr",
}

local MANIFEST = "share/alicloud-dr/manifest"

local function write(path, text)
  assert(os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/")))
  scratch.write(path, text)
end

local function new_tree()
  local tree = scratch.directory()
  assert(os.execute(([[mkdir %s/.ci && cp .ci/install .ci/launcher .ci/lua %s/.ci &&
    cp Makefile %s]]):format(tree, tree, tree)))
  for name, text in pairs(FILES) do write(tree .. "/" .. name, text) end
  return tree
end

-- What make says, and its exit code. Nothing is built.
local function make(tree, words, before)
  return sh(([[cd %s && %s env -u LD_PRELOAD make -s --no-print-directory -o all -o man \
    -o completions LUA=lua5.4 LUA_VERSION=5.4 %s]]):format(tree, before or "", words))
end

local function done(...)
  local text, code = make(...)
  assert.equal(0, code, text)
  return text
end

-- The files below a directory, or with `-type d` the directories.
local function below(directory, test)
  local list = {}
  local text = sh(("cd '%s' && find . %s | LC_ALL=C sort"):format(directory, test or "! -type d"))
  for path in text:gmatch "%./([^\n]+)" do list[#list + 1] = path end
  return list
end

local WITH_MANIFEST = { MANIFEST, table.unpack(INSTALLED) }
table.sort(WITH_MANIFEST)

describe("make install", function()
  it("puts everything below PREFIX and lists it, and names DESTDIR in no file", function()
    local tree, stage = new_tree(), scratch.path()
    done(tree, ("install DESTDIR=%s PREFIX=/opt/dr"):format(stage))
    assert.same(WITH_MANIFEST, below(stage .. "/opt/dr"))
    assert.equal("", (sh("grep -r " .. stage .. " " .. stage)))
    local files, listed = {}, scratch.read(stage .. "/opt/dr/" .. MANIFEST)
    for path in listed:gmatch "/opt/dr/([^\n]*[^/\n])\n" do files[#files + 1] = path end
    assert.same(INSTALLED, files)
    local version = scratch.read(stage .. "/opt/dr/share/lua/5.4/alicloud/base/lua_version.lua")
    assert.equal('local BUILD = "1.2.3-4711"\nreturn BUILD\n', version)
  end)

  it("does the same again, however PREFIX is written", function()
    local tree, stage = new_tree(), scratch.directory()
    local manifest = stage .. "/opt/dr/" .. MANIFEST
    done(tree, ("install DESTDIR=%s PREFIX=/opt/dr"):format(stage))
    local before = scratch.read(manifest)
    done(tree, ("install DESTDIR=%s PREFIX=/opt/./x/..//dr/"):format(stage))
    assert.equal(before, scratch.read(manifest))
    assert.same(WITH_MANIFEST, below(stage .. "/opt/dr"))
  end)

  it("loses nothing where the same directory has another name", function()
    local tree, stage = new_tree(), scratch.directory()
    done(tree, ("install PREFIX=%s/one"):format(stage))
    assert(os.execute(("ln -s one %s/two"):format(stage)))
    done(tree, ("install PREFIX=%s/two"):format(stage))
    assert.same(WITH_MANIFEST, below(stage .. "/one"))
    done(tree, ("uninstall PREFIX=%s/two"):format(stage))
    assert.same({}, below(stage .. "/one"))
  end)

  it("removes what the last one installed and this one does not, and nothing else", function()
    local tree, prefix = new_tree(), scratch.directory() .. "/a place"
    done(tree, ("install 'PREFIX=%s'"):format(prefix))
    assert(os.execute(("rm -r %s/lua/alicloud/past %s/build/man"):format(tree, tree)))
    write(tree .. "/lua/alicloud/init.lua", "return { new = true }\n")
    write(tree .. "/lua/alicloud/next/new.lua", "return {}\n")
    write(prefix .. "/share/lua/5.4/alicloud/manual/own.md", "mine\n")
    done(tree, ("install 'PREFIX=%s'"):format(prefix))
    local lua = {}
    for _, path in ipairs(below(prefix .. "/share", "-type f -path '*lua/*'")) do
      lua[#lua + 1] = path:match "alicloud/(.*)$"
    end
    assert.same({ "base/lua_version.lua", "init.lua", "manual/own.md", "manual/start.md",
      "next/new.lua" }, lua)
    assert.equal("return { new = true }\n",
      scratch.read(prefix .. "/share/lua/5.4/alicloud/init.lua"))
    assert.same({}, below(prefix, "-name past -o -name man -o -name man1"))
    done(tree, ("uninstall 'PREFIX=%s'"):format(prefix))
    assert.same({ "share/lua/5.4/alicloud/manual/own.md" }, below(prefix))
  end)

  it("that was broken off can be undone, and made again", function()
    local tree, stage, stand_ins = new_tree(), scratch.directory(), scratch.directory()
    scratch.write(stand_ins .. "/install", [[#!/bin/sh
      n=$(($(cat "$COUNT") + 1)) && echo $n >"$COUNT" && [ $n -lt 5 ] && exec /usr/bin/install "$@"
    ]])
    assert(os.execute(("chmod 755 %s/install && mkdir %s/home"):format(stand_ins, stage)))
    local function broken()
      local count = scratch.file "0"
      local _, code = make(tree, ("install DESTDIR=%s PREFIX=/home/dr"):format(stage),
        ('COUNT=%s PATH="%s:$PATH"'):format(count, stand_ins))
      assert.is_true(code ~= 0)
      assert.equal(6, #below(stage) + 1)
    end
    broken()
    done(tree, ("uninstall DESTDIR=%s PREFIX=/home/dr"):format(stage))
    assert.same({ "home" }, below(stage, "-mindepth 1"))
    broken()
    done(tree, ("install DESTDIR=%s PREFIX=/home/dr"):format(stage))
    assert.same(WITH_MANIFEST, below(stage .. "/home/dr"))
  end)

  it("keeps no list where MANIFEST is empty, and has other places", function()
    local tree, stage = new_tree(), scratch.path()
    done(tree, ("install DESTDIR=%s PREFIX=/usr MANIFEST= LIBDIR=/usr/lib/multi/lua/5.4 "
      .. "ZSHDIR=/usr/share/zsh/vendor-completions"):format(stage))
    local there = {}
    for _, path in ipairs(below(stage .. "/usr")) do there[path] = true end
    assert.is_true(there["lib/multi/lua/5.4/alicloud/core.so"])
    assert.is_true(there["share/zsh/vendor-completions/_alicloud-dr"])
    assert.is_nil(there[MANIFEST])
  end)
end)

describe("make uninstall", function()
  it("leaves the directories that were there, and says when there is nothing more", function()
    local tree, stage = new_tree(), scratch.directory()
    assert(os.execute(("mkdir -p %s/usr/local/bin %s/usr/local/share/man"):format(stage, stage)))
    local before = below(stage, "-mindepth 1")
    done(tree, ("install DESTDIR=%s"):format(stage))
    assert.equal("", done(tree, ("uninstall DESTDIR=%s"):format(stage)))
    assert.same(before, below(stage, "-mindepth 1"))
    assert.equal(("nothing to uninstall: there is no %s/usr/local/%s\n"):format(stage, MANIFEST),
      done(tree, ("uninstall DESTDIR=%s"):format(stage)))
  end)

  it("removes nothing by a list that no installation has written", function()
    local tree, stage = new_tree(), scratch.directory()
    for _, line in ipairs { "etc/passwd", "/opt/dr/../../etc/passwd", "/opt/dr/.." } do
      write(stage .. "/opt/dr/" .. MANIFEST, "/opt/dr/bin/alicloud-dr\n" .. line .. "\n")
      write(stage .. "/opt/dr/bin/alicloud-dr", "x")
      for _, target in ipairs { "install", "uninstall" } do
        local text, code = make(tree, ("%s DESTDIR=%s PREFIX=/opt/dr"):format(target, stage))
        assert.equal(2, code)
        assert.matches("manifest lists what no installation writes; nothing was changed", text)
      end
      assert.same({ "bin/alicloud-dr", MANIFEST }, below(stage .. "/opt/dr"))
    end
  end)
end)

describe("the command of a LuaRocks tree", function()
  local version = _VERSION:match "%d%.%d"

  -- A tree with the command, and with modules that tell what they were given.
  local function new_rock()
    local tree, prefix = new_tree(), scratch.directory() .. "/a tree"
    write(tree .. "/lua/alicloud/cli/installed.lua", [[local lua, lib = ...
      return function(argv) print(lua, lib, argv[1], os.getenv "LUA_INIT") return 7 end]])
    done(tree, ("install 'PREFIX=%s.before' MANIFEST= RELOCATABLE=yes LUA_VERSION=%s"):format(
      prefix, version))
    assert(os.execute(("mv '%s.before' '%s'"):format(prefix, prefix)))
    return prefix
  end

  it("finds modules and Lua wherever the tree is, by whatever name it is called", function()
    local prefix = new_rock()
    local bin = prefix .. "/bin"
    assert(os.execute(("ln -s '%s/alicloud-dr' '%s/other'"):format(bin, prefix)))
    for _, way in ipairs { ("cd '%s' && ./alicloud-dr"):format(bin), ("'%s/other'"):format(prefix),
      ("cd / && PATH='%s':$PATH alicloud-dr"):format(bin) } do
      local text, code = sh("LUA_INIT='os.exit(9)' && export LUA_INIT; " .. way .. " 'a word'")
      assert.equal(("%s/share/lua/%s\t%s/lib/lua/%s\ta word\tos.exit(9)\n"):format(prefix, version,
        prefix, version), text)
      assert.equal(7, code)
    end
  end)

  it("takes the Lua of its tree first, none of another version, and says when there is none",
    function()
    local prefix, path = new_rock(), scratch.directory()
    assert(os.execute(("ln -s $(command -v readlink) %s"):format(path)))
    local function run()
      return sh(("env -i PATH=%s '%s/bin/alicloud-dr'"):format(path, prefix))
    end
    scratch.write(path .. "/lua", "#!/bin/sh\necho Lua 5.3\n")
    assert(os.execute(("chmod 755 %s/lua"):format(path)))
    local text, code = run()
    assert.equal(127, code)
    assert.equal(("alicloud-dr: no directory of PATH has Lua %s, under the name lua%s or lua\n")
      :format(version, version), text)
    assert(os.execute(("ln -s $(command -v lua5.4) '%s/bin/lua'"):format(prefix)))
    assert.equal(7, select(2, run()))
  end)
end)
