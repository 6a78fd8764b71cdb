local alicloud = require "alicloud"
local helper = require "spec.helper"
local params = require "alicloud.call.params"
local ebs = require "alicloud.service.ebs"

local null = alicloud.null

local function refused(value)
  local flat, message = params.flatten(value)
  assert.is_nil(flat)
  return message
end

describe("flattening", function()
  it("does as the vendor's SDKs do", function()
    assert.same({
      ["A"] = "text", ["Empty"] = "", ["Yes"] = "true", ["No"] = "false", ["N"] = "100",
      ["Tag.1.Key"] = "k", ["Tag.1.Value"] = "v", ["Tag.2.Key"] = "l", ["M.1.2"] = "y",
      ["M.1.1"] = "x", ["Outer.Inner.Deep"] = "1",
    }, params.flatten {
      A = "text", Empty = "", Yes = true, No = false, N = 100.0,
      Tag = { { Key = "k", Value = "v" }, { Key = "l" } },
      M = { { "x", "y" } },
      Outer = { Inner = { Deep = 1 } },
    })
  end)

  it("drops null but uses up its list position", function()
    assert.same({ ["L.1"] = "a", ["L.3"] = "c" },
      params.flatten { L = { "a", null, "c" }, Gone = null })
  end)

  it("makes nothing of empty lists and maps", function()
    assert.same({}, params.flatten { L = {}, A = alicloud.array {}, M = { N = {} } })
  end)

  it("keeps bytes as they are", function()
    local text = "a b+c%20\0\xff\u{4e91}"
    assert.equal(text, params.flatten { T = text }.T)
  end)

  it("writes numbers as JavaScript does", function()
    for text, value in pairs {
      ["0"] = -0.0, ["100"] = 100.0, ["-7"] = -7, ["0.1"] = 0.1, ["-1.5"] = -1.5,
      ["0.000001"] = 1e-6, ["1e-7"] = 1e-7, ["1.25e-9"] = 1.25e-9, ["123456.789"] = 123456.789,
      ["9223372036854775807"] = math.maxinteger, ["100000000000000000000"] = 1e20,
      ["1e+21"] = 1e21, ["1.7976931348623157e+308"] = 1.7976931348623157e308,
      ["5e-324"] = 5e-324, ["0.30000000000000004"] = 0.1 + 0.2,
    } do
      assert.equal(text, params.flatten { N = value }.N)
    end
  end)

  it("writes floats that read back as the same float", function()
    local random = helper.generator(3)
    for _ = 1, 5000 do
      local value = (random() - 0.5) * 10.0 ^ math.floor(random() * 60 - 30)
      assert.equal(value, tonumber(params.flatten({ N = value }).N) + 0.0)
    end
  end)

  it("refuses what has no wire form, by its path", function()
    assert.equal("parameter A.2.B: got NaN; allowed: a finite number",
      refused { A = { 1, { B = 0 / 0 } } })
    assert.equal("parameter A: got infinity; allowed: a finite number", refused { A = -1 / 0 })
    assert.equal("parameter A.1: got a function; allowed: text, number, boolean, list or map",
      refused { A = { print } })
    assert.matches("^parameter A: the list has a hole", refused { A = { [1] = "x", [3] = "y" } })
    assert.matches("^parameter A: it mixes", refused { A = { "x", B = "y" } })
    assert.equal("parameter names: got the name 1 (number); allowed: non-empty text",
      refused { "x" })
    assert.matches("^parameter A: got the name", refused { A = { [1.5] = "x" } })
  end)

  it("ends for a table that contains itself", function()
    local loop = {}
    loop.Again = loop
    assert.matches("nested deeper than 32 levels", refused { A = loop })
  end)

  it("names the first of several faults, by name", function()
    local wrong = {}
    for i = 1, 40 do wrong["P" .. 100 + i] = 0 / 0 end
    assert.equal("parameter P101: got NaN; allowed: a finite number", refused(wrong))
    wrong.P100 = wrong
    assert.matches("^parameter P100.*nested deeper", refused(wrong))
  end)
end)

local failover = ebs.operations.FailoverDiskReplicaGroup
local groups = ebs.operations.DescribeDiskReplicaGroups

local function invalid(operation, given)
  local flat, message = params.validate(operation, given)
  assert.is_nil(flat)
  return message
end

describe("validation", function()
  local function group(id)
    return { RegionId = "cn-shanghai", ReplicaGroupId = id }
  end

  it("accepts what the operation takes", function()
    assert.same(group "pg-orders", params.validate(failover, group "pg-orders"))
    assert.same({
      RegionId = "cn-shanghai", GroupIds = "a,b", Site = "backup", MaxResults = "500",
      ["Tag.1.Key"] = "k", Name = "Bestellungen ü",
    }, params.validate(groups, {
      RegionId = "cn-shanghai", GroupIds = { "a", "b" }, Site = "backup", MaxResults = 500,
      Tag = { { Key = "k" } }, Name = "Bestellungen ü",
    }))
    assert.same({ RegionId = "r", MaxResults = "10", GroupIds = "a,b" },
      params.validate(groups, { RegionId = "r", MaxResults = "10", GroupIds = "a,b" }))
  end)

  it("names an unknown parameter and the nearest known one", function()
    assert.equal('unknown parameter "ReplicaGroupID"; did you mean "ReplicaGroupId"?',
      invalid(failover, { RegionId = "r", ReplicaGroupID = "pg" }))
  end)

  it("asks for what is required, null being absent", function()
    assert.equal("parameter ReplicaGroupId is required", invalid(failover, { RegionId = "r" }))
    assert.equal("parameter ReplicaGroupId is required",
      invalid(failover, { RegionId = "r", ReplicaGroupId = null }))
  end)

  it("refuses ids that cannot be ids", function()
    assert.equal('parameter ReplicaGroupId: got "" (empty string); allowed: an id of 1-64 letters, '
      .. "digits, hyphens, underscores and dots", invalid(failover, group ""))
    for _, id in ipairs { "a b", "a\n", "a\0", "a/b", "pg-ü", "a,b", ("x"):rep(65), 5, true, {} } do
      assert.matches("^parameter ReplicaGroupId: got .*; allowed: ", invalid(failover, group(id)))
    end
  end)

  it("refuses regions, tokens, numbers and words outside their form", function()
    for name, values in pairs {
      RegionId = { "", "cn shanghai", "CN-SHANGHAI", "cn-shanghai\n", ("a"):rep(65), 1 },
      MaxResults = { 0, 501, 1.5, "x", "1.0", {}, 0 / 0, "" },
      Site = { "primary", "Backup", "", 1 },
      Name = { "a\tb", 1 },
      Tag = { "k=v", { Key = "k" } },
    } do
      for _, value in ipairs(values) do
        local given = { RegionId = "r" }
        given[name] = value
        assert.matches("^parameter " .. name .. ": got ", invalid(groups, given))
      end
    end
  end)

  it("counts and checks the ids of a list", function()
    local many = {}
    for i = 1, 101 do many[i] = "pg-" .. i end
    local function with(ids) return { RegionId = "r", GroupIds = ids } end
    local complaint = "parameter GroupIds: got 101 ids; allowed: 1-100 ids, comma-separated text "
      .. "or a list"
    assert.equal(complaint, invalid(groups, with(many)))
    assert.equal(complaint, invalid(groups, with(table.concat(many, ","))))
    for _, ids in ipairs { "", "a,", ",", "a, b", { "a", "" }, { 1 }, {}, { a = "b" }, 7 } do
      assert.matches("^parameter GroupIds: got ", invalid(groups, with(ids)))
    end
  end)

  it("counts tags", function()
    local tags = {}
    for i = 1, 21 do tags[i] = { Key = "k" .. i } end
    assert.equal("parameter Tag: got 21 elements; allowed: a list of at most 20",
      invalid(groups, { RegionId = "r", Tag = tags }))
  end)

  it("complains about the same parameter every time", function()
    for _ = 1, 20 do
      assert.matches("parameter Name", invalid(groups, { Name = 1, Site = 1, RegionId = 1 }))
    end
  end)

  it("never changes a list that it is given", function()
    local ids = { "a", "b" }
    assert.equal("a,b", params.validate(groups, { RegionId = "r", GroupIds = ids }).GroupIds)
    assert.same({ "a", "b" }, ids)
  end)
end)

describe("a ClientToken", function()
  it("is up to 64 printable ASCII characters", function()
    assert.is_true(params.check_token("a"))
    assert.is_true(params.check_token(("~"):rep(64)))
    for _, token in ipairs { "", ("a"):rep(65), "a\n", "ä", "\127", 5 } do
      local ok, message = params.check_token(token)
      assert.is_nil(ok)
      assert.matches("allowed: 1%-64 printable ASCII characters$", message)
    end
  end)
end)
