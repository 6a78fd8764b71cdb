-- The commands on what a journal proves: keys and witnesses of run and resume, verify, report.

local desks = require "spec.cli.desk"
local journals = require "alicloud.dr.journal"
local scratch = require "spec.scratch"

local room = desks.room

local function journal_of(ran)
  return ran.out:match("journal (%S+%.jsonl)") or ran.err:match("(%S+%.jsonl)")
end

local function resealed(text, edit)
  local lines, head = {}, journals.FIRST
  for i, event in ipairs(assert(journals.read(text)).events) do
    edit(event)
    lines[i], head = journals.line(i, head, event)
  end
  return table.concat(lines)
end

describe("a run with a key", function()
  local function ready()
    local desk, file, directory = room()
    local made = desk:run("approve", "--new-key", directory .. "/key", "--as", "operator")
    scratch.write(directory .. "/keys", made.out)
    return desk, file, directory
  end

  it("signs its end, which verify tells; what is changed afterwards is forged", function()
    local desk, file, directory = ready()
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--sign",
      directory .. "/key")
    assert.equal(0, ran.code, ran.err)
    assert.matches("signed by operator, key %x+…", ran.out)
    local path = journal_of(ran)
    ran = desk:run("verify", path)
    assert.equal(0, ran.code, ran.err)
    assert.matches("records 1 to %d+ are signed by operator, key %x+…", ran.out)
    assert.matches("whose key that is, the journal does not show", ran.out)
    assert.matches("does not show who wrote it", ran.out)
    ran = desk:run("verify", path, "--approvers", directory .. "/keys")
    assert.matches("by the key at hand", ran.out)
    local text = scratch.read(path)
    scratch.write(path, resealed(text, function(event)
      if event.type == "run" then event.requester = "somebody" end
    end))
    ran = desk:run("verify", path)
    assert.equal(1, ran.code)
    assert.matches("forged: line %d+: the signature of operator", ran.err)
    ran = desk:run("verify", path, "--json")
    assert.equal(1, #ran.object.forged)
    assert.equal(0, ran.object.vouched)
    assert.matches("forged: line", desk:run("explain", path).out)
    -- Somebody else's key in place of it shows only to who holds the true one.
    desk:run("approve", "--new-key", directory .. "/other", "--as", "operator")
    local again = desk:run("run", "-y", file, "--region", "cn-shanghai", "--new", "--sign",
      directory .. "/other")
    path = journal_of(again)
    assert.equal(0, desk:run("verify", path).code)
    ran = desk:run("verify", path, "--approvers", directory .. "/keys")
    assert.equal(1, ran.code)
    assert.matches("another key of operator than the one at hand", ran.err)
  end)

  it("is proven to its end by the public key, or it is said what is not", function()
    local desk, file, directory = ready()
    local public = scratch.read(directory .. "/keys"):match "%x+%s*$":match "%x+"
    local other = desk:run("approve", "--new-key", directory .. "/other", "--as", "x").out
      :match "%x+%s*$":match "%x+"
    local path = journal_of(desk:run("run", "-y", file, "--region", "cn-shanghai", "--sign",
      directory .. "/key", "--anchor", "true"))
    local text = scratch.read(path)
    local function verify(...) return desk:run("verify", path, ...) end
    assert.equal(0, verify("--key", public).code)
    assert.equal(0, verify("--key", public:upper()).code)
    assert.equal(0, verify("--key", other, "--key", public).code)
    local ran = verify("--key", other)
    assert.equal(1, ran.code)
    assert.matches("no end is signed by the key at hand", ran.err)
    -- Made anew without the signature; with a line more; with the signature over something else.
    local events = assert(journals.read(text)).events
    local function forge(edit)
      local list, lines, head = edit(table.move(events, 1, #events, 1, {})), {}, journals.FIRST
      for i, event in ipairs(list) do lines[i], head = journals.line(i, head, event) end
      scratch.write(path, table.concat(lines))
    end
    forge(function(list)
      for i = #list, 1, -1 do
        if list[i].type == "signed" or list[i].type == "anchored" then table.remove(list, i) end
      end
      return list
    end)
    assert.equal(0, verify().code)
    assert.equal(1, verify("--key", public).code)
    forge(function(list)
      list[#list + 1] = { type = "note", at = list[#list].at, text = "all went well" }
      return list
    end)
    ran = verify("--key", public)
    assert.equal(1, ran.code)
    assert.matches("vouches for records 1 to %d+; record %d+ and those behind it", ran.err)
    assert.equal(1, #verify("--key", public, "--json").object.doubts)
    forge(function(list)
      list[1] = require("alicloud.base.tables").merged(list[1], { requester = "somebody" })
      return list
    end)
    assert.equal(1, verify("--key", public).code)
    ran = verify("--key", "abc")
    assert.equal(2, ran.code)
    assert.matches("%-%-key: got \"abc\"; allowed: ", ran.err)
  end)

  it("refuses a key that is none before it begins, and keeps it for the resume", function()
    local desk, file, directory = ready()
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--sign",
      directory .. "/none")
    assert.equal(2, ran.code)
    assert.matches("^alicloud%-dr: %-%-sign: ", ran.err)
    ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--sign", file)
    assert.equal(2, ran.code)
    assert.equal(0, #desk:requests())
    desk, file, directory = room [[
      return require("alicloud.dr").playbook("x", function(run)
        run:step("a", function() assert(run.attempt > 1, "not yet") end)
      end)]]
    desk:run("approve", "--new-key", directory .. "/key", "--as", "operator")
    ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--sign", directory .. "/key",
      "--anchor", "true", "--report", directory .. "/r.md")
    assert.matches("go on:  alicloud%-dr resume .* %-%-sign %S+/key %-%-anchor true %-%-report "
      .. "%S+/r.md", ran.err)
  end)

  it("tells of a gate that was broken open, by whom and why", function()
    local desk, file = room [[
      return require("alicloud.dr").playbook("x", function(run)
        run:gate("go", { need = 1, of = { dba = ("ab"):rep(32) } })
      end)]]
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--as", "operator", "--json",
      "--skip", "gate:go=all are asleep")
    local verified = desk:run("verify", ran.object.journal)
    assert.equal(0, verified.code, verified.err)
    assert.matches("gate go: broken open by operator: all are asleep\n", verified.out)
    assert.equal("go", desk:run("verify", ran.object.journal, "--json").object.broken[1].gate)
  end)

  it("hands heads to a witness, whose failure is noted", function()
    local desk, file, directory = ready()
    local plain = desk:run("run", "-y", file, "--anchor", "http://example.test/w")
    assert.equal(2, plain.code)
    assert.matches("%-%-anchor: got .*allowed: .*an http one of this machine", plain.err)
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--anchor",
      ("echo $ALICLOUD_DR_HEAD >>'%s/noted'; echo kept"):format(directory))
    assert.equal(0, ran.code, ran.err)
    assert.matches("witness kept", ran.out)
    local path = journal_of(ran)
    local heads = desks.lines_of(scratch.read(directory .. "/noted"))
    assert.equal(3, #heads)
    for _, head in ipairs(heads) do
      assert.equal(0, desk:run("verify", path, "--head", head).code)
    end
    ran = desk:run("verify", path)
    assert.matches("was handed to echo .* at the point of no return, which answered: kept", ran.out)
    ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--new", "--anchor", "exit 1")
    assert.equal(0, ran.code, ran.err)
    assert.matches("witness failed: exit code 1", ran.out)
  end)
end)

describe("alicloud-dr verify", function()
  it("takes no head that can be met by trying", function()
    local desk, file = room()
    local path = journal_of(desk:run("run", "-y", file, "--region", "cn-shanghai"))
    for _, head in ipairs { "deadbeef", ("a"):rep(15), ("g"):rep(16), ("a"):rep(65) } do
      local ran = desk:run("verify", path, "--head", head)
      assert.equal(2, ran.code)
      assert.matches("%-%-head: got .* allowed: 16 to 64 hexadecimal digits", ran.err)
    end
  end)

  it("says where a record is not as it must be, and what a newer version has written", function()
    local desk, file = room()
    local path = journal_of(desk:run("run", "-y", file, "--region", "cn-shanghai"))
    local text = scratch.read(path)
    scratch.write(path, resealed(text, function(event)
      if event.type == "attempt" then event.owner = { 1 } end
    end))
    for _, command in ipairs { "verify", "explain", "report", "resume" } do
      local ran = desk:run(command, path)
      assert.equal(1, ran.code, command)
      assert.matches("line 2 holds what cannot be: field owner of attempt: got a table; allowed: "
        .. "text", ran.err .. ran.out)
    end
    scratch.write(path, resealed(text, function(event)
      if event.type == "finished" then event.type = "flown" end
    end))
    for _, command in ipairs { "verify", "explain", "report" } do
      local ran = desk:run(command, path)
      assert.equal(0, ran.code, command)
      assert.matches("line %d+: records of type \\?\"flown\\?\" are of a newer version", ran.out)
    end
    local ran = desk:run("resume", path, "--region", "cn-shanghai")
    assert.equal(1, ran.code)
    assert.matches("Client.JournalNewer", ran.err)
  end)
end)
