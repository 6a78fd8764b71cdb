local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local json = require "alicloud.cli.json"
local lab = require "spec.dr.lab"
local process = require "spec.process"
local scratch = require "spec.scratch"
local terminal = require "alicloud.cli.terminal"

local HOSTILE = "\27]0;owned\7\27[2J\r\n\8\127\xc2\x9b31m\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xff"

local function is_harmless(text)
  for _, code in utf8.codes(text) do
    local harmful = code < 32 and code ~= 10 or code == 127 or code >= 0x80 and code < 0xa0
      or code >= 0x202a and code <= 0x202e or code >= 0x2066 and code <= 0x2069 or code == 0x61c
      or code >= 0x200e and code <= 0x200f
    if harmful then return false, ("U+%04X"):format(code) end
  end
  return true
end

describe("text from outside", function()
  it("reaches the terminal only with its controls made visible", function()
    local safe = terminal.clean(HOSTILE)
    assert.is_true(is_harmless(safe))
    assert.is_nil(safe:find("\n", 1, true))
    assert.matches("\\x1b%]0;owned\\x07", safe)
    assert.equal("日本 → ✔", terminal.clean("日本 → ✔"))
  end)

  it("is cut at a character, not inside one", function()
    local cut = terminal.clean(("é"):rep(300), 101)
    assert.is_truthy(utf8.len(cut))
    assert.is_true(#cut <= 104)
  end)

  it("is clean in every command, whatever field of the service it was in", function()
    local record = {
      ReplicaGroupId = lab.ID, GroupName = HOSTILE, Status = HOSTILE, PairNumber = 1,
      PairIds = { HOSTILE }, SourceRegionId = "cn-hangzhou", SourceZoneId = HOSTILE,
      DestinationRegionId = "cn-shanghai", DestinationZoneId = HOSTILE, LastRecoverPoint = 5,
    }
    local pair = {
      ReplicaPairId = HOSTILE, Status = HOSTILE, StatusMessage = HOSTILE, SourceDiskId = HOSTILE,
      DestinationDiskId = HOSTILE, SourceRegion = HOSTILE, DestinationRegion = HOSTILE,
      ReplicaGroupId = HOSTILE, LastRecoverPoint = 5,
    }
    -- The byte 0xff cannot stand in JSON text.
    local function body(object) return (core.encode(object):gsub("\xff", "")) end
    local transport = { send = function(request)
      local answer = { RequestId = HOSTILE:gsub("\xff", ""), NextToken = "" }
      if request.action == "DescribeDiskReplicaGroups" then
        answer.ReplicaGroups = core.array { record }
      elseif request.action == "DescribeDiskReplicaPairs" then
        answer.ReplicaPairs = core.array { pair }
      else
        answer.Code, answer.Message = HOSTILE:gsub("\xff", ""), HOSTILE:gsub("\xff", "")
        return { status = 403, headers = {}, body = body(answer) }
      end
      return { status = 200, headers = {}, body = body(answer) }
    end }
    local function strip(object)
      for key, value in pairs(object) do
        if type(value) == "string" then object[key] = value:gsub("\xff", "") end
      end
      return object
    end
    strip(record)
    strip(pair)
    record.PairIds = { (HOSTILE:gsub("\xff", "")) }
    local commands = {
      { "status" }, { "status", lab.ID }, { "precheck", lab.ID }, { "failover", lab.ID, "--yes" },
      { "call", "DescribeDiskReplicaGroups" }, { "call", "-y", "FailoverDiskReplicaGroup",
        "ReplicaGroupId=pg-1" },
    }
    for _, words in ipairs(commands) do
      local desk = desks.new { transport = transport }
      words[#words + 1], words[#words + 2] = "--region", "cn-shanghai"
      local ran = desk:run(table.unpack(words))
      for _, text in ipairs { ran.out, ran.err } do
        local fine, culprit = is_harmless(text)
        assert.is_true(fine, table.concat(words, " ") .. ": " .. tostring(culprit))
      end
      assert.is_true(#ran.out + #ran.err > 0)
    end
  end)
end)

describe("JSON", function()
  it("escapes above ASCII exactly what a terminal would not get either", function()
    local ranges = { { 0x7f, 0x3000 }, { 0xf000, 0xffff }, { 0x1f600, 0x1f610 },
      { 0xdff00, 0xe0200 } }
    for _, range in ipairs(ranges) do
      for code = range[1], range[2] do
        local text = utf8.char(code)
        local encoded = json.encode { text }
        assert.equal(terminal.clean(text) ~= text, encoded:find("\\u", 1, true) ~= nil,
          ("U+%04X"):format(code))
        assert.same({ text }, core.decode(encoded))
      end
    end
    assert.equal('["\\udb40\\udc41é"]', json.encode(core.array { "\u{e0041}é" }))
  end)

  it("is what every command prints", function()
    local text = "\u{9b}31m\u{202e}\u{feff}\u{e0041}\x7f"
    local transport = { send = function()
      return { status = 200, headers = {}, body = core.encode { RequestId = "R",
        ReplicaGroups = core.array { { ReplicaGroupId = lab.ID, Status = text } },
        ReplicaPairs = core.array {} } }
    end }
    for _, words in ipairs { { "status", "--json" }, { "precheck", lab.ID, "--json" },
      { "failover", lab.ID, "--yes", "--json" }, { "call", "DescribeDiskReplicaGroups" },
      { "call", "DescribeDiskReplicaGroups", "--json" } } do
      words[#words + 1], words[#words + 2] = "--region", "cn-shanghai"
      local out = desks.new({ transport = transport }):run(table.unpack(words)).out
      assert.is_truthy(out:find("\\u009b31m\\u202e\\ufeff\\udb40\\udc41\\u007f", 1, true), out)
      assert.is_true(is_harmless(out))
    end
  end)
end)

describe("the moving line", function()
  local function shown(columns, text)
    local out = {}
    local io = { tty = true, columns = columns, out = function(part) out[#out + 1] = part end }
    terminal.spinner(io).show("  failover    ", text)
    return (table.concat(out):gsub("^\r\27%[K", ""))
  end

  it("never reaches the last column, however narrow, and is cut between characters", function()
    for columns = 1, 60 do
      local length = utf8.len(shown(columns, "failovering 1/3 pairs  ✔✔✔✔✔✔✔✔"))
      assert.is_true(length <= columns - 1, columns)
    end
    assert.equal("  failover    ⠋ short", shown(80, "short"))
  end)

  it("shows a percent sign as it is", function()
    assert.equal("  failover    ⠋ 100% %s %%", shown(80, "100% %s %%"))
  end)
end)

describe("a terminal", function()
  local ESCAPE = "\27["

  it("sees colours and one moving line; everything else sees neither", function()
    local shown = desks.new { tty = true, color = true }:run("failover", lab.ID, "--yes",
      "--region", "cn-shanghai").out
    assert.is_truthy(shown:find(ESCAPE .. "32m✔", 1, true))
    assert.is_truthy(shown:find("\r" .. ESCAPE .. "K  failover    ⠋ failovering", 1, true))
    local logged = desks.new():run("failover", lab.ID, "--yes", "--region", "cn-shanghai").out
    assert.is_nil(logged:find("\27", 1, true))
    assert.is_nil(logged:find("\r", 1, true))
    assert.is_truthy(logged:find("  failover    failovering 2/3 pairs", 1, true))
  end)

  it("without colours still has its moving line, and no colour", function()
    local shown = desks.new { tty = true, color = false }:run("failover", lab.ID, "--yes",
      "--region", "cn-shanghai").out
    assert.is_nil(shown:find("\27%[%d+m"))
    assert.is_truthy(shown:find("\r" .. ESCAPE .. "K", 1, true))
  end)

  it("gets nothing but the object with --json", function()
    local ran = desks.new { tty = true, color = true }:run("failover", lab.ID, "--yes", "--json",
      "--region", "cn-shanghai")
    assert.is_nil(ran.out:find("\27", 1, true))
    assert.equal("failovered", ran.object.outcome)
  end)
end)

describe("the terminal", function()
  it("is asked for its width without a program", function()
    local emulator <close> = process.start_emulator()
    local ask = scratch.file([[print(require "alicloud.core".terminal(1))]], ".lua")
    local said = emulator:shell("script -qec 'stty cols 61 2>/dev/null; lua5.4 " .. ask
      .. "' /dev/null; lua5.4 " .. ask)
    assert.matches("^61%s+nil%s*$", said)
  end)
end)
