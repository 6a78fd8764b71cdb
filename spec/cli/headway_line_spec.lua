-- The line that tells how far a fleet is: what it says, where it stands, and that it is nobody's
-- where there is no terminal.

local desks = require "spec.cli.desk"
local headway_lines = require "alicloud.cli.headway_line"
local process = require "spec.process"
local scratch = require "spec.scratch"
local widths = require "alicloud.cli.width"
local worlds = require "spec.worlds"
local zones = require "alicloud.cli.zone"

local function event_of(given)
  local event = { type = "headway", count = 1000, done = 412, failed = 0, left_out = 0,
    under_way = 391, open = 197 }
  for name, value in pairs(given or {}) do event[name] = value end
  return event
end

local MANY = event_of { count = 10000, done = 4120, failed = 213, left_out = 1204,
  under_way = 3910, calls = 297.2, calls_allowed = 300, ends_at = 1795316400 }

describe("how far a fleet is", function()
  it("is said with what is known", function()
    assert.equal("412 of 1000 opened, 391 under way",
      headway_lines.words(event_of { word = "opened" }, 80))
    assert.equal("412 of 1000 done, 391 under way", headway_lines.words(event_of(), 80))
    assert.equal("412 of 1000 done, 391 under way, 12 left out, 3 failed",
      headway_lines.words(event_of { left_out = 12, failed = 3 }, 80))
    assert.equal("412 of 1000 done, 391 under way, 29 of 30 calls a second",
      headway_lines.words(event_of { calls = 29.04, calls_allowed = 29.99 }, 80))
    assert.equal("412 of 1000 done, 391 under way, ends about " .. zones.clock(1795316400),
      headway_lines.words(event_of { ends_at = 1795316400 }, 80))
  end)

  it("is said in ever fewer words where there is less room", function()
    local clock = zones.clock(MANY.ends_at)
    assert.equal("4120 of 10000 done, 3910 under way, 1204 left out, 213 failed, "
      .. "297 of 300 calls a second, ends about " .. clock, headway_lines.words(MANY, 200))
    assert.equal("4120/10000 done, 3910 under way, 1204 left out, 213 failed, "
      .. "297/300 calls/s, ends " .. clock, headway_lines.words(MANY, 100))
    local short = headway_lines.words(MANY, 75)
    assert.equal("4120/10000, 3910 now, 1204 out, 213 failed, 297/300/s, " .. clock, short)
    assert.is_true(widths.of(short) <= 75)
  end)
end)

-- What a terminal of so many columns shows, and its lines as they have come.
local function terminal_of(columns)
  local said = {}
  local function write(text) said[#said + 1] = text end
  return { out = write, err = write, tty = true, columns = columns }, said
end

describe("the line of a fleet", function()
  it("is written over, fits the terminal, and goes with the last word", function()
    local io, said = terminal_of(60)
    local out = io.out
    local take = headway_lines.of(io)
    take(MANY)
    take(event_of())
    take(event_of { last = true })
    assert.same({ 3, "\r\27[K" }, { #said, said[3] })
    for i = 1, 2 do
      assert.equal("\r\27[K  ", said[i]:sub(1, 6))
      assert.is_true(widths.of(said[i]:sub(5)) <= 59)
    end
    assert.equal(out, io.out)
  end)

  it("stands below whatever else is printed", function()
    local io, said = terminal_of(80)
    local take = headway_lines.of(io)
    take(event_of())
    io.out "one\n"
    io.err "two\n"
    take(event_of())
    take(event_of { last = true })
    assert.same({ "\r\27[K", "one\n", "two\n" }, { said[2], said[3], said[4] })
    assert.matches("412 of 1000 done", said[5])
  end)

  it("does not write where somebody types", function()
    local io, said = terminal_of(80)
    local take = headway_lines.of(io)
    io.asking = true
    take(event_of())
    assert.same({}, said)
    io.asking = nil
    take(event_of())
    assert.equal(1, #said)
  end)

  it("is that of the outermost, and names its branch", function()
    local io, said = terminal_of(80)
    local take = headway_lines.of(io)
    take(event_of { step = "ready\27[2J" })
    take(event_of { step = "ready/other", done = 1 })
    assert.equal(1, #said)
    assert.matches("ready\\x1b%[2J ⠋ 412 of 1000 done", said[1])
  end)

  it("is nobody's where there is no terminal", function()
    local io, said = terminal_of(80)
    io.tty = false
    headway_lines.of(io)(event_of())
    assert.same({}, said)
    assert.is_nil(headway_lines.every(io, {}))
    io.events = {}
    assert.equal(5, headway_lines.every(io, {}))
    io.tty = true
    assert.equal(1, headway_lines.every(io, {}))
    assert.equal(5, headway_lines.every(io, { json = true }))
  end)
end)

describe("run fleet", function()
  local WORDS = { "run", "fleet", "groups=all", "region=cn-shanghai", "--yes" }

  it("shows how far it is at a terminal, and only there", function()
    local shown = {}
    for _, tty in ipairs { true, false } do
      local desk = desks.room(false, { world = worlds.of_groups(12), tty = tty, columns = 80 })
      local ran = desk:run(table.unpack(WORDS))
      assert.equal(0, ran.code, ran.err)
      shown[tty] = ran.out
    end
    assert.is_nil(shown[false]:find("\27", 1, true))
    assert.is_nil(shown[false]:find("under way", 1, true))
    local lines, clock = 0, zones.clock(0):gsub("%d", "%%d")
    for line in shown[true]:gmatch "\r\27%[K([^\r\n]+)" do
      lines = lines + 1
      assert.is_true(widths.of(line) <= 79, line)
    end
    assert.is_true(lines > 80, lines)
    assert.matches("⠋ 0 of 12 looked at, 12 under way", shown[true])
    assert.matches("1 of 12 opened, 11 under way, %d+ of 30 calls a second, ends about "
      .. clock, shown[true])
    -- What is left on the screen has nothing of it.
    local left = ("\n" .. shown[true]):gsub("[^\n]*\r\27%[K", "")
    assert.is_nil(left:find("\27", 1, true) or left:find("under way", 1, true))
    assert.matches("\n  ✔ pg%-01/promote +43 s\n    failover pg%-02,", left)
    assert.matches("\n  ✔ completed", left)
  end)

  it("shows what a long step sees at a terminal, and only there", function()
    for _, tty in ipairs { true, false } do
      local desk = desks.room(false, { tty = tty, columns = 60 })
      local events = scratch.path ".events"
      local ran = desk:run("run", "failover", "group=pg-orders", "region=cn-shanghai", "--yes",
        "--events", events)
      assert.equal(0, ran.code, ran.err)
      local _, count = ran.out:gsub("\r\27%[K  promote %S+ 00:%d%d  failovering, %d/3 pairs", "")
      assert.equal(tty, count > 5)
      for line in ran.out:gmatch "\r\27%[K([^\r\n]+)" do
        assert.is_true(widths.of(line) <= 59, line)
      end
      local left = ("\n" .. ran.out):gsub("[^\n]*\r\27%[K", "")
      assert.is_nil(left:find("\27", 1, true) or left:find("failovering", 1, true))
      assert.matches("\n  ✔ promote +%d+ s\n", left)
      assert.not_matches("under_way", scratch.read(events))
    end
  end)

  local function has_script()
    return select(2, process.sh "command -v script >/dev/null") == 0
  end

  local COMMAND = "COLUMNS=80 alicloud-dr run fleet groups=pg-orders region=cn-shanghai --yes "
    .. "--journal %s"

  it("moves its line at a real terminal", function()
    if not has_script() then return pending "script is not installed" end
    local emulator <close> = process.start_emulator { speed = 20 }
    local output = emulator:shell(("script -qec '" .. COMMAND .. "' /dev/null"):format(
      scratch.path ".journal"))
    assert.matches("\r\27%[K  [^\r\n]* 0 of 1 opened, 1 under way, %d+ of 30 calls a second\r",
      output)
    assert.matches("\n  [^\r\n]*✔[^\r\n]* completed", output)
  end)

  it("ends with Ctrl-C, and leaves no line behind", function()
    if not has_script() then return pending "script is not installed" end
    local emulator <close> = process.start_emulator { speed = 1 }
    local output = emulator:shell(([[
      out=$(mktemp)
      (n=0
        until grep -q "0 of 1 opened, 1 under way, . of 30" "$out" || [ $((n += 1)) -gt 1000 ]
        do sleep 0.02; done
        printf '\003'
        sleep 2) |
        timeout -s KILL 60 script -qefc ']] .. COMMAND .. [[' /dev/null >"$out"
      echo "exit code $?"
      cat "$out"]]):format(scratch.path ".journal")):gsub("\r\n", "\n")
    assert.matches("^exit code 130\n", output)
    assert.matches("[\nCK]alicloud%-dr: interrupted\n", output)
    assert.matches("\n    go on:  alicloud%-dr resume ", output)
  end)
end)
