-- Parameters and wishes for the steps of a run that come too late, or name nothing.

local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"
local worlds = require "spec.worlds"

local PLAYBOOK = [[
local dr = require "alicloud.dr"
return dr.playbook("two steps", function(run)
  run:step("one", function() return run.params.attach end)
  run:step("two", function()
    if not io.open("MARK") then error "not yet" end
    return true
  end)
end)
]]

-- A desk with a playbook, and the file that its second step waits for.
local function room(text)
  local desk, file, directory = desks.room("")
  local mark = directory .. "/mark"
  scratch.write(file, ((text or PLAYBOOK):gsub("MARK", mark)))
  return desk, file, mark
end

describe("a run that has come to its end", function()
  local function finished()
    local desk, file, mark = room()
    scratch.write(mark, "")
    local ran = desk:run("run", file, "attach=i-old", "about=@@home", "--region", "cn-shanghai",
      "--json")
    assert.equal(0, ran.code, ran.err)
    return desk, ran.object.journal, file
  end

  it("takes no correction, and names the command that begins a new one", function()
    local desk, journal, file = finished()
    local new = ("alicloud-dr run %s about=@@home attach=i-new --region cn-shanghai"):format(file)
    local before = scratch.read(journal)
    local ran = desk:run("resume", journal, "attach=i-new", "--why", "typo")
    assert.equal(1, ran.code)
    assert.matches("parameter attach stays i-old: the run has come to its end", ran.err, 1, true)
    assert.matches("go on:  " .. new, ran.err, 1, true)
    ran = desk:run("resume", journal, "attach=i-new", "--why", "typo", "--json")
    assert.same({ "Client.ParameterFrozen", new }, { ran.object.error.code, ran.object.run })
    ran = desk:run("run", file, "attach=i-new", "about=@@home", "--region", "cn-shanghai",
      "--journal", journal)
    assert.equal(1, ran.code)
    assert.matches("go on:  " .. new, ran.err, 1, true)
    assert.equal(before, scratch.read(journal))
    local words = {}
    for word in new:gmatch "%S+" do words[#words + 1] = word end
    ran = desk:run(table.unpack(words, 2))
    assert.equal(0, ran.code, ran.err)
    assert.is_nil(ran.out:find(journal, 1, true))
  end)

  it("names a command that is of the same kind, whatever is wrong with the value", function()
    local desk, file, mark = room()
    scratch.write(mark, "")
    local ran = desk:run("run", file, "attach=i-old", "--region", "cn-shanghai", "--kind", "drill",
      "--incident", "INC-1", "--rto", "15m", "--json")
    for _, value in ipairs { "i-new", "" } do
      local again = desk:run("resume", ran.object.journal, "attach=" .. value, "--why", "typo")
      assert.equal(1, again.code)
      assert.matches("go on:  alicloud-dr run " .. file .. " attach=", again.err, 1, true)
      for _, option in ipairs { "--kind drill", "--incident INC-1", "--rto 15m" } do
        assert.matches(option, again.err, 1, true)
      end
    end
  end)

  it("says which wishes have had no effect, and is none the worse for it", function()
    local desk, journal = finished()
    local ran = desk:run("resume", journal, "attach=i-old", "--why", "it is so", "--skip",
      "two=gone", "--again", "two")
    assert.equal(0, ran.code, ran.err)
    assert.equal("alicloud-dr: the run had come to its end before, so this has had no effect: "
      .. "--skip two=gone --again two\n", ran.err)
    assert.equal("", desk:run("resume", journal).err)
  end)
end)

describe("a run that a parameter has stopped", function()
  -- A fleet of three groups.
  local function fleet(...)
    local desk, _, directory = desks.room(false, { world = worlds.of_groups(3) })
    return desk, desk:run("run", "fleet", "groups=pg-01,pg-02", "region=cn-shanghai", "--yes", ...),
      directory
  end

  local function told(desk, ran, cure)
    assert.equal(1, ran.code, ran.out)
    local run = desk:run("runs", "--json").object.runs[1]
    local command = ("alicloud-dr resume %s %s"):format(run.journal, cure)
    assert.is_truthy(ran.err:gsub(" %-%-region %S+", ""):find("go on:  " .. command, 1, true),
      ran.err)
    assert.equal(command, run.resume)
    assert.equal(command, desk:run("explain", run.journal, "--json").object.next[1])
    return run.journal
  end

  it("goes on with another one, which the command names", function()
    local table_file = scratch.directory() .. "/fleet.csv"
    scratch.write(table_file, "group,fence\npg-01,no\npg-20,no\n")
    local desk, ran = fleet("table=@" .. table_file)
    assert.matches('table: unknown group "pg-20"', ran.err, 1, true)
    local journal = told(desk, ran, "table=@FILE --why TEXT")
    scratch.write(table_file, "group,fences\npg-01,no\n")
    ran = desk:run("resume", journal, "table=@" .. table_file, "--why", "typo", "--yes")
    assert.matches("go on: .* table=@FILE .*%-%-why TEXT\n", ran.err)
    scratch.write(table_file, "group,fence\npg-01,no\npg-02,no\n")
    ran = desk:run("resume", journal, "table=@" .. table_file, "--why", "typo", "--yes")
    assert.equal(0, ran.code, ran.err)
    desk, ran = fleet "canary=pg-09"
    journal = told(desk, ran, "canary=VALUE --why TEXT")
    assert.equal(0, desk:run("resume", journal, "canary=pg-02", "--why", "typo", "--yes").code)
    desk, ran = fleet("groups=all")
    journal = told(desk, ran, "groups=VALUE --why TEXT")
    assert.equal(0, desk:run("resume", journal, "groups=pg-02", "--why", "typo", "--yes").code)
    assert.equal(1, #desk:ledger())
  end)

  it("goes on with as many groups as there are, if that was more than was allowed", function()
    local desk, ran = fleet "max_groups=1"
    assert.matches("2 groups, allowed: 1 without a person's word", ran.err, 1, true)
    local journal = told(desk, ran, "max_groups=2")
    assert.is_nil(ran.err:find("--why", 1, true))
    assert.equal(0, desk:run("resume", journal, "max_groups=2", "--yes").code)
    assert.equal(2, #desk:ledger())
    desk = desks.room(false, { world = worlds.of_groups(3), input_tty = true, typed = { "p" } })
    ran = desk:run("run", "fleet", "groups=pg-01,pg-02", "region=cn-shanghai", "max_groups=1",
      "--yes")
    assert.matches("%(a%): move them all the same, or sto%(p%): ", ran.err)
    assert.matches("go on: .* max_groups=2 ", ran.err)
  end)

  it("tells which one may be wrong behind the point of no return", function()
    local desk = desks.room(false, { world = after.world() })
    local function failover(attach)
      return desk:run("run", "failover", "group=pg-orders", "region=cn-shanghai", "fence=no",
        "max_rpo=1d", "attach=" .. attach, "--yes")
    end
    local ran = failover "i-sold-out"
    assert.matches("OperationDenied.NoStock", ran.err, 1, true)
    assert.is_nil(ran.err:find("production is down", 1, true))
    assert.matches("\n    if it is wrong: add attach=VALUE %-%-why TEXT\n", ran.err)
  end)

  it("says so in its error and its journal, whatever a playbook has put there", function()
    for given, is_text in pairs { ['"a b`c"'] = true, ["{}"] = false, ["7"] = false } do
      local desk, file = room(([[
        local alicloud, dr = require "alicloud", require "alicloud.dr"
        return dr.playbook("odd", function(run)
          run:step("one", function()
            return nil, alicloud.error.new { kind = "state", code = "Client.BadParameter",
              message = "odd", outcome = "not_sent", parameter = %s }
          end)
        end)]]):format(given))
      local ran = desk:run("run", file, "--region", "cn-shanghai")
      local word = ran.err:match "go on:[^\n]+%.jsonl (.-) %-%-region"
      assert.equal(is_text and [["$(printf 'a b\140c=VALUE')"]] or nil, word)
      local journal = desk:run("runs", "--json").object.runs[1].journal
      assert.equal("stopped", desk:run("explain", journal, "--json").object.status)
    end
  end)
end)
