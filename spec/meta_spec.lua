-- What holds for the tree as a whole: versions, exported symbols, the layers, the installation.

local layers = require "spec.layers"
local scratch = require "spec.scratch"
local tree = require "spec.tree"

local build = os.getenv("ALICLOUD_BUILD") or "build"

local read, run, files = scratch.read, tree.run, tree.files
local lua_code, forbid = tree.lua_code, tree.forbid

local function c_sources()
  return files("src", "*.[ch]")
end

local function is_declaration(path)
  return path:find("%.d%.lua$") ~= nil
end

describe("versions", function()
  local version = read("src/common/ac.h"):match('#define AC_VERSION "([^"]+)"')

  it("of the C core and of the Lua façade are one", function()
    assert.truthy(version:match("^%d+%.%d+%.%d+$"))
    assert.are.equal(version, require("alicloud.core").version.core)
    assert.truthy(require("alicloud")._VERSION:find(version, 1, true))
  end)

  it("of the changelog's newest entry is that version", function()
    local heading, text = read("CHANGELOG.md"):match("\n## %[([^%]]*)%](.*)")
    if heading == "Unreleased" then heading = text:match("%d+%.%d+%.%d+") end
    assert.are.equal(version, heading)
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
    for name in code:gmatch '"(alicloud%f[."][%l%d_.]*)"' do named[name] = true end
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
      PollGroup = methods_of(core.poll_group()),
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
    tree.install(("BUILD=%s PREFIX=%s"):format(build, root))
    local version = _VERSION:match "%d%.%d"
    local share, lib = root .. "/share/lua/" .. version .. "/", root .. "/lib/lua/" .. version
    for _, pattern in ipairs { "*.lua", "*.md" } do
      for _, path in ipairs(files("lua", pattern)) do
        local text = read(path):gsub('local BUILD = "any"', ('local BUILD = "%s"'):format(
          require("alicloud.core").version.build))
        assert.are.equal(text, read(share .. path:gsub("^lua/", "")), path)
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
    run(("make -s --no-print-directory uninstall PREFIX=%s"):format(root))
    assert.are.equal("", run("ls -A " .. root))
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
