-- Parameters by group: rows from JSON, from lines and from Lua.

local params = require "alicloud.dr.playbook.params"

local LIST = { { name = "table", type = "rows", help = "rows", columns = {
  { name = "group", type = "id" }, { name = "attach", type = "disks" },
  { name = "stop", type = "command" },
  { name = "fence", type = "choice", values = { "try", "must", "no" } } } } }

local function read(value)
  local got, message = params.read(LIST, { table = value })
  return got and got.table, message
end

local function refused(value)
  local got, message = read(value)
  assert.is_nil(got)
  return message:match "^parameter table: (.*)$"
end

describe("rows by group", function()
  it("are read from lines, whatever stands between the cells", function()
    local expected = { ["pg-1"] = { attach = "i-1", fence = "must" }, ["pg-2"] = { stop = "true" } }
    for _, text in ipairs { "group,attach,fence,stop\npg-1,i-1,must\npg-2,,,true\n",
      "\u{FEFF}group;attach;fence;stop\r\npg-1; i-1 ;must;\r\n\r\npg-2;;;true",
      "# by hand\nstop\tgroup\tattach\tfence\n\tpg-1\ti-1\tmust\n# and\ntrue\tpg-2\n" } do
      assert.same(expected, read(text))
    end
  end)

  it("may hold what stands between cells, and quotes, in quotes", function()
    local rows = read 'group,attach,stop\npg-1,"d-1:i-1, d-2:i-2","echo ""a, b"" c"\n'
    assert.same({ ["d-1"] = "i-1", ["d-2"] = "i-2" }, rows["pg-1"].attach)
    assert.equal('echo "a, b" c', rows["pg-1"].stop)
    assert.equal('sh -c "x"', read('group,stop\npg-1,sh -c "x"\n')["pg-1"].stop)
  end)

  it("may have empty cells beside quoted ones, with tabs between as well", function()
    for _, separator in ipairs { ",", ";", "\t" } do
      local text = 'group,stop,attach,fence\npg-1,,"d-1:i-1",\npg-2, "a b" ,,must\n'
      local rows = read((text:gsub(",", separator)))
      assert.same({ ["pg-1"] = { attach = { ["d-1"] = "i-1" } },
        ["pg-2"] = { stop = "a b", fence = "must" } }, rows)
    end
  end)

  it("are read from JSON and from Lua, as a list or by group", function()
    local expected = { ["pg-1"] = { attach = { ["d-1"] = "i-1" } }, ["pg-2"] = {} }
    for _, value in ipairs {
      '[{"group":"pg-1","attach":{"d-1":"i-1"}},{"group":"pg-2","fence":null}]',
      ' {"pg-1":{"attach":"d-1:i-1"},"pg-2":{}}',
      { ["pg-1"] = { attach = { ["d-1"] = "i-1" } }, ["pg-2"] = {} },
      { { group = "pg-1", attach = "d-1:i-1" }, { group = "pg-2" } } } do
      assert.same(expected, read(value))
    end
  end)

  it("are refused with the place of what is wrong", function()
    for _, case in ipairs {
      { "group,atach\npg-1,i-1", 'unknown column "atach"; did you mean "attach"?' },
      { '{"pg-1":{"fance":"no"}}', 'row "pg-1": unknown column "fance"; did you mean "fence"?' },
      { "group,group\n", "column group is there twice" },
      { "attach\ni-1\n", "column group is missing" },
      { "group,attach\npg-1,i-1\npg-2,i-2\npg-1,i-3\n", "line 4: group pg-1 is in line 2 already" },
      { '[{"group":"pg-1"},{"group":"pg-1"}]', "row 2: group pg-1 is in row 1 already" },
      { "group,fence\n\npg-1,mus", 'line 3: fence: got "mus"; allowed: "try" or "must" or "no"' },
      { "group,attach\npg-1,d-1:i-1,d-2:i-2\n",
        'line 2: 3 cells under 2 columns; quotes go round what holds a ","' },
      { 'group,attach\npg-1,"i-1\n', "line 2: a quote does not end, or something follows it" },
      { 'group,attach\npg-1,"i-1"x\n', "line 2: a quote does not end, or something follows it" },
      { "group,attach\n,i-1\n", "line 2: group is missing" },
      { '[{"attach":"i-1"}]', "row 1: group is missing" },
      { '{"pg-1":5}', 'row "pg-1": got 5 (number); allowed: a row' },
      { "[]", "has no row; allowed: rows of group, attach, stop, fence: JSON, or lines with commas "
        .. "between of which the first names the columns" },
    } do
      assert.equal(case[2], refused(case[1]))
    end
    assert.matches("^is no JSON: ", refused '{"pg-1":')
    assert.matches("^has no row", refused "group\n")
    assert.matches("^got 5 %(number%); allowed: rows of group", refused(5))
    assert.matches("allowed: a command line for sh", refused { ["pg-1"] = { stop = print } })
  end)

  it("have columns that are declared without mistakes", function()
    assert.error_matches(function()
      local columns = { { name = "a", type = "b" } }
      params.declare("x", { { name = "t", type = "rows", columns = columns } }, 1)
    end, 'type: got "b"')
  end)
end)
