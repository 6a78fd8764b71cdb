-- The calls that alloc_sweep.c repeats with one allocation after the other failing. Each function
-- may fail for want of memory, with an error or with an error value; an error that begins with
-- "wrong: " is a result that must not be. The host gives the globals `host`, `token` and
-- `serve`.

local core = require "alicloud.core"
local scratch = require "spec.scratch"
local transport = require "alicloud.transport"

-- Long enough to make every text of a signature grow; only `sign` and `signer` know the real one,
-- for what the transport sends goes into memory of libcurl's.
local padding = ("x"):rep(1500)

local function sign(algorithm, secret, peer)
  return core.sign {
    algorithm = algorithm, method = "POST", scheme = "http", host = peer or host,
    query = { RegionId = "cn-shanghai", Text = "a b" }, action = "DescribeRegions",
    version = "2021-07-30", access_key_id = "spec", access_key_secret = secret or "spec-secret",
    security_token = peer and "token" or token, headers = { ["X-Acs-Padding"] = padding },
    date = "2026-01-02T03:04:05Z", nonce = "n",
  }
end

-- What the calls give with memory.
local signatures = {}
for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "HMAC-SHA1" } do
  signatures[algorithm] = sign(algorithm).signature
end

local exchanges = {
  { status = 200, headers = {}, body = '{"RequestId":"r"}', expected = "accepted" },
  { status = 403, headers = { ["x-acs-request-id"] = "r" }, expected = "rejected",
    body = '{"RequestId":"r","Code":"OperationDenied","Message":"m"}' },
  { status = 400, headers = {}, expected = "rejected",
    body = "<Error><Code>C</Code><RequestId>r</RequestId></Error>" },
  { status = 400, headers = {}, expected = "rejected",
    body = '\xef\xbb\xbf{"requestId":"r","code":404,"message":["m"]}' },
  { failure = "connect", sent = false, detail = "refused", expected = "not_sent" },
}

local function wrong(what)
  error("wrong: " .. what, 0)
end

local calls = {}

function calls.sign()
  for algorithm, signature in pairs(signatures) do
    if sign(algorithm).signature ~= signature then wrong "signature" end
  end
end

function calls.signer()
  for algorithm, signature in pairs(signatures) do
    local signed <close> = core.signer {
      algorithm = algorithm, scheme = "http", host = host, action = "DescribeRegions",
      version = "2021-07-30", headers = { ["X-Acs-Padding"] = padding },
    }({ RegionId = "cn-shanghai", Text = "a b" }, nil, 1767323045, "n", "spec", "spec-secret",
      token)
    if signed.signature ~= signature then wrong "signature" end
  end
end

function calls.secret()
  local secret = core.secret("spec-secret")
  local signed = sign("ACS3-HMAC-SHA256", secret)
  secret:close()
  if signed.signature ~= signatures["ACS3-HMAC-SHA256"] then wrong "signature" end
end

function calls.unseal()
  local value, problem = core.unseal('{"id":"i","key":"spec-secret"}', "json", { "key" })
  if not value and not problem then wrong "neither value nor problem" end
  if value then
    local signed = sign("ACS3-HMAC-SHA256", value.key)
    if signed.signature ~= signatures["ACS3-HMAC-SHA256"] then wrong "signature" end
  end
end

function calls.unseal_sections()
  local value, problem = core.unseal("[a] # x\naccessKeyId: i\n[b]\n[a]\nkey = 's' ; x", "ini",
    { "key" })
  if not value and not problem then wrong "neither value nor problem" end
  if value and (value.a.access_key_id ~= "i" or value.a.key:length() ~= 1) then wrong "sections" end
  if core.word_flaw "a\n" ~= "ends in a line end (\\n)" then wrong "flaw" end
end

function calls.decode()
  local value, problem = core.decode(
    '{"a":[1,{"b":"\\u00e9"},null,2.5],"c":9007199254740993}')
  if not value and not problem then wrong "neither value nor problem" end
  if value and (value.c ~= 9007199254740993 or #value.a ~= 4 or value.a[2].b ~= "\xc3\xa9") then
    wrong "value"
  end
end

function calls.ed25519()
  local seed = ("9d"):rep(32)
  local signature = core.ed25519_sign(seed, "text")
  local public = core.ed25519_public(seed)
  -- Without memory nothing is proved; but a wrong text is never believed.
  if core.ed25519_verify(public, signature, "other") then wrong "signature" end
end

local path = scratch.path()

function calls.file()
  os.remove(path)
  local file <close> = core.open_file(path, "append")
  os.remove(path)
  if not (file:append "text\n" and file:sync() and file:lock(0)) then wrong "file" end
  if file:is_locked(0) then wrong "a lock of its own" end
  if file:read(0, 100) ~= "text\n" or file:stat().bytes ~= 5 then wrong "file content" end
  if core.open_file(path, "read") then wrong "a file that is gone" end
  if core.process().pid < 1 then wrong "pid" end
  if not core.write_file(path, "text", "private") then wrong "written" end
end

function calls.owner()
  if core.look("/").type ~= "directory" or core.real_path("/.") ~= "/" then wrong "a look" end
  if not core.user().groups[core.user().gid] then wrong "groups" end
  if core.user().uid == 0 and core.private_group() then wrong "a group of root's own" end
  local names, message = core.list_directory("spec/vectors")
  if not names and not message then wrong "neither names nor message" end
  names = core.list_directory("spec", "vector")
  if names and names[1] ~= "vectors" then wrong "a name by its beginning" end
end

local READS = { "2021-07-30 DescribeRegions", "2014-05-26 DescribeDisks" }

function calls.actions()
  local set = core.actions(READS)
  if not set:has("2014-05-26", "DescribeDisks") then wrong "an operation that is not there" end
  if set:has("2021-07-30", "DescribeDisks") then wrong "an operation of another version" end
end

function calls.child()
  local child <close>, problem = core.child { argv = { "/bin/sh", "-c", "echo x >&3" },
    env = { "A=1" } }
  if not child then return problem or wrong "neither child nor problem" end
  core.poll(child:fd(), "r", 10)
  if child:receive(10) ~= "x\n" then wrong "what it said" end
end

function calls.program()
  local process <close> = core.spawn({ "sh", "-c", "echo said >&2" }, 10,
    { errors = true, without = { "OTHER*" } })
  local said = ""
  while not process:step() do
    said = said .. process:errors()
    core.poll(nil, "r", 0.001)
  end
  if said ~= "said\n" or process:errors() ~= "" then wrong "words of a program" end
  local secret <close> = core.secret "s3cret"
  if secret:mask "a s3cret" ~= "a ***" then wrong "mask" end
end

function calls.leashed_program()
  local place = scratch.path()
  local process <close> = core.spawn({ "printf", "123456" }, 5,
    { leashed = true, overflow = place })
  if not process then return end
  while not process:step() do core.poll(process:pollfd(), "r", 0.01) end
  local output, code = process:result()
  local overflow = process:overflow()
  if output or code ~= 0 or overflow.bytes ~= 6 then wrong "end of a program" end
  os.remove(place)
end

function calls.poll_group()
  local group <close> = core.poll_group()
  local many = {}
  for i = 1, 100 do many[i] = group:pollfd() end
  local inner <close> = core.poll_group()
  inner:add(group:pollfd())
  if core.poll(inner:pollfd(), "r", 0) or core.poll(many, "r", 0) then wrong "poll" end
end

-- One after the other in the same coroutine; a body that had its memory is not carried out twice.
function calls.aside()
  local begun = 0
  local aside = core.aside(function(depth, ...)
    local function deepen(n) return n > 0 and 1 + deepen(n - 1) or 0 end
    begun = begun + 1
    return deepen(depth), ...
  end)
  for i = 1, 3 do
    local depth, a, b = aside(i * 40, nil, "b")
    if begun ~= i or depth ~= i * 40 or a or b ~= "b" then wrong "what it gives" end
  end
  local ok, raised = pcall(core.aside(error), "fault", 0)
  if ok or raised ~= "fault" and not raised:find "memory" then wrong "what it raises" end
end

function calls.encode()
  local text = core.encode { a = { 1, 2.5, "x", core.null }, b = core.array {} }
  if text ~= '{"a":[1,2.5,"x",null],"b":[]}' then wrong(text) end
end

function calls.plain_copy()
  local given = { a = { 1, "x", { b = 0.5 } }, key = "k" }
  if not core.is_json(given) then wrong "what JSON can hold" end
  local secrets = setmetatable({ a = false, key = true }, { __index = function(_, name)
    return name ~= "b"
  end })
  local text = core.encode(core.plain_copy(given, secrets, "-"))
  if text ~= '{"a":[1,"x",{"b":0.5}],"key":"-"}' then wrong(text) end
end

function calls.read()
  for _, exchange in ipairs(exchanges) do
    local result, fields = core.read(exchange)
    local outcome = result and "accepted" or fields.outcome
    -- Unknown is the honest answer of one who could not read.
    if outcome ~= exchange.expected and outcome ~= "unknown" then wrong(outcome) end
  end
end

local function finish(client, op, signed)
  local steps = 0
  while not op:done() do
    client:step()
    serve()
    steps = steps + 1
    if steps > 5000000 then wrong "hangs" end
  end
  local result, fields = core.read(signed and op or op:result(), signed)
  if not result and fields.outcome == "rejected" then wrong "rejected" end
end

local function exchange_one(client, mutating, peer)
  local signed = sign("ACS3-HMAC-SHA256", nil, peer or host)
  local op <close> = client:submit {
    method = signed.method, url = signed.url, headers = signed.headers, body = "Name=value",
    timeout = 2, mutating = mutating, plain_http = peer ~= nil,
  }
  finish(client, op)
end

function calls.transport()
  local client <close> = transport.new { connect_timeout = 2 }
  exchange_one(client, false)
  exchange_one(client, true)
end

-- As clients do it, also those that observe.
function calls.call()
  local client <close> = transport.new { connect_timeout = 2, observe = true,
    reads = core.actions(READS) }
  local signer = core.signer {
    scheme = "http", host = host, action = "DescribeRegions", version = "2021-07-30",
    headers = { accept = "application/json", ["user-agent"] = "spec" },
  }
  for _ = 1, 2 do
    local signed <close> = signer({ RegionId = "cn-shanghai" }, nil, 1767323045, "n", "spec",
      "spec-secret", "token")
    local op <close> = client:submit(signed, 2, false, false)
    finish(client, op, signed)
  end
end

function calls.settings()
  local pinned = host:gsub("^[^:]+", "pinned.invalid")
  local client <close> = transport.new {
    connect_timeout = 2, proxy = "http://user:password@127.0.0.1:1", no_proxy = "pinned.invalid",
    resolve = { [pinned] = { "127.0.0.1", "::1" }, ["other.invalid"] = { "127.0.0.1" } },
  }
  exchange_one(client, false, pinned)
end

return calls
