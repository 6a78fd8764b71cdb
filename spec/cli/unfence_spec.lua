-- What a run has stopped is brought back by hand, and its journal knows.

local after = require "spec.dr.after_lab"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"
local states = require "alicloud.dr.playbook.state"
local journals = require "alicloud.dr.journal"
local files = require "alicloud.dr.store.file"
local scratch = require "spec.scratch"
local shared_disk = require "spec.dr.store.shared_disk"
local stores = require "alicloud.dr.store"

local REFUSED = { match = { action = "FailoverDiskReplicaGroup", nth = 1 },
  effect = lab.answer("Forbidden", 403) }

-- A failover that has fenced and was refused.
local function fenced(given)
  local all = { world = after.world(), faults = { REFUSED } }
  for name, value in pairs(given or {}) do all[name] = value end
  local desk = desks.room(false, all)
  local ran = desk:run("run", "failover", "group=pg-orders", "region=cn-shanghai",
    "attach=i-new", "max_rpo=2h", "--no-ask", "--as", "olga")
  assert.equal(1, ran.code, ran.err)
  return desk, assert(ran.err:match "to bring it back: alicloud%-dr unfence (%S+)", ran.err), ran
end

local function status(desk) return desk.bench.emu.world.instance_by_id["i-old"].status end

describe("unfence", function()
  it("brings back what the run has stopped, once, and the run fences anew", function()
    local desk, journal, ran = fenced()
    assert.matches("\nalicloud%-dr: production is down: pg%-orders", ran.err)
    assert.equal("Stopped", status(desk))
    ran = desk:run("unfence", journal, "--yes", "--json", "--as", "olga")
    assert.equal(0, ran.code, ran.out)
    assert.equal("unfenced", ran.object.outcome)
    assert.equal("Running", status(desk))
    local state = states.fold(assert(journals.read(scratch.read(journal))).events)
    assert.equal("undone", state.steps.fence.status)
    assert.equal("back", state.production["pg-orders"].state)
    assert.not_matches("production [%a ]+ down", desk:run("explain", journal).out)
    ran = desk:run("unfence", journal, "--yes")
    assert.equal(2, ran.code)
    assert.equal(0, desk:run("resume", journal, "--no-ask").code)
    assert.equal("Stopped", status(desk))
    assert.equal(2, after.effects(desk.bench, "StopInstance"))
  end)

  it("writes each call down before it leaves, where other machines reach the run", function()
    local desk, journal = fenced()
    local open = stores.open
    finally(function() stores.open = open end)
    local windows = {}
    function stores.open(name, context)
      local disk = { open = function() return assert(files.open(name)) end }
      local store = shared_disk.open(disk, context, { window = 4, takeover_wait = 34 })
      local append = store.append
      function store:append(...)
        local ok, send_by = append(self, ...)
        windows[#windows + 1] = send_by
        return ok, send_by
      end
      return store
    end
    local ran = desk:run("unfence", journal, "--yes", "--as", "olga")
    assert.equal(0, ran.code, ran.err)
    assert.equal("Running", status(desk))
    local notes = {}
    for _, event in ipairs(assert(journals.read(scratch.read(journal))).events) do
      if event.type == "note" then notes[#notes + 1] = event.text end
    end
    local said = table.concat(notes, "\n")
    assert.matches("olga brings pg%-orders back\nolga brings pg%-orders back: AttachDisk", said)
    assert.matches("olga brings pg%-orders back: StartInstance", said)
    assert.is_true(#windows > 3)
  end)

  it("asks for the typed id, and takes no other", function()
    local desk, journal = fenced { input_tty = true, typed = { "pg-other", "pg-orders" } }
    local ran = desk:run("unfence", journal)
    assert.equal(1, ran.code, ran.out)
    assert.matches("attach d%-old%-1 to i%-old", ran.err .. ran.out)
    assert.equal("Stopped", status(desk))
    assert.equal(0, desk:run("unfence", journal).code)
    assert.equal("Running", status(desk))
  end)

  it("is refused once the group is opened elsewhere", function()
    local desk, journal = fenced()
    local group = desk.bench.emu.world.groups[1]
    group.status = "failovered"
    for _, pair in ipairs(group.pairs) do pair.status = "failovered" end
    local ran = desk:run("unfence", journal, "--yes", "--json")
    assert.equal("Client.AlreadyOpened", ran.object.error.code)
    assert.equal("Stopped", status(desk))
  end)

  it("names the resume of a run that has opened the group itself", function()
    local desk = desks.room(false, { world = after.world() })
    local ran = desk:run("run", "failover", "group=pg-orders", "region=cn-shanghai",
      "attach=i-sold-out", "max_rpo=2h", "--no-ask")
    local journal = ran.err:match "resume (%S+)"
    ran = desk:run("unfence", journal, "--yes", "--json")
    assert.equal("Client.AlreadyOpened", ran.object.error.code)
    assert.equal("alicloud-dr resume " .. journal, ran.object.error.hint:match "alicloud%-dr .+")
  end)

  it("refuses a group that the run has not stopped, and who has nobody to ask", function()
    local desk, journal = fenced()
    local ran = desk:run("unfence", journal, "pg-payments", "--yes")
    assert.equal(2, ran.code)
    assert.matches("allowed: pg%-orders", ran.err)
    ran = desk:run("unfence", journal)
    assert.equal(2, ran.code)
    assert.matches("%-%-yes: is missing", ran.err)
  end)
end)

describe("a group that somebody else has opened meanwhile", function()
  it("is served where it is open, by the command that is printed", function()
    local world = after.world()
    local desk, opened
    desk = desks.room(false, { world = world, transport = { send = function(request)
      local text = (request.url or "") .. (request.body or "") .. core.encode(request.headers)
      if text:find("StopDiskReplicaGroup", 1, true) and not opened then
        opened = true
        assert(desk.bench.client:call("ebs:FailoverDiskReplicaGroup", { RegionId = "cn-shanghai",
          ReplicaGroupId = "pg-orders", ClientToken = "another" }))
        desk.bench.emu:advance(600)
      end
      return desk.bench.emu.transport.send(request)
    end } })
    local ran = desk:run("run", "planned", "group=pg-orders", "region=cn-shanghai",
      "attach=i-new", "max_rpo=2h", "--no-ask")
    assert.equal(1, ran.code, ran.out .. ran.err)
    local command = ran.err:match "so serve it there: alicloud%-dr ([^\n]+)"
    assert.is_string(command, ran.err)
    local words = {}
    for word in command:gmatch "%S+" do words[#words + 1] = word end
    words[#words + 1] = "--no-ask"
    ran = desk:run(table.unpack(words))
    assert.equal(0, ran.code, ran.out .. ran.err)
    assert.equal("Running", desk.bench.emu.world.instance_by_id["i-new"].status)
  end)
end)
