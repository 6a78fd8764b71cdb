-- How many, which, and the list itself: two that agree are believed, and the third is told.

local pair_set = require "alicloud.dr.model.pair_set"
local snapshots = require "alicloud.dr.model.snapshot"

local function members(...)
  local list = {}
  for i, id in ipairs { ... } do list[i] = { id = id } end
  return list
end

local function believed(count, names, ...)
  local set = pair_set.believe(count, names, members(...), "pg-one")
  return { set.count, set.names and table.concat(set.names, " "),
    table.concat(pair_set.ids(set.members), " "), set.note }
end

describe("the pair set", function()
  it("is as it was read where nothing contradicts", function()
    assert.same({ 2, "a b", "a b" }, believed(2, { "a", "b" }, "a", "b"))
    assert.same({ 2, nil, "a b" }, believed(2, nil, "a", "b"))
    assert.same({ nil, "a b", "a b" }, believed(nil, { "a", "b" }, "a", "b"))
  end)

  it("takes no names for no statement", function()
    assert.same({ 2, nil, "a b" }, believed(2, {}, "a", "b"))
  end)

  it("believes names and list against a count that lags", function()
    for _, count in ipairs { 0, 1, 4 } do
      assert.same({ 2, "a b", "a b", ("the group counts %d, but names the 2 that are listed")
        :format(count) }, believed(count, { "a", "b" }, "a", "b"))
    end
  end)

  it("believes count and list against names that lag", function()
    assert.same({ 2, nil, "a b", "against what the group names, the pair list lacks c" },
      believed(2, { "a", "b", "c" }, "a", "b"))
    assert.same({ 2, nil, "a b", "against what the group names, the pair list has also b" },
      believed(2, { "a" }, "a", "b"))
    assert.same({ 2, nil, "a b", "against what the group names, the pair list lacks YSxi and has "
      .. "also a, b" }, believed(2, { "YSxi" }, "a", "b"))
  end)

  it("tells of names besides all that is listed, since one more look costs little", function()
    for _, case in ipairs { { { "a", "b", "c" }, { "a", "b", "c" } }, { { "a" } }, { { "YSxi" } },
      { { "a", "c", "d" } } } do
      assert.same(case[2], pair_set.believe(2, case[1], members("a", "b"), "pg-one").more)
    end
  end)

  it("believes names and count against a list that is longer", function()
    assert.same({ 2, "a b", "a b", "beside what the group names and counts, the pair list has "
      .. "also c" }, believed(2, { "a", "b" }, "a", "b", "c"))
  end)

  it("never takes a group that does not know a pair yet for a small one", function()
    for owner, kept in pairs { ["pg-one"] = 3, ["pg-other"] = 2 } do
      local list = members("a", "b", "c")
      list[3].group_id = owner
      local set = pair_set.believe(2, { "a", "b" }, list, "pg-one")
      assert.equal(kept, #set.members)
      assert.equal(kept, set.count)
      assert.equal(kept == 3, set.doubt ~= nil)
    end
  end)

  it("believes listed pairs that name the group against a count that is lower, in doubt", function()
    local list = members("a", "b", "c")
    for i, names in ipairs { false, { "a" }, { "a", "b" } } do
      for _, pair in ipairs(list) do pair.group_id = "pg-one" end
      local set = pair_set.believe(2, names or nil, list, "pg-one")
      assert.same({ 3, 3 }, { set.count, #set.members })
      assert.is_nil(set.names)
      assert.equal("the group counts 2 pairs, the pair list holds 3", set.doubt)
      assert.equal(set.doubt .. " that name it", set.note)
      list[3].group_id = nil
      set = pair_set.believe(2, names or nil, list, "pg-one")
      assert.is_nil(set.doubt)
      assert.equal(i == 3 and 2 or 3, #set.members)
    end
    assert.is_nil(pair_set.believe(4, nil, list, "pg-one").doubt)
    assert.is_nil(pair_set.believe(2, { "d" }, list, "pg-one").doubt)
  end)

  it("never takes a list that is shorter than names and count for a small group", function()
    for _, case in ipairs { { 3, { "a", "b", "c" }, "a", "b" }, { 3, nil, "a", "b" },
      { 4, { "a", "b", "c" }, "a", "b" }, { nil, { "a", "b" }, "a" }, { 2, { "a", "b" } },
      { 2, { "a", "c" }, "a", "b" }, { nil, nil, "a" } } do
      local set = pair_set.believe(case[1], case[2], members(table.unpack(case, 3)), "pg-one")
      assert.is_nil(set.note)
      assert.is_string(snapshots.pair_set_fault { pair_number = set.count, pair_ids = set.names,
        pairs = set.members })
    end
  end)
end)
