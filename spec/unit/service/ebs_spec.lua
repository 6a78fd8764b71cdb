local core = require "alicloud.core"
local ebs = require "alicloud.service.ebs"

local TYPES = { string = true, integer = true, boolean = true, ids = true, list = true }
local FORMATS = { region = true, id = true, token = true, text = true }
local RESPONSE_TYPES = { string = true, integer = true, boolean = true }

-- The page of FailoverDiskReplicaGroup.
local SEED = {
  ["OperationDenied"] = 403, ["OperationDenied.InvalidStatus"] = 403,
  ["OperationDenied.NoPairInGroup"] = 403, ["OperationDenied.PairGroupStatusConflict"] = 403,
  ["OperationDenied.PairGroupAZoneConflict"] = 403, ["OperationDenied.PairInAnotherGroup"] = 403,
  ["OperationDenied.OperateNotAllowedForPrimary"] = 403,
  ["OperationDenied.OperateNotAllowedForStandby"] = 403, ["Forbidden"] = 403,
  ["Forbidden.Action"] = 403, ["NoSuchResource"] = 404, ["InternalError"] = 500,
  ["RequestTimeout"] = 504,
}

local function each_operation(check)
  for name, operation in pairs(ebs.operations) do check(name, operation) end
end

local function keys(set)
  local list = {}
  for key in pairs(set) do list[#list + 1] = key end
  table.sort(list)
  return list
end

describe("the data of block storage", function()
  it("holds nothing but data", function()
    local function walk(value, path)
      assert.is_not_equal("function", type(value), path)
      if type(value) ~= "table" then return end
      assert.is_nil(getmetatable(value), path)
      for key, inner in pairs(value) do walk(inner, path .. "." .. tostring(key)) end
    end
    walk(ebs, "ebs")
  end)

  it("describes each operation whole", function()
    each_operation(function(name, operation)
      assert.is_boolean(operation.mutating, name)
      assert.is_boolean(operation.token, name)
      assert.is_string(operation.summary, name)
      assert.equal("ebs:" .. name, operation.ram)
      assert.is_truthy(({ source = 1, destination = 1, either = 1 })[operation.region], name)
      assert.equal(name:find("^Describe") == nil, operation.mutating)
      assert.equal(operation.token, operation.params.ClientToken ~= nil)
    end)
    assert.same({ "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs", "DescribeRegions",
      "FailoverDiskReplicaGroup" }, keys(ebs.operations))
  end)

  it("uses only parameter types and formats that are checked", function()
    each_operation(function(name, operation)
      for param, rule in pairs(operation.params) do
        local where = name .. "." .. param
        assert.is_true(TYPES[rule.type], where)
        assert.is_true(rule.format == nil or FORMATS[rule.format], where)
        assert.is_string(rule.doc, where)
        assert.matches("^%u", param)
      end
    end)
  end)

  it("names type and unit of every response field", function()
    each_operation(function(name, operation)
      local seen = {}
      for _, field in ipairs(operation.response) do
        assert.is_true(RESPONSE_TYPES[field[2]], name .. " " .. field[1])
        assert.is_nil(seen[field[1]], field[1])
        seen[field[1]] = field[3] or "-"
      end
      assert.is_truthy(seen.RequestId, name)
      for path, unit in pairs(seen) do
        if path:find("LastRecoverPoint$") then assert.equal("unix s", unit) end
        if path:find("%.RPO$") then assert.equal("s", unit) end
      end
    end)
  end)

  it("pages over parameters and fields that exist", function()
    each_operation(function(name, operation)
      local paging = operation.paging
      if not paging then return end
      assert.is_table(operation.params[paging.input], name)
      assert.is_table(operation.params[paging.limit], name)
      assert.equal(operation.params[paging.limit].max, paging.max)
      assert.is_true(paging.default <= paging.max)
      local fields = {}
      for _, field in ipairs(operation.response) do fields[field[1]:match("^%w+")] = true end
      assert.is_true(fields[paging.items] and fields[paging.output], name)
    end)
  end)

  it("waits with words that exclude each other", function()
    for name, definition in pairs(ebs.waiters) do
      assert.is_table(ebs.operations[definition.operation], name)
      assert.is_false(ebs.operations[definition.operation].mutating)
      local seen = {}
      for _, kind in ipairs { "success", "failure", "transient" } do
        assert.is_true(#definition[kind] > 0)
        for _, word in ipairs(definition[kind]) do
          assert.is_nil(seen[word], name .. " " .. word)
          seen[word] = kind
        end
      end
      assert.is_true(definition.delay > 0 and definition.timeout > definition.delay)
    end
  end)

  it("takes every state from which a failover is allowed for one on the way", function()
    local definition = ebs.waiters.group_failovered
    local known = {}
    for _, kind in ipairs { "success", "failure", "transient" } do
      for _, word in ipairs(definition[kind]) do known[word] = kind end
    end
    for _, state in ipairs(ebs.operations.FailoverDiskReplicaGroup.legal_states) do
      assert.is_string(known[state], state)
    end
    assert.equal("success", known.failovered)
    assert.equal("failure", known.failover_failed)
  end)

  it("explains every error of every operation", function()
    each_operation(function(name, operation)
      for _, code in ipairs(operation.errors) do
        assert.is_table(ebs.errors[code], name .. " " .. code)
      end
    end)
    for code, entry in pairs(ebs.errors) do
      assert.is_true(math.type(entry.status) == "integer" and entry.status >= 400, code)
      for _, field in ipairs { "message", "meaning", "cure" } do
        assert.is_true(type(entry[field]) == "string" and #entry[field] > 5, code .. field)
        assert.is_nil(entry[field]:find("%c"), code .. field)
      end
      assert.is_not_equal(entry.message, entry.meaning, code)
      assert.is_nil(entry.cure:find("%.$"), code)
    end
  end)

  it("has the thirteen documented errors of the failover with their HTTP statuses", function()
    local listed = {}
    for _, code in ipairs(ebs.operations.FailoverDiskReplicaGroup.errors) do
      assert.is_nil(listed[code])
      listed[code] = ebs.errors[code].status
    end
    assert.same(SEED, listed)
  end)

  it("agrees with the C core about what each code means for a retry", function()
    local expected = {
      ["RequestTimeout"] = "unknown", ["InternalError"] = "unknown",
      ["ServiceUnavailable"] = "unknown", ["NoSuchResource"] = "rejected",
      ["OperationDenied"] = "rejected", ["Throttling"] = "rejected",
      ["BLOCK.LimitedRquest"] = "rejected", ["SignatureNonceUsed"] = "unknown",
      ["LastTokenProcessing"] = "unknown",
    }
    for code, outcome in pairs(expected) do
      local entry = ebs.errors[code]
      local _, fields = core.read {
        status = entry.status, headers = {},
        body = core.encode { Code = code, Message = entry.message, RequestId = "R" },
      }
      assert.equal(outcome, fields.outcome, code)
    end
  end)
end)
