-- A program that is run to its end: what it says, what it gets, and how long it may take.

local blocking = require "alicloud.loop.blocking"
local core = require "alicloud.core"
local programs = require "alicloud.base.program"
local runtimes = require "alicloud.base.runtime"
local scratch = require "spec.scratch"

local loop = blocking.new(runtimes.new())

-- Runs a shell line; its end and the lines that it said.
local function run(line, timeout)
  local lines = {}
  local function say(text) lines[#lines + 1] = text end
  local ended = programs.run(loop, { "sh", "-c", line }, { max = 65536, say = say,
    timeout = timeout })
  return ended, lines
end

-- What a program of its own prints, on either stream.
local function output_of(script, environment)
  local pipe <close> = assert(io.popen(("env %s lua5.4 %s 2>&1"):format(environment or "",
    scratch.file([[local programs = require "alicloud.base.program"
      local loop = require("alicloud.loop.blocking").new(require("alicloud.base.runtime").new())
      ]] .. script, ".lua"))))
  return pipe:read "a"
end

describe("what a program says on standard error", function()
  it("comes line by line, safe for a terminal, and the last one without its end, too", function()
    local ended, lines = run [[printf 'one\ntwo\r\n\033]0;x\007\n\nunfin' >&2; echo out;
      sleep 0.02; printf 'ished' >&2; exit 3]]
    assert.equal(3, ended.code)
    assert.equal(4, ended.output:length())
    assert.same({ "one", "two", "\\x1b]0;x\\x07", "", "unfinished" }, lines)
  end)

  it("is never lost, however much it is, and a line without an end is cut", function()
    local ended, lines = run "seq 1 60000 >&2"
    assert.equal(0, ended.code)
    assert.equal(60000, #lines)
    assert.equal("60000", lines[60000])
    ended, lines = run [[printf '%010000d' 7 >&2]]
    assert.equal(0, ended.code)
    assert.same({ 4000, 4000, 2000 }, { #lines[1], #lines[2], #lines[3] })
    local cut = select(2, run [[for i in $(seq 1 1500); do printf '日' >&2; done]])
    assert.equal(("日"):rep(1500), table.concat(cut))
  end)

  it("is heard to the end of one whose time is over, or who leaves a child behind", function()
    local ended, lines = run("echo begun >&2; printf 'and' >&2; sleep 100", 2)
    assert.is_true(ended.late)
    assert.same({ "begun", "and" }, lines)
    local before = core.monotonic()
    ended, lines = run "sleep 30 >/dev/null & echo left >&2"
    assert.equal(0, ended.code)
    assert.same({ "left" }, lines)
    assert.is_true(core.monotonic() - before < 20)
  end)

  it("goes to the host's own where nobody listens", function()
    assert.equal("said\n", output_of [[
      programs.run(loop, { "sh", "-c", "echo said >&2" }, { max = 10 })]])
  end)

  it("tells why one did not start", function()
    local ended, fault = programs.run(loop, { "/no/such/program" }, { max = 10 })
    assert.is_nil(ended)
    assert.equal("no such program", fault)
    assert.has_error(function()
      core.spawn({ "true" }, 10, { error = true })
    end, "spawn: unknown option 'error', did you mean 'errors'?")
    assert.has_error(function() core.spawn({ "true" }, 10, { without = 1 }) end)
  end)
end)

describe("the environment of a program", function()
  local NAMES = { "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN", "ALIBABA_CLOUD_CREDENTIALS_URI", "ALICLOUD_ACCESS_KEY",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "ALICLOUD_SECRET_KEY", "ALIYUN_SECURITY_TOKEN",
    "ALIBABACLOUD_ACCESS_KEY_SECRET", "OSS_ACCESS_KEY_SECRET", "ACCESS_KEY_SECRET",
    "SECURITY_TOKEN", "SECRET_KEY" }

  -- The environment of a program whose host has a canary in every one of those, sealed or not.
  local function seen(without, seal)
    local words = {}
    for i, name in ipairs(NAMES) do words[i] = name .. "=canary" .. i end
    return output_of(([[
      local core = require "alicloud.core"
      if %s then
        assert(core.seal_environment { "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "NOT_SET",
          "ALIBABA_CLOUD_SECURITY_TOKEN" } == 2)
        assert(not os.getenv "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
        assert(core.secret_from_env("ALIBABA_CLOUD_ACCESS_KEY_SECRET"):length() == 7)
        assert(core.secret_from_env("ALIBABA_CLOUD_ACCESS_KEY_SECRET"):mask "canary2" == "***")
        assert(not core.secret_from_env "NOT_SET")
      end
      programs.run(loop, { "sh", "-c", "env >&2" },
        { max = 10, without = %s and programs.KEYS or nil })]]):format(seal, without),
      "OTHER_TOKEN=kept " .. table.concat(words, " "))
  end

  for _, seal in ipairs { false, true } do
    it("is that of its host, " .. (seal and "sealed variables too" or "or less"), function()
      local text = seen(false, seal)
      for i, name in ipairs(NAMES) do
        assert.is_truthy(text:find(name .. "=canary" .. i .. "\n", 1, true), text)
      end
      text = seen(true, seal)
      assert.is_nil(text:find("canary", 1, true), text)
      assert.matches("\nPATH=", "\n" .. text)
      assert.matches("\nOTHER_TOKEN=kept\n", "\n" .. text)
    end)
  end
end)
