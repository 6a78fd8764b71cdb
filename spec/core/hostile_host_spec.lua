-- A host whose metamethods and finalizers work against the module while it reads their tables.
-- Run under the sanitizers these are reads and writes of freed or foreign memory.
local core = require "alicloud.core"
local posix = require "spec.posix"
local transport = require "alicloud.transport"

-- Calls `work` while finalizers add fields to the table that it is reading. A program of its own,
-- because the collector comes by often enough only where the heap is small.
local GROWING = [==[
local core, transport = require "alicloud.core", require "alicloud.transport"
local client = transport.new {}
local work = %s
local names, target, armed, fired = {}, {}, false, 0
for i = 1, 60 do
  names[i] = "k" .. i
  target[names[i]] = "v"
end
local trap = {
  __gc = function()
    if armed then
      armed, fired = false, fired + 1
      for _, name in ipairs(names) do
        target[name] = "v"
      end
    end
  end,
}
collectgarbage("generational", 1, 100)
for try = 1, 3000 do
  for i, name in ipairs(names) do
    target[name] = i <= 4 and "v" or nil
  end
  setmetatable({}, trap)
  local _ = ("x"):rep(try %% 3000)
  armed = true
  pcall(work, target)
  armed = false
end
client:close()
assert(fired > 0, "the table never grew")
]==]

-- The same with finalizers that close what is being used, after a look at it of their own.
local CLOSING = [==[
local core, transport = require "alicloud.core", require "alicloud.transport"
local client = transport.new {}
local make, work, look = %s
local victim, other, armed, fired = nil, nil, false, 0
local trap = {
  __gc = function()
    if armed then
      armed, fired = false, fired + 1
      if look then look(victim) end
      do local _ <close> = victim end
      other = io.open "/dev/null" -- takes a descriptor that became free
    end
  end,
}
collectgarbage("generational", 1, 100)
for try = 1, 3000 do
  victim = make()
  setmetatable({}, trap)
  local _ = ("x"):rep(try)
  armed = true
  pcall(work, victim)
  armed = false
  if other then other:close() end
  other = nil
end
client:close()
assert(fired > 0, "nothing was closed")
]==]

local function survives(work, program)
  local pid, output = posix.spawn { "lua5.4", "-e", (program or GROWING):format(work) }
  local text = output:read "a"
  output:close()
  assert.are.same({ "exit", 0 }, { posix.wait(pid) }, text)
end

describe("a hostile host", function()
  it("may let a table grow while it is encoded", function()
    survives "core.encode"
  end)

  it("may let parameters grow while they are signed", function()
    survives 'function(query) core.sign { host = "h.example", query = query } end'
  end)

  it("may let headers grow while they are submitted", function()
    survives [[function(headers)
      client:submit { method = "GET", url = "http://not.loopback.example/", headers = headers }
    end]]
  end)

  -- More headers than fit on the stack, and a block too large to be kept for the next signature.
  local MANY = [[
    (function()
      local headers = {}
      for i = 1, 80 do headers["x-acs-" .. i] = ("v"):rep(100) end
      return core.signer { host = "h.example", headers = headers }(nil, nil, 0, "n")
    end), ]]

  it("may close a signed request while its headers are read", function()
    survives(MANY .. "function(signed) return signed.headers end", CLOSING)
  end)

  it("may close a signed request while it is submitted", function()
    survives(MANY .. "function(signed) client:submit(signed, 1, false, false) end", CLOSING)
  end)

  -- Makes operations that are done at once.
  local OBSERVED = [[
    (function()
      local observer = transport.new { observe = true }
      return function()
        return (observer:submit { method = "POST", url = "http://127.0.0.1:1/", mutating = true })
      end
    end)(), ]]

  it("may close an operation while its answer is read", function()
    local read = OBSERVED .. [[
      function(op)
        local detail = %s
        if detail ~= "this transport only observes" then os.exit(3) end
      end]]
    survives(read:format "select(2, core.read(op)).detail", CLOSING)
    survives(read:format "op:result().detail", CLOSING)
  end)

  it("may read an operation and close it while its answer is read", function()
    survives(OBSERVED .. [[
      function(op)
        said = nil
        local read, _, fields = pcall(core.read, op)
        if not read then return end -- it was closed before
        if fields.detail ~= "this transport only observes" then os.exit(3) end
        if said and said ~= "alicloud.Op (done)" then os.exit(4) end
      end, function(op)
        op:result()
        do local _ <close> = op end
        said = tostring(op)
      end]], CLOSING)
  end)

  it("may close a file while it is read", function()
    survives([[function() return core.open_file("/etc/passwd", "read") end,
      function(file) if file:read(0, 100000) == "" then os.exit(3) end end]], CLOSING)
  end)

  it("is not asked anything while a request is submitted", function()
    local client <close> = transport.new {}
    local op <close> = client:submit(setmetatable({ method = "GET", url = "http://127.0.0.1:1/" },
      { __index = function() client:close() end }))
    assert.are.equal("alicloud.Transport (1 in flight)", tostring(client))
    op:cancel()
  end)

  it("is not asked anything while a request is read and signed", function()
    local secret = core.secret(("S"):rep(100))
    local fields = { host = "h.example", access_key_id = "id", access_key_secret = secret }
    local signature = core.sign(fields).signature
    setmetatable(fields, { __index = function() secret:close() end })
    assert.equal(signature, core.sign(fields).signature)
    assert.equal(100, secret:length())
  end)

  it("may close a secret before a request is signed, and is told so", function()
    local secret = core.secret("S")
    secret:close()
    local ok, message = pcall(core.sign,
      { host = "h.example", access_key_id = "id", access_key_secret = secret })
    assert.is_false(ok)
    assert.truthy(message:find("the secret is closed", 1, true))
  end)

  it("gets an error for anything that is no options table", function()
    local found, httpd = pcall(require, "alicloud.httpd")
    for _, value in ipairs { "abc", 7, true, print } do
      assert.is_false(pcall(core.sign, value))
      assert.is_false(pcall(transport.new, value))
      assert.is_false(pcall(core.decode, "{}", value))
      assert.is_false(found and pcall(httpd.start, value))
    end
  end)

  it("gets an error for what it hashes when its state has let go of everything", function()
    survives([[
      local core
      older = setmetatable({}, { __gc = function()
        local ok, message = pcall(core.sha256, "")
        if ok or not message:find("the Lua state is closing", 1, true) then os.exit(3) end
      end })
      core = require "alicloud.core"
      core.sha256("")]], "%s")
  end)

  it("gets an error for a descriptor that is not open", function()
    local ok, message = pcall(core.poll, 9999, "r", 0)
    assert.is_false(ok)
    assert.truthy(message:find("not an open descriptor", 1, true))
  end)
end)
