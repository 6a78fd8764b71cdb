-- Credentials from a program: how its words are read, how it is run, and what is taken of it.
local child = require "spec.child"
local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local external = require "alicloud.credentials.external"
local machines = require "spec.credentials"
local scratch = require "spec.scratch"

local function run(command, given)
  given = given or {}
  local machine = machines.new { env = given.env, loop = machines.real_loop() }
  return machines.open(machine,
    credentials.external { command = command, timeout = given.timeout }):get()
end

local function printing(object)
  return { "printf", "%s", type(object) == "string" and object or core.encode(object) }
end

describe("a command line", function()
  it("is split as a shell would, and nothing in it is expanded", function()
    for text, words in pairs {
      ["tool"] = { "tool" },
      ["  tool  a\tb\n"] = { "tool", "a", "b" },
      [ [[tool 'a b' "c d" e\ f]] ] = { "tool", "a b", "c d", "e f" },
      [ [[tool "" '']] ] = { "tool", "", "" },
      [ [[tool "a\"b\\c\$d\`e\f" 'a\b']] ] = { "tool", [[a"b\c$d`e\f]], [[a\b]] },
      [ [[tool a"b c"'d'e]] ] = { "tool", "ab cde" },
      ["tool a\\\nb \"c\\\nd\""] = { "tool", "ab", "cd" },
      ["tool $HOME `x` $(x) *.txt ; x | y > z && w"] = { "tool", "$HOME", "`x`", "$(x)", "*.txt",
        ";", "x", "|", "y", ">", "z", "&&", "w" },
    } do
      assert.same(words, external.split(text), text)
    end
  end)

  it("is refused when a quote is open, or nothing is in it", function()
    for text, reason in pairs {
      [""] = "it is empty", ["  "] = "it is empty", ["''"] = "it is empty",
      ["a 'canary"] = "a quote is not closed", ['a "canary'] = "a quote is not closed",
      ["canary\\"] = "it ends in a backslash",
    } do
      assert.same({ nil, reason }, { external.split(text) })
    end
  end)
end)

describe("a program", function()
  it("gives a pair, or a session with its end", function()
    local keys = run(printing { mode = "AK", access_key_id = "LTAIx", access_key_secret = "s" })
    assert.same({ "LTAIx", "external" }, { keys.access_key_id, keys.provider })
    assert.is_nil(keys.security_token)
    keys = run(printing { mode = "StsToken", access_key_id = "STS.x", access_key_secret = "s",
      sts_token = "tok", expiration = core.iso8601(1795317592 + 600) })
    assert.equal(3, keys.security_token:length())
    assert.equal(1795317592 + 600, keys.expiration)
  end)

  it("tells the end as RFC 3339 writes it, or in unix seconds", function()
    local at = 1795317592 + 600
    local function expiration(value)
      local keys, err = run(printing { mode = "StsToken", access_key_id = "STS.x",
        access_key_secret = "s", sts_token = "tok", expiration = value })
      return keys and keys.expiration, err and err.message
    end
    local utc = core.iso8601(at):sub(1, -2)
    for _, text in ipairs { utc .. "Z", utc:lower() .. "z", utc .. "+00:00", utc .. "-00:00",
      core.iso8601(at + 8 * 3600):sub(1, -2) .. "+08:00",
      core.iso8601(at - 19800):sub(1, -2) .. "-05:30", utc:gsub("T", " ") .. "Z", at,
      tostring(at) } do
      assert.equal(at, expiration(text), text)
    end
    assert.equal(at + 0.25, expiration(utc .. ".25Z"))
    assert.equal(at, expiration(utc .. ".000000+00:00"))
    for _, wrong in ipairs { utc, utc .. "+0800", utc .. "+25:00", utc .. ".Z", "tomorrow", "10m",
      at * 1000, -1, true } do
      local got, message = expiration(wrong)
      assert.is_nil(got)
      assert.matches("expiration is no time: allowed: unix seconds", message)
    end
  end)

  it("is one that must be there, end well, in time, and write little", function()
    for _, case in ipairs {
      { { "/no/such/program" }, "the program: no such program" },
      { "false", "the program ended with exit code 1" },
      { [[sh -c 'kill -9 $$']], "the program was ended by signal 9" },
      { "yes canary", "the program wrote more than 65536 bytes" },
      { "sleep 100", "the program did not end within 0.2 s and was killed", timeout = 0.2 },
      { [[sh -c 'exec 1>&-; sleep 100']], "did not end within 0.2 s", timeout = 0.2 },
    } do
      local keys, err = run(case[1], case)
      assert.is_nil(keys)
      assert.is_truthy(err.message:find(case[2], 1, true), err.message)
    end
  end)

  it("is not run where programs are switched off", function()
    local path = scratch.path()
    local _, err = run({ "touch", path },
      { env = { ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS = "TRUE" } })
    assert.matches("switched off by ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", err.message)
    assert.is_nil(io.open(path))
  end)

  it("is not quoted when its output is no use", function()
    for _, output in ipairs { "canary", "", '{"access_key_secret":"canary',
      { access_key_secret = "canary" }, { access_key_id = "i" },
      { access_key_id = "canary x", access_key_secret = "canary" },
      { mode = "StsToken", access_key_id = "i", access_key_secret = "canary" },
      -- Keys that are to be used in another way than as they are.
      { mode = "RamRoleArn", access_key_id = "i", access_key_secret = "canary" },
      { access_key_id = "i", access_key_secret = "canary", expiration = "canary" },
    } do
      local keys, err = run(printing(output))
      assert.is_nil(keys)
      assert.matches("^the program's output: ", err.message)
      assert.is_nil(tostring(err):find("canary", 1, true))
    end
  end)

  it("is told which of its keys holds what no key has in it", function()
    for name, flaw in pairs { access_key_id = "ends in a line end (\\n)",
      access_key_secret = "ends in a blank", sts_token = "begins with a blank" } do
      local object = { access_key_id = "i", access_key_secret = "canary", sts_token = "canary" }
      object[name] = ({ access_key_id = "i\n", access_key_secret = "canary ",
        sts_token = " canary" })[name]
      local keys, err = run(printing(object))
      assert.is_nil(keys)
      assert.equal(("the program's output: %s %s"):format(name, flaw), err.message)
    end
  end)

  it("leaves the loop free while it works", function()
    local waits = 0
    local loop = machines.real_loop()
    local wait = loop.wait
    function loop.wait(...)
      waits = waits + 1
      wait(...)
    end
    local machine = machines.new { loop = loop }
    local keys = machines.open(machine, credentials.external { command = { "sh", "-c",
      [[sleep 0.05; printf '{"access_key_id":"i","access_key_secret":"s"}']] } }):get()
    assert.equal("i", keys.access_key_id)
    assert.is_true(waits >= 1)
  end)

  it("ends with the process that has asked for it, be that killed", function()
    local place = scratch.path()
    local host = scratch.file(([[
      local provider = require "alicloud.credentials".external { command = { "sh", "-c",
        "echo $$ >%s.new && mv %s.new %s; exec sleep 100" } }
      require "alicloud".client { region = "cn-shanghai", credentials = provider }
        :call("DescribeDiskReplicaGroups", {})
    ]]):format(place, place, place), ".lua")
    os.execute(("lua5.4 %s & host=$!; until [ -s %s ]; do kill -0 $host || break; "
      .. "sleep 0.02; done; kill -s KILL $host; wait $host 2>/dev/null"):format(host, place))
    local pid, ends = math.tointeger(tonumber(scratch.read(place))), core.monotonic() + 60
    while child.is_alive(pid) do
      assert.is_true(core.monotonic() < ends)
      core.poll(nil, "r", 0.01)
    end
  end)
end)
