local core = require "alicloud.core"
local data = require "alicloud.service.ebs"
local helper = require "spec.helper"

local ebs = helper.client({}):service "ebs"

describe("help", function()
  it("of an operation names every parameter, field and error with its cure", function()
    for name, operation in pairs(data.operations) do
      local text = tostring(ebs:help(name)):gsub("%s+", " ")
      local function says(words)
        assert.is_truthy(text:find(words:gsub("%s+", " "), 1, true), name .. ": " .. words)
      end
      says(operation.summary)
      for param, rule in pairs(operation.params) do
        says((rule.required and "* " or "") .. param .. " " .. rule.doc)
      end
      for _, field in ipairs(operation.response) do says(field[1] .. " " .. field[2]) end
      for _, code in ipairs(operation.errors) do
        local entry = data.errors[code]
        says(("%s (%d): %s → %s"):format(code, entry.status, entry.meaning, entry.cure))
      end
      says(operation.ram.action .. " on ")
    end
  end)

  it("says region, states, token, pages, units and the waiter", function()
    local text = tostring(ebs:help "FailoverDiskReplicaGroup"):gsub("%s+", " ")
    for _, words in ipairs {
      "RegionId: the region of the secondary disks as they are now", "changes something",
      "takes a ClientToken", "Allowed while the group is manual_syncing, syncing",
      'ebs:wait("group_failovered"',
    } do
      assert.is_truthy(text:find(words, 1, true), words)
    end
    text = tostring(ebs:help "DescribeDiskReplicaGroups")
    assert.is_truthy(text:find('for item in ebs:each("DescribeDiskReplicaGroups"', 1, true))
    assert.matches("LastRecoverPoint +integer, unix s", text)
    assert.matches("with ChargeType = PREPAY: Period is required",
      tostring(ebs:help "CreateDiskReplicaPair"))
  end)

  it("fits the terminal but for words that are longer", function()
    for name in pairs(data.operations) do
      for line in tostring(ebs:help(name)):gmatch("[^\n]+") do
        assert.is_true(utf8.len(line) <= 100, line)
      end
    end
  end)

  it("without a name lists operations and waiters", function()
    local text = tostring(ebs:help())
    for _, kind in ipairs { "operations", "waiters" } do
      for name in pairs(data[kind]) do
        assert.is_truthy(text:find("\n  " .. name .. " ", 1, true), name)
      end
    end
  end)

  it("explains waiters and error codes", function()
    local text = tostring(ebs:help "group_drill_executed")
    assert.matches("Reads DescribeReplicaGroupDrills every 5 s for at most 1200 s", text)
    assert.matches("DrillDiskStatus is created in all PairsInfo", text)
    assert.matches("nothing is listed any more", tostring(ebs:help "pair_deleted"))
    assert.matches("LastRecoverPoint is there", tostring(ebs:help "group_recoverable"))
    text = tostring(ebs:help "OperationDenied.PairsExceedInGroup")
    assert.matches("17 pairs", text)
    assert.matches("Documented for AddDiskReplicaPair", text)
    assert.matches("comes from the gateway", tostring(ebs:help "Throttling"))
  end)

  it("answers an unknown name with the nearest one, at the caller", function()
    for name, nearest in pairs {
      FailoverDiskReplicaGrup = "FailoverDiskReplicaGroup", group_failoverd = "group_failovered",
      NoSuchResorce = "NoSuchResource",
    } do
      local message = helper.raised(function()
        local found = ebs:help(name)
        return found
      end)
      assert.matches("help_spec.lua:%d+: ebs: no help for", message)
      assert.is_truthy(message:find('did you mean "' .. nearest .. '"?', 1, true), message)
    end
    assert.matches("no help for 5", helper.raised(ebs.help, ebs, 5))
    assert.matches("no service data", helper.raised(function()
      return helper.client({}):service("vpc"):help()
    end))
  end)

  it("is like a string", function()
    local help = ebs:help "ClearPairDrill"
    assert.equal("ebs:ClearPairDrill", tostring(help):match("^[^\n]+"))
    assert.equal(help.text, tostring(help))
    assert.equal(#help.text, #help)
    assert.equal("> " .. help.text .. "\n", "> " .. help .. "\n")
    assert.is_nil(core.encode({ text = help.text }):find("\27", 1, true))
  end)
end)
