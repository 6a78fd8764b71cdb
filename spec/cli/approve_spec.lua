-- `alicloud-dr approve`: what is shown, what is signed, and what is refused.

local desks = require "spec.cli.desk"
local journals = require "alicloud.dr.journal"
local scratch = require "spec.scratch"

local room = desks.room

local function journal_of(ran)
  return ran.out:match("journal (%S+%.jsonl)") or ran.err:match("(%S+%.jsonl)")
end

describe("alicloud-dr approve", function()
  local GATED = [[
    return require("alicloud.dr").playbook("gated", function(run)
      run:gate("promote", { need = 2, of = { "dba", "lead", "duty" }, expires = "15m" })
      run:step("a", function() return 1 end)
    end)]]

  local function gated()
    local desk, file, directory = room(GATED)
    local keys = {}
    for _, name in ipairs { "dba", "lead", "duty" } do
      local ran = desk:run("approve", "--new-key", directory .. "/" .. name, "--as", name)
      assert.equal(0, ran.code, ran.err)
      assert.matches("^" .. name .. " " .. ("%x"):rep(64) .. "\n$", ran.out)
      keys[#keys + 1] = ran.out
    end
    scratch.write(directory .. "/approvers", "# who may\n" .. table.concat(keys))
    local function run()
      return desk:run("run", "-y", file, "--region", "cn-shanghai", "--approvers",
        directory .. "/approvers")
    end
    return desk, run, directory
  end

  it("is preceded by a file of keys, which every way on names where none was given", function()
    local desk, file = room(GATED)
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai")
    assert.equal(1, ran.code)
    assert.matches("go on:  alicloud%-dr resume %S+ %-%-region cn%-shanghai %-%-approvers FILE\n",
      ran.err)
    assert.matches("next         alicloud%-dr resume %S+ %-%-approvers FILE\n",
      desk:run("explain", journal_of(ran)).out)
    assert.matches("go on:  alicloud%-dr resume %S+ %-%-approvers FILE\n", desk:run("runs").out)
  end)

  it("lets two of three open a gate, each with a key of his own", function()
    local desk, run, directory = gated()
    local ran = run()
    assert.equal(1, ran.code)
    assert.matches("gate promote: 2 of dba, duty, lead, within 15m", ran.out)
    assert.matches("0 of 2 approvals within 15m", ran.err)
    local path = journal_of(ran)
    assert.matches("next         alicloud%-dr resume %S+ %-%-approvers /%S+/approvers\n",
      desk:run("explain", path).out)
    -- The gate is closed again when its time is over; it opens when the run goes on.
    local refused = desk:run("approve", path, "promote", "--as", "dba", "--key",
      directory .. "/dba")
    assert.equal(2, refused.code)
    assert.matches("an open gate; none is open", refused.err)
    local sleep = desk.bench.emu.runtime.sleep
    local approved
    desk.bench.emu.runtime.sleep = function(seconds)
      sleep(seconds)
      if approved then return end
      approved = {}
      approved.dba = desk:run("approve", path, "promote", "--as", "dba", "--key",
        directory .. "/dba")
      local line = desk:run("approve", path, "promote", "--as", "lead", "--key",
        directory .. "/lead", "--print").out:gsub("\n$", "")
      approved.lead = desk:run("approve", path, "--as", "operator", "--line", line)
      approved.rubbish = desk:run("approve", path, "--as", "operator", "--line", line:sub(1, -9))
      approved.stranger = desk:run("approve", path, "--as", "operator", "--line",
        (line:gsub('"run":"%x+"', '"run":"0123456789abcdef"')))
      approved.forged = desk:run("approve", path, "--as", "operator", "--line",
        (line:gsub('"by":"lead"', '"by":"duty"')))
      approved.own = desk:run("approve", path, "promote", "--as", "operator", "--key",
        directory .. "/duty")
      approved.wrong = desk:run("approve", path, "other", "--as", "duty", "--key",
        directory .. "/duty")
    end
    ran = run()
    assert.equal(0, ran.code, ran.err)
    assert.matches("approved by dba, key %x+…\n    approved by lead, key %x+…\n  ✔ gate promote",
      ran.out)
    assert.equal(0, approved.dba.code, approved.dba.err)
    assert.equal(0, approved.lead.code, approved.lead.err)
    assert.equal(2, approved.own.code)
    assert.equal(2, approved.rubbish.code)
    assert.matches("%-%-line: allowed: one line that approve %-%-print has printed for this run",
      approved.rubbish.err)
    assert.equal(2, approved.stranger.code)
    assert.equal(2, approved.forged.code)
    assert.matches("of duty: its signature is wrong; the run would not take", approved.forged.err)
    assert.matches("asked for this run and cannot approve it", approved.own.err)
    assert.matches("allowed: promote", approved.wrong.err)
  end)

  -- While the gate is open, once.
  local function while_open(desk, act)
    local sleep, acted = desk.bench.emu.runtime.sleep, false
    desk.bench.emu.runtime.sleep = function(seconds)
      sleep(seconds)
      if acted then return end
      acted = true
      act()
    end
  end

  it("shows what is signed, asks on a terminal, and takes no key but the known one", function()
    local desk, run, directory = gated()
    local path = journal_of(run())
    local function approve(...)
      return desk:run("approve", path, "promote", "--as", "dba", "--key", ...)
    end
    local said = {}
    while_open(desk, function()
      said.wrong = approve(directory .. "/lead")
      said.printed = approve(directory .. "/dba", "--print")
      desk.given.input_tty, desk.typed = true, { "n" }
      said.stands = desk:run("explain", path).out
      said.no = approve(directory .. "/dba")
      said.yes = approve(directory .. "/dba", "--yes")
    end)
    run()
    assert.equal(2, said.wrong.code)
    assert.matches("is the key %x+…, but the gate knows dba by %x+…", said.wrong.err)
    assert.matches('It waits at gate "promote" for 2 of dba, duty, lead%.', said.stands)
    assert.matches("next         alicloud%-dr approve %S+ promote %-%-as NAME %-%-key FILE",
      said.stands)
    assert.equal(1, said.no.code)
    assert.matches("nothing was signed", said.no.err)
    assert.equal(0, said.yes.code, said.yes.err)
    for _, word in ipairs { "gate         promote, of run %x+", "playbook     gated",
      "its digest   " .. ("%x"):rep(64), "kind         unplanned, graceful", "parameters   none",
      "asked for by operator", "approvals    2 of 3; each counts for 15m",
      "approver     dba, key %x+…, given by whoever runs it", "keys from    file .*/approvers" } do
      assert.matches(word, (said.yes.out:gsub("\n +", "\n")))
    end
    for shown in said.yes.out:gmatch "  [^\n]+" do
      assert.is_true(shown:find "✔" ~= nil or utf8.len(shown) <= 80, shown)
    end
    assert.matches("^What you sign:", said.printed.err)
    assert.matches("^{.*}\n$", said.printed.out)
  end)

  it("signs nothing on a journal that contradicts itself, and takes no line for a copy", function()
    local desk, run, directory = gated()
    local path = journal_of(run())
    local copy, said = directory .. "/copy.jsonl", {}
    local function edited(edit)
      local text, head, n = {}, ("0"):rep(64), 0
      for _, event in ipairs(assert(journals.read(scratch.read(path))).events) do
        edit(event)
        n = n + 1
        text[n], head = journals.line(n, head, event)
      end
      scratch.write(copy, table.concat(text))
      return desk:run("approve", copy, "promote", "--as", "dba", "--key", directory .. "/dba",
        "--print")
    end
    while_open(desk, function()
      said.contradicts = edited(function(event)
        if event.type == "run" then event.params = { group = "pg-empty" } end
      end)
      local whole = edited(function(event)
        if event.type == "run" then event.requester = "head" end
        if event.decision then event.decision.requester = "head" end
      end)
      assert.equal(0, whole.code, whole.err)
      said.line = desk:run("approve", path, "--as", "operator", "--line", whole.out:match "[^\n]+")
    end)
    run()
    assert.equal(2, said.contradicts.code)
    assert.matches("the params of what gate promote asks is not the one", said.contradicts.err)
    assert.equal(2, said.line.code)
    assert.matches("signed for something else", said.line.err)
  end)

  it("never shows or overwrites a key", function()
    local desk, _, directory = gated()
    local ran = desk:run("approve", "--new-key", directory .. "/dba", "--as", "dba")
    assert.equal(1, ran.code)
    assert.matches("it exists already", ran.err)
    local handle = assert(io.open(directory .. "/dba"))
    local seed = handle:read "l"
    handle:close()
    assert.is_nil(ran.err:find(seed, 1, true))
  end)
end)
