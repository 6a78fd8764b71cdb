local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"
local worlds = require "spec.worlds"
local widths = require "alicloud.cli.width"

local BODY = [[
local dr = require "alicloud.dr"
return dr.playbook(%q, function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("look", function() return assert(orders:precheck {}).ok end)
  run:step("mend", function() %s end)
end)]]

-- A desk with a run that has finished and, later, one that has failed.
local function room(given)
  local desk, _, directory = desks.room(false, given)
  local function run(name, body)
    local file = directory .. "/" .. name .. ".lua"
    scratch.write(file, BODY:format(name, body))
    return desk:run("run", file, "--region", "cn-shanghai", "--as", "anna")
  end
  assert(run("good one", "return true").code == 0)
  desk.bench.emu:advance(60)
  assert(run("bad one", "return nil, 'a cable is loose'").code == 1)
  return desk, directory .. "/journals"
end

describe("alicloud-dr runs", function()
  it("prints a list with --json also of a run that asks for no group", function()
    local desk, file = desks.room [[
      local dr = require "alicloud.dr"
      return dr.playbook("none", function(run) run:step("one", function() return 1 end) end)]]
    assert.equal(0, desk:run("run", file, "--region", "cn-shanghai").code)
    assert.is_truthy(desk:run("runs", "--json").out:find('"groups":[]', 1, true))
  end)

  it("tells how each stands, the newest first, and which command goes on", function()
    local desk, directory = room()
    local ran = desk:run "runs"
    assert.equal(0, ran.code, ran.err)
    local first, second = ran.out:find("bad one", 1, true), ran.out:find("good one", 1, true)
    assert.is_true(first < second)
    assert.matches("✘ bad one   failed   20%d%d%-.* by anna   pg%-orders\n", ran.out)
    assert.matches("Client.StepFailed: .*a cable is loose\n", ran.out)
    local resume = ran.out:match "go on:  (alicloud%-dr resume [^\n]+)\n"
    assert.is_truthy(resume:find(directory .. "/bad-one-", 1, true), resume)
    assert.matches("✔ good one   completed   ", ran.out)
    assert.matches("look:   alicloud%-dr report %S+/good%-one%-%x+%-1%.jsonl\n", ran.out)
  end)

  it("leaves out what is over, where that is asked for", function()
    local desk = room()
    local ran = desk:run("runs", "--open", "--json")
    assert.equal(1, #ran.object.runs)
    local run = ran.object.runs[1]
    assert.same({ "bad one", "anna", "pg-orders", "Client.StepFailed" }, { run.playbook,
      run.requester, run.groups[1], run.code })
    assert.matches("^alicloud%-dr resume ", run.resume)
  end)

  it("refuses a directory without a name, as a variable that is not set gives it", function()
    local shown = desks.new { env = {} }:run("runs", "")
    assert.equal(2, shown.code)
    assert.matches("directory: is empty; allowed: a directory, or an address", shown.err)
  end)

  it("names what cannot be read, and looks where it is told", function()
    local desk, directory = room()
    scratch.write(directory .. "/cut.jsonl", '{"seq":1,"half')
    scratch.write(directory .. "/odd.jsonl", "no journal\nat all\n")
    local ran = desk:run("runs", directory)
    assert.equal(0, ran.code, ran.err)
    assert.matches("bad one", ran.out)
    local none = directory .. "/none"
    assert.equal("  no run in " .. none .. "\n", desk:run("runs", none).out)
    ran = desk:run("runs", directory .. "/odd.jsonl")
    assert.equal(1, ran.code)
    assert.is_nil(core.decode(ran.out))
  end)

  it("fits 80 columns but for commands, which stay whole", function()
    local desk = room { tty = true, columns = 80 }
    for _, line in ipairs(desks.lines_of(desk:run("runs").out)) do
      assert.is_true(line:find "alicloud%-dr" ~= nil or widths.of(line) <= 80, line)
    end
  end)
end)

describe("a run whose way to the service was typed", function()
  local WAY = "--endpoint http://127.0.0.1:4711 --no-proxy a.example --resolve b.example=127.0.0.1"

  local function stopped(options)
    local desk, file, directory = desks.room(BODY:format("bad one",
      "return nil, 'a cable is loose'"))
    local words = { "run", file, "--region", "cn-shanghai" }
    for word in (options or WAY):gmatch "%S+" do words[#words + 1] = word end
    local ran = desk:run(table.unpack(words))
    assert.equal(1, ran.code, ran.err)
    return desk, directory, ran
  end

  it("goes on by the same way, whatever names the command", function()
    local desk, directory = stopped()
    local run = desk:run("runs", "--json").object.runs[1]
    local resume = ("alicloud-dr resume %s %s"):format(run.journal, WAY)
    assert.same({ resume, resume }, { run.resume, run.command })
    local explained = desk:run("explain", run.journal, "--json").object
    assert.equal(resume, explained.next[1])
    assert.same({ endpoint = "http://127.0.0.1:4711", no_proxy = "a.example",
      resolve = { "b.example=127.0.0.1" } },
      desk:run("report", run.journal, "--json").object.processes[1].way)
    -- A run of the same group beside it tells of it, too.
    scratch.write(directory .. "/move.lua", BODY:format("another one",
      'run:note(table.concat(orders:preflight({ move = "failover" }).notes))'))
    local other = desk:run("run", directory .. "/move.lua", "--region", "cn-shanghai")
    assert.is_truthy(other.out:find(resume, 1, true), other.out .. other.err)
    local ran = desk:run("handover", run.journal, "--to", scratch.directory(), "--json")
    assert.equal("alicloud-dr resume " .. ran.object.journal .. " " .. WAY, ran.object.resume)
  end)

  it("is in no command where the journal is damaged, or strangers may have written it", function()
    local desk = stopped()
    local journal = desk:run("runs", "--json").object.runs[1].journal
    local told = "strangers may have written it"
    assert.is_nil(desk:run("explain", journal).out:find(told, 1, true))
    assert(os.execute("chmod o+w " .. journal))
    local explained = desk:run("explain", journal)
    assert.matches(told, explained.out, 1, true)
    for _, said in ipairs { explained.out, desk:run("runs").out,
      desk:run("report", journal).out } do
      assert.matches("alicloud-dr resume " .. journal, said, 1, true)
      assert.is_nil(said:find("--endpoint", 1, true), said)
    end
    assert.is_table(desk:run("report", journal, "--json").object.processes[1].way)
    assert(os.execute("chmod o-w " .. journal))
    scratch.write(journal, (scratch.read(journal):gsub("a cable", "a table")))
    local damaged = desk:run("explain", journal).out
    assert.matches("alicloud-dr status --region cn-shanghai\n", damaged, 1, true)
  end)

  it("prints one command, with whole paths", function()
    local relative = scratch.file("", ".pem"):gsub("^/", "/./")
    local desk, _, ran = stopped("--endpoint http://127.0.0.1:4711 --client-cert " .. relative)
    local whole = "--client-cert " .. relative:gsub("^/%./", "/")
    for _, said in ipairs { ran.err, desk:run("runs").out } do
      assert.is_truthy(said:find(whole, 1, true), said)
    end
  end)

  it("names it in what a ready playbook leaves to be done", function()
    for name, words in pairs { failover = "group=pg-orders", fleet = "groups=pg-orders" } do
      local desk = desks.room(false)
      local fence = name == "failover" and "fence=no" or nil
      local ran = desk:run("run", name, "--region", "cn-shanghai", "--endpoint", "127.0.0.1:9",
        "--yes", words, fence)
      assert.equal(0, ran.code, ran.err)
      assert.matches("alicloud%-dr fence %S+ %-%-region cn%-shanghai %-%-endpoint 127", ran.out)
      assert.matches("alicloud%-dr reprotect %S+ %-%-region cn%-shanghai %-%-endpoint 127", ran.out)
    end
    local desk = desks.room(false,
      { world = worlds.of_groups(2, { [2] = { recover_point_age = 9000 } }) })
    local ran = desk:run("run", "fleet", "groups=all", "region=cn-shanghai", "--endpoint",
      "127.0.0.1:9", "--yes")
    assert.matches("later: alicloud%-dr run failover group=pg%-02 .* %-%-endpoint 127", ran.out)
  end)

  it("is that of the environment too, if one endpoint of it is for all products", function()
    local function resume_of(env, ...)
      local desk, file = desks.room(BODY:format("bad one", "return nil, 'a cable is loose'"))
      for name, value in pairs(env) do desk.env["ALIBABA_CLOUD_ENDPOINT" .. name] = value end
      local ran = desk:run("run", file, "--region", "cn-shanghai", ...)
      assert.equal(1, ran.code, ran.err)
      desk.env = { ALICLOUD_DR_JOURNALS = desk.env.ALICLOUD_DR_JOURNALS, USER = "another" }
      local run = desk:run("runs", "--json").object.runs[1]
      local way = run.resume:gsub("^alicloud%-dr resume %S+", "")
      assert.matches("resume " .. run.journal .. " --region cn-shanghai" .. way .. "\n", ran.err, 1,
        true)
      return way, ran.err:match "warning: ([%u_, ]+): not kept with the run"
    end
    local HOST <const> = "http://127.0.0.1:4711"
    assert.equal(" --endpoint " .. HOST, resume_of { [""] = HOST })
    assert.equal(" --endpoint " .. HOST, resume_of { _EBS = HOST, _ECS = HOST })
    assert.same({ "", "ALIBABA_CLOUD_ENDPOINT_EBS" }, { resume_of { _EBS = HOST } })
    assert.same({ "", "ALIBABA_CLOUD_ENDPOINT, ALIBABA_CLOUD_ENDPOINT_ECS" },
      { resume_of { [""] = HOST, _ECS = "127.0.0.1:4712" } })
    assert.same({ "" }, { resume_of {} })
    assert.equal(" --endpoint h.example", resume_of({ [""] = HOST }, "--endpoint", "h.example"))
  end)

  it("is that of the newest process, and none where none was typed", function()
    local desk = stopped()
    local journal = desk:run("runs", "--json").object.runs[1].journal
    desk:run("resume", journal, "--endpoint", "127.0.0.1:4712")
    assert.equal(("alicloud-dr resume %s --endpoint 127.0.0.1:4712"):format(journal),
      desk:run("runs", "--json").object.runs[1].resume)
    desk:run("resume", journal)
    assert.equal("alicloud-dr resume " .. journal,
      desk:run("runs", "--json").object.runs[1].resume)
  end)
end)

describe("a run on a narrow terminal", function()
  it("is shown in lines that fit it, with steps aligned by their width", function()
    local desk, file = desks.room([[
      local dr = require "alicloud.dr"
      return dr.playbook("words", function(run)
        run:note(("a long story "):rep(20))
        run:step("停止服务", function() return true end)
        run:step("ascii", { on_error = "continue" }, function()
          return nil, ("it did not go well "):rep(12)
        end)
      end)]], { tty = true, columns = 80 })
    local out = desk:run("run", file, "--region", "cn-shanghai").out
    local first = out:match "\n(  ✔ 停止服务.-)0 s\n"
    assert.equal(33, widths.of(first))
    for _, line in ipairs(desks.lines_of(out)) do
      local fits = line:find("/", 1, true) or widths.of(line) <= 80
      assert.is_true(fits ~= nil and fits ~= false, line)
    end
  end)
end)
