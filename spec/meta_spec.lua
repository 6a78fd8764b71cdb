-- What holds for the tree as a whole: versions, exported symbols, the layers, the installation.

local layers = require "spec.layers"
local scratch = require "spec.scratch"

local build = os.getenv("ALICLOUD_BUILD") or "build"

local read = scratch.read

-- Runs without the sanitizers' runtime, which may be loaded before this interpreter.
local function run(command)
  local pipe = assert(io.popen("env -u LD_PRELOAD " .. command .. " 2>&1"))
  local text = pipe:read("a")
  assert(pipe:close(), text)
  return text
end

local function files(where, pattern)
  local list = {}
  for path in run(("find %s -type f -name '%s' | sort"):format(where, pattern)):gmatch("[^\n]+") do
    list[#list + 1] = path
  end
  assert.is_true(#list > 0, where)
  return list
end

local function c_sources()
  return files("src", "*.[ch]")
end

-- Lua text without comments and without the contents of strings.
local function lua_code(path)
  local text = read(path)
  text = text:gsub("%-%-%[(=*)%[.-%]%1%]", ""):gsub("%-%-[^\n]*", "")
  text = text:gsub("%[(=*)%[.-%]%1%]", '""')
  text = text:gsub("\\.", ""):gsub('"[^"\n]*"', '""'):gsub("'[^'\n]*'", "''")
  return text
end

local function is_declaration(path)
  return path:find("%.d%.lua$") ~= nil
end

-- What the code of these files must not say; some may.
local function forbid(words, list, may)
  for _, path in ipairs(list) do
    local code = may and may(path) and "" or lua_code(path)
    for _, word in ipairs(words) do
      assert.falsy(code:find(word), ("%s uses %s"):format(path, word))
    end
  end
end

describe("versions", function()
  local version = read("src/common/ac.h"):match('#define AC_VERSION "([^"]+)"')

  it("of the C core and of the Lua façade are one", function()
    assert.truthy(version:match("^%d+%.%d+%.%d+$"))
    assert.are.equal(version, require("alicloud.core").version.core)
    assert.truthy(require("alicloud")._VERSION:find(version, 1, true))
  end)

  it("of the changelog's newest entry is that version", function()
    local newest = read("CHANGELOG.md"):match("\n## %[[^\n]*\n.-(%d+%.%d+%.%d+)")
    assert.are.equal(version, newest)
  end)

  it("of the rockspec agrees with its name, and the licence with LICENSE", function()
    for _, path in ipairs(files("rockspec", "*.rockspec")) do
      local spec = {}
      assert(loadfile(path, "t", spec))()
      assert.are.equal(("rockspec/%s-%s.rockspec"):format(spec.package, spec.version), path)
      assert.are.equal("alicloud-dr", spec.package)
      assert.truthy(spec.version == "scm-1" or spec.version == version .. "-1")
      assert.truthy(read("LICENSE"):find("^" .. spec.description.license .. " License"))
    end
  end)
end)

describe("every C module", function()
  for _, path in ipairs(files(build .. "/alicloud", "*.so")) do
    local name = path:match("([^/]+)%.so$")

    it("exports its entry and nothing else: " .. name, function()
      local exported = {}
      for symbol in run("nm -D --defined-only " .. path):gmatch("%x+ %u ([%w_]+)") do
        -- What the linker and the sanitizers add begins with an underscore.
        if not symbol:find("^_") then exported[#exported + 1] = symbol end
      end
      assert.are.same({ "luaopen_alicloud_" .. name }, exported)
    end)

    it("does not bring a Lua of its own: " .. name, function()
      assert.falsy(run("ldd " .. path):find("liblua", 1, true))
    end)
  end

  it("but the transport loads without libcurl", function()
    assert.falsy(run(("ldd %s/alicloud/core.so"):format(build)):find("libcurl", 1, true))
  end)
end)

-- The modules that a file names in strings, to require them now, later or by the name of a family
-- ("alicloud.service." .. product).
local function named_modules(path)
  local named = {}
  for line in read(path):gmatch "[^\n]+" do
    local code = line:gsub("^%s*%-%-.*", "")
    for name in code:gmatch '"(alicloud[%l%d_.]*)"' do named[name] = true end
  end
  return named
end

-- A way from a module back to itself.
local function cycle_in(requires)
  local state = {}
  local function visit(module, way)
    if state[module] == "done" then return nil end
    way = way .. " " .. module
    if state[module] then return way end
    state[module] = "open"
    for other in pairs(requires[module] or {}) do
      local found = visit(other, way)
      if found then return found end
    end
    state[module] = "done"
  end
  for module in pairs(requires) do
    local found = visit(module, "")
    if found then return found end
  end
end

describe("the layers", function()
  it("keep products, operations and regions out of C", function()
    local words = { "aliyuncs", "cn%-%l+", "%f[%w]ebs%f[%W]", "%f[%w]ecs%f[%W]", "%f[%w]sts%f[%W]",
                    "replica", "%f[%w]disk" }
    for operation in pairs(require("alicloud.service.ebs").operations) do
      words[#words + 1] = operation:lower()
    end
    for _, path in ipairs(c_sources()) do
      local text = read(path):lower()
      for _, word in ipairs(words) do
        assert.falsy(text:find(word), ("%s mentions %s"):format(path, word))
      end
    end
  end)

  it("keep libcurl in the transport's own files", function()
    for _, path in ipairs(c_sources()) do
      if not path:find("^src/transport/") then
        local text = read(path)
        for _, word in ipairs { "<curl/", "curl_%l", "CURL[%u_]" } do
          assert.falsy(text:find(word), ("%s uses %s"):format(path, word))
        end
      end
    end
    for _, path in ipairs(files("lua", "*.lua")) do
      assert.falsy(lua_code(path):lower():find("curl"), path)
    end
  end)

  it("keep lua.h in the files that are named for it", function()
    local allowed = { ["src/core/core.c"] = true }
    for _, path in ipairs(c_sources()) do
      local speaks_lua = path:find("/lua[^/]*$") or path:find("/value%.[ch]$") or allowed[path]
      assert.is_true(speaks_lua ~= nil or not read(path):find("#include <l[au]"), path)
    end
  end)

  it("leave terminal and process to the command", function()
    local forbidden = { "%f[%w_.:]print%s*[%({\"']", "os%.exit", "io%.write", "io%.stdout",
                        "io%.stderr", "os%.execute" }
    forbid(forbidden, files("lua", "*.lua"), function(path)
      return path:find("^lua/alicloud/cli/") or is_declaration(path)
    end)
  end)

  it("take clock, chance and environment from the runtime", function()
    local forbidden = { "os%.time", "os%.clock", "os%.date", "math%.random", "os%.getenv" }
    forbid(forbidden, files("lua", "*.lua"), function(path)
      return path == "lua/alicloud/base/runtime.lua" or path:find("^lua/alicloud/cli/")
        or is_declaration(path)
    end)
  end)

  it("hand no constructor to each other", function()
    forbid({ "[%(,{=]%s*[%w_]+%.new%s*[,%)}]" }, files("lua", "*.lua"), function(path)
      return path:find("^lua/alicloud/cli/") or is_declaration(path)
    end)
  end)

  it("require what their table allows, and no module comes back to itself", function()
    local requires, broken = {}, {}
    for _, path in ipairs(files("lua", "*.lua")) do
      if not is_declaration(path) then
        local module = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
        if not layers.of(module) then broken[module .. " is in no layer"] = true end
        requires[module] = named_modules(path)
        for other in pairs(requires[module]) do
          if other == module then requires[module][other] = nil end
          local edge = module .. " -> " .. other
          if not layers.allows(module, (other:gsub("%.$", ""))) then broken[edge] = true end
        end
      end
    end
    assert.are.same({}, broken)
    assert.is_nil(cycle_in(requires))
  end)

  it("know a module by one local name everywhere", function()
    local names, several = {}, {}
    for _, path in ipairs(files("lua", "*.lua")) do
      for line in read(path):gmatch "[^\n]+" do
        local name, module = line:match '^local ([%w_]+) = require "(alicloud[%l%d_.]*)"$'
        if not name then
          name, module = line:match '^local ([%w_]+) = lazy%.module "(alicloud[%l%d_.]*)"$'
        end
        if name and (names[module] or name) ~= name then
          several[#several + 1] = ("%s: %s is %s here, %s elsewhere"):format(path, module, name,
            names[module])
        elseif name then
          names[module] = name
        end
      end
    end
    assert.same({}, several)
  end)
end)

describe("C code", function()
  it("uses no function that cannot know its bounds or that stops the host", function()
    local forbidden = { "sprintf", "vsprintf", "strcpy", "strcat", "strtok", "atoi", "gets", "exit",
                        "abort", "alloca", "localtime", "setlocale", "signal", "srand", "system",
                        "printf", "puts" }
    for _, path in ipairs(c_sources()) do
      local text = read(path):gsub("/%*.-%*/", ""):gsub('"[^"\n]*"', '""')
      for _, word in ipairs(forbidden) do
        assert.falsy(text:find("%f[%w_]" .. word .. "%s*%("), ("%s calls %s"):format(path, word))
      end
    end
  end)

  -- The Makefile builds a module of each folder and of common/, so a file elsewhere is not built.
  it("lies in the folder of its module, and knows that folder and common/ alone", function()
    local folders = { common = true, core = true, transport = true, httpd = true,
                      confine = true }
    for _, path in ipairs(c_sources()) do
      local folder = path:match("^src/(%l+)/[%l_]+%d*%.[ch]$")
      assert.is_true(folders[folder or ""], path)
      for header in read(path):gmatch('#include "([^"]+)"') do
        local own = io.open(("src/%s/%s"):format(folder, header))
        local shared = io.open("src/common/" .. header)
        assert.truthy(own or shared, ("%s includes %s"):format(path, header))
        if own then own:close() end
        if shared then shared:close() end
      end
    end
  end)
end)

describe("the declarations of the C modules", function()
  local text = {}
  for _, path in ipairs(files("lua", "*.d.lua")) do text[#text + 1] = read(path) end
  text = table.concat(text, "\n")

  local function methods_of(object)
    return debug.getmetatable(object).__index
  end

  it("declares every function of the C modules, and nothing that is not there", function()
    local core, transport = require "alicloud.core", require "alicloud.transport"
    local client = transport.new {}
    local op = client:submit {
      method = "GET", url = "http://127.0.0.1:1/", headers = {}, timeout = 1,
    }
    local owners = {
      core = core, transport = transport, Transport = methods_of(client), Op = methods_of(op),
      Secret = methods_of(core.secret("x")), Process = methods_of(core.spawn({ "true" }, 1)),
      File = methods_of(core.open_file("README.md", "read")),
      Actions = methods_of(core.actions {}), Child = methods_of(core.child { argv = { "true" } }),
      confine = require "alicloud.confine",
    }
    client:close()
    local has_httpd, httpd = pcall(require, "alicloud.httpd")
    if has_httpd then
      local server = httpd.start {}
      owners.httpd, owners.Server = httpd, methods_of(server)
      server:close()
    end
    for owner, functions in pairs(owners) do
      for name, value in pairs(functions) do
        if type(value) == "function" and not name:find("^__") then
          assert.truthy(text:find(("function %s[.:]%s%%("):format(owner, name)),
            ("%s.%s is not declared"):format(owner, name))
        end
      end
    end
    for owner, name in text:gmatch("\nfunction (%w+)[.:]([%w_]+)%(") do
      if owners[owner] then
        assert.is_function(owners[owner][name], ("%s.%s does not exist"):format(owner, name))
      end
    end
  end)

  it("declares every option that the C modules take, and no other", function()
    for path, classes in pairs {
      ["src/transport/lua_options.c"] = { "TransportOptions", "TransportRequest" },
      ["src/core/lua_sign.c"] = { "SignRequest" }, ["src/core/core.c"] = { "DecodeOptions" },
      ["src/core/lua_read.c"] = { "ReadOptions" }, ["src/httpd/lua_httpd.c"] = { "httpd.Options" },
      ["src/core/lua_child.c"] = { "ChildOptions" },
      ["src/confine/lua_confine.c"] = { "confine.Options" },
    } do
      local taken, declared = {}, {}
      for name in read(path):gmatch '{"([%w_]+)", ACL_' do taken[name] = true end
      for _, class in ipairs(classes) do
        local fields = text:match("%-%-%-@class alicloud%." .. class .. "\n(.-)\n\n")
        for name in fields:gmatch "%-%-%-@field ([%w_]+)" do declared[name] = true end
      end
      assert.are.same(taken, declared, path)
    end
  end)
end)

describe("make install", function()
  it("installs every Lua module, every C module, the manual and the command, and they work there",
    function()
    local root = scratch.directory()
    run(("make -s --no-print-directory install BUILD=%s PREFIX=%s"):format(build, root))
    local version = _VERSION:match "%d%.%d"
    local share, lib = root .. "/share/lua/" .. version .. "/", root .. "/lib/lua/" .. version
    for _, pattern in ipairs { "*.lua", "*.md" } do
      for _, path in ipairs(files("lua", pattern)) do
        assert.are.equal(read(path), read(share .. path:gsub("^lua/", "")), path)
      end
    end
    for _, path in ipairs(files(build .. "/alicloud", "*.so")) do
      assert.are.equal(read(path), read(lib .. "/alicloud/" .. path:match("[^/]+$")))
    end
    local function typed(words)
      local pipe = io.popen(("cd / && env -u LUA_PATH -u LUA_CPATH %s/bin/alicloud-dr %s"):format(
        root, words))
      local shown = pipe:read("a")
      assert.is_true(pipe:close())
      return shown
    end
    assert.truthy(typed("--version"):find(require("alicloud.core").version.core, 1, true))
    assert.are.equal(read("lua/alicloud/manual/networks.md"), typed("manual networks"))
  end)
end)

describe(".ci/specs", function()
  it("fails where a spec leaves a file behind, and names it", function()
    local spec = scratch.file('it("forgets", function() os.execute "mktemp" end)', "_spec.lua")
    local pipe = assert(io.popen(("env -u LD_PRELOAD -u ALICLOUD_PRELOAD SPEC_PART=.left .ci/specs "
      .. "%s %s 2>&1"):format(build, spec)))
    local text = pipe:read("a")
    assert.is_nil((pipe:close()))
    assert.truthy(text:find("have left files in their temporary directory:\n/[^\n]*/tmp", 1), text)
    assert.truthy(text:find("specs: 1 passed, 1 failed\n", 1, true), text)
  end)
end)

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
  it("ends in a newline and has neither tabs nor blanks at a line's end", function()
    local where = "src lua spec rockspec .ci *.md .luacheckrc .busted"
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
