-- What a shell may offer: where it is from, what is kept of looks, and bash with it. Real shells on
-- a terminal are asked in spec/hosts.

local candidates = require "alicloud.cli.completion.candidates"
local core = require "alicloud.core"
local cursors = require "spec.cli.cursors"
local declared = require "alicloud.cli.declared"
local desks = require "spec.cli.desk"
local process = require "spec.process"
local scratch = require "spec.scratch"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"

describe("the completion of bash", function()
  it("offers what fits at each cursor", function()
    local list, environment = cursors.room()
    local lines, before = {}, {}
    for i, cursor in ipairs(list) do lines[i] = cursor.line .. "\n" end
    for name, value in pairs(environment) do before[#before + 1] = name .. "=" .. value end
    local script = scratch.file((process.sh "alicloud-dr completion bash"))
    local output, code = process.sh(("env %s bash spec/cli/ask.bash %s <%s"):format(
      table.concat(before, " "), script, scratch.file(table.concat(lines))))
    assert.equal(0, code, output)
    local answers = cursors.answers(output)
    for _, cursor in ipairs(list) do
      -- bash tells what stands behind the last = or : only.
      local standing = cursor.line:match "%S*$":match "^(.*[=:])" or ""
      if cursor.line:match "%S*$":find "^%-%-%l+=" then standing = "" end
      cursors.check(cursor, assert(answers[cursor.line], output), function(word)
        return word:sub(#standing + 1)
      end)
    end
  end)

  it("executes nothing that it is given, and is correct for bash -n", function()
    local script = desks.new():run("completion", "bash").out
    local _, code = process.sh("bash -n " .. scratch.file(script))
    assert.equal(0, code)
    assert.is_nil(script:find("compgen -W", 1, true))
  end)
end)

-- Placeholders of what nobody but the user knows.
local UNKNOWN = tables.set { "account", "account=profile,…", "address", "calls", "cmd", "cmd|url",
  "date", "drill", "duration", "factor", "gate", "host", "host=ip", "hosts", "ids", "instance",
  "json", "key", "Key=Value", "name", "name=codes", "number", "numbers", "port", "role", "seconds",
  "share", "source=target,…", "step", "step=why", "sum", "text", "tiers", "time", "token", "url" }

describe("what may be typed", function()
  it("is known, or known to be unknown, for every value of the registry", function()
    for _, command in ipairs(declared.read().commands) do
      for _, list in ipairs { command.arguments, command.options, command.connection } do
        for _, each in ipairs(list) do
          local takes = each.takes
          assert.is_true(takes == nil or each.choices ~= nil or takes == "param"
            or candidates.OF[takes] ~= nil or UNKNOWN[takes] == true,
            ("%s: <%s>"):format(command.name, tostring(takes)))
        end
      end
    end
  end)

  it("is said in words that need no quotes in a shell", function()
    for name, given in pairs(candidates.OF) do
      for _, word in ipairs(given.words and given.words() or {}) do
        assert.equal(word[1], shell.quote(word[1]), name)
        assert.is_nil(word[2]:find "[\n\t]", name)
      end
    end
  end)
end)

describe("the last look", function()
  local desk, cache

  before_each(function()
    cache = scratch.directory()
    desk = desks.new()
    desk.env.XDG_CACHE_HOME = cache
  end)

  local function words(kind, ...)
    local list = {}
    for word in desk:run("completion", "--words", kind, ...).out:gmatch "([^\t\n]+)\t[^\n]*\n" do
      list[#list + 1] = word
    end
    return list
  end

  local function file()
    return cache .. "/alicloud-dr/last-look.json"
  end

  it("of status and of readiness is what is offered, without a question to the service", function()
    assert.same({}, words "groups")
    assert.equal(0, desk:run("status", "--region", "cn-shanghai").code)
    local asked = #desk:requests()
    assert.same({ "pg-orders", "name:orders" }, words "groups")
    assert.same({ "pg-orders", "name:orders" }, words("groups", "--region", "cn-hangzhou"))
    assert.same({}, words("groups", "--region=cn-beijing"))
    local places = " " .. table.concat(words "places", " ") .. " "
    assert.matches(" cn%-hangzhou cn%-hangzhou%-g cn%-shanghai cn%-shanghai%-b ", places)
    assert.is_nil(table.concat(words "regions", " "):find "cn%-shanghai%-b")
    assert.same({}, words "rubbish")
    assert.equal(asked, #desk:requests())
    assert(os.remove(file()))
    assert.equal(0, desk:run("readiness", "--region", "cn-shanghai").code)
    assert.same({ "pg-orders", "name:orders" }, words "groups")
  end)

  it("is of one service and one key, and holds neither", function()
    desk:run("status", "--region", "cn-shanghai")
    assert.same({}, words("groups", "--profile", "other"))
    assert.same({}, words("groups", "--endpoint", "http://127.0.0.1:1"))
    desk.env.ALIBABA_CLOUD_ACCESS_KEY_ID = "another"
    assert.same({}, words "groups")
    assert.is_nil(scratch.read(file()):find "emulator")
  end)

  it("is kept for its owner alone, and a look at one group forgets no other", function()
    desk:run("status", "--region", "cn-shanghai")
    assert.equal(tonumber("600", 8), core.look(file()).mode & tonumber("777", 8))
    assert.equal(tonumber("700", 8), core.look(cache .. "/alicloud-dr").mode & tonumber("777", 8))
    local looks = core.decode(scratch.read(file()))
    looks[1].groups[2] = { id = "pg-other" }
    scratch.write(file(), core.encode(looks))
    desk:run("status", "pg-orders", "--region", "cn-shanghai")
    assert.same({ "pg-orders", "pg-other", "name:orders" }, words "groups")
    desk:run("status", "--region", "cn-shanghai")
    assert.same({ "pg-orders", "name:orders" }, words "groups")
  end)

  it("that somebody else has written, or that is broken, is none", function()
    desk:run("status", "--region", "cn-shanghai")
    local looks = core.decode(scratch.read(file()))
    for _, id in ipairs { "$(touch x)", "pg 1", "pg-1;id", "" } do
      looks[1].groups[1].id = id
      scratch.write(file(), core.encode(looks))
      assert.same({}, words "groups", id)
    end
    for _, text in ipairs { "", "{", "[1]", '[{"scope":1}]', "null", '{"a":[]}' } do
      scratch.write(file(), text)
      assert.same({}, words "groups", text)
      assert.equal(0, desk:run("status", "--region", "cn-shanghai").code)
    end
    assert.same({ "pg-orders", "name:orders" }, words "groups")
  end)

  it("that cannot be written fails nothing", function()
    for _, place in ipairs { "/dev/null/x", "relative", cache .. "/missing/below" } do
      desk.env.XDG_CACHE_HOME = place
      local ran = desk:run("status", "--region", "cn-shanghai")
      assert.equal(0, ran.code)
      assert.equal("", ran.err)
      assert.same({}, words "groups")
    end
  end)

  it("knows the journals of this machine", function()
    desk.env.ALICLOUD_DR_JOURNALS = cache
    scratch.write(cache .. "/orders-1.jsonl", "")
    scratch.write(cache .. "/orders 2.jsonl", "")
    scratch.write(cache .. "/orders-1.jsonl.lock", "")
    assert.same({ cache .. "/orders-1.jsonl" }, words "journals")
  end)
end)

describe("a word that is no command", function()
  it("is answered with the command that was meant", function()
    local function told(...) return desks.new():run(...).err end
    assert.matches("did you mean 'manual'%?", told "man")
    assert.matches("did you mean 'status' or 'start'%?", told "sta")
    assert.matches("topic of the manual: alicloud%-dr manual zones", told("help", "zones"))
    assert.matches("did you mean \"failover\"", told("help", "failver"))
    assert.matches("is a command: alicloud%-dr help failover", told("manual", "failover"))
  end)

  it("is no way to its help, but help and --help are", function()
    local desk = desks.new()
    assert.equal(desk:run("failover", "--help").out, desk:run("help", "failover").out)
    assert.equal(desk:run("--help").out, desk:run("help").out)
  end)
end)
