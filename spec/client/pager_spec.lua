local errors = require "alicloud.base.error"
local helper = require "spec.helper"
local pager = require "alicloud.client.pager"

local PAGING = {
  items = "Items", input = "NextToken", output = "NextToken", limit = "MaxResults", default = 100,
}

-- Plays pages and writes down what was asked.
local function script(pages)
  local asked = {}
  return function(params)
    local copy = {}
    for name, value in pairs(params) do copy[name] = value end
    asked[#asked + 1] = copy
    local page = pages[#asked]
    if errors.is_error(page) then return nil, page end
    return page
  end, asked
end

local function collect(pages, params, scope, paging)
  local fetch, asked = script(pages)
  local seen = {}
  for item in pager.each(fetch, paging or PAGING, params, scope) do seen[#seen + 1] = item end
  return seen, asked
end

describe("a traversal", function()
  it("goes over all pages and hands each token on", function()
    local seen, asked = collect({
      { Items = { 1, 2 }, NextToken = "t1" },
      { Items = { 3 }, NextToken = "t2" },
      { Items = { 4 } },
    }, { Site = "backup" })
    assert.same({ 1, 2, 3, 4 }, seen)
    assert.same({
      { Site = "backup", MaxResults = 100 },
      { Site = "backup", MaxResults = 100, NextToken = "t1" },
      { Site = "backup", MaxResults = 100, NextToken = "t2" },
    }, asked)
  end)

  it("goes on over empty pages that have a successor, and ends at an empty token", function()
    local seen, asked = collect {
      { Items = {}, NextToken = "t1" }, { NextToken = "t2" }, { Items = { 7 }, NextToken = "" },
    }
    assert.same({ 7 }, seen)
    assert.equal(3, #asked)
  end)

  it("keeps the caller's page size and does not touch the caller's table", function()
    local params = { MaxResults = 5 }
    local _, asked = collect({ { Items = {}, NextToken = "t" }, {} }, params)
    assert.equal(5, asked[1].MaxResults)
    assert.same({ MaxResults = 5 }, params)
  end)

  it("fetches a page only when it is needed, and none after a break", function()
    local fetch, asked = script {
      { Items = { 1, 2 }, NextToken = "t" }, { Items = { 3 } },
    }
    local advance, state, control, closing = pager.each(fetch, PAGING)
    assert.equal(0, #asked)
    for item in advance, state, control, closing do
      if item == 2 then break end
    end
    assert.equal(1, #asked)
    assert.is_nil((advance()))
    assert.equal(1, #asked)
  end)

  it("gives the page beside each item", function()
    local first = { Items = { "a" }, RequestId = "R1" }
    for _, page in pager.each(script { first }, PAGING) do assert.equal(first, page) end
  end)

  it("raises the error object of a page that cannot be read", function()
    local err = errors.new { code = "Forbidden" }
    local fetch = script { { Items = { 1 }, NextToken = "t" }, err }
    local seen = 0
    local raised = helper.raised(function()
      for _ in pager.each(fetch, PAGING) do seen = seen + 1 end
    end)
    assert.equal(err, raised)
    assert.equal(1, seen)
  end)

  it("stops a server that hands out a token twice, at once or in a circle", function()
    for _, pages in ipairs {
      { { Items = { 1 }, NextToken = "t" }, { Items = { 1 }, NextToken = "t" } },
      { { Items = { 1 }, NextToken = "a" }, { Items = {}, NextToken = "b" },
        { Items = {}, NextToken = "a" } },
    } do
      local raised = helper.raised(collect, pages, nil, { product = "ebs", action = "X" })
      assert.equal("Client.PageLoop", raised.code)
      assert.equal("limit", raised.kind)
      assert.matches("^ebs:X ", tostring(raised))
    end
  end)

  it("stops after as many pages as are allowed", function()
    local count = 0
    local function endless()
      count = count + 1
      return { Items = { count }, NextToken = "t" .. count }
    end
    local raised = helper.raised(function()
      for _ in pager.each(endless, PAGING, nil, { max_pages = 7 }) do count = count + 0 end
    end)
    assert.equal("Client.TooManyPages", raised.code)
    assert.equal(7, count)
  end)

  it("refuses a page whose items are no list", function()
    for _, items in ipairs { "x", 1, true, { Item = {} } } do
      assert.equal("Client.MalformedPage", helper.raised(collect, { { Items = items } }).code)
    end
  end)

  it("takes a token of digits, and refuses one that is no text", function()
    local seen, asked = collect { { Items = { 1 }, NextToken = 7 }, { Items = { 2 } } }
    assert.same({ 1, 2 }, seen)
    assert.equal("7", asked[2].NextToken)
    for _, token in ipairs { true, { "t" } } do
      assert.equal("Client.MalformedPage",
        helper.raised(collect, { { Items = { 1 }, NextToken = token } }).code)
    end
  end)

  it("raises at the caller for a senseless page cap", function()
    for _, cap in ipairs { 0, -1, 1.5, "x" } do
      assert.matches("max_pages: got", helper.raised(collect, {}, nil, { max_pages = cap }))
    end
  end)
end)

describe("numbered pages", function()
  local NUMBERED = {
    items = "Items", input = "NextToken", output = "NextToken", limit = "MaxResults",
    default = 100,
    numbered = { page = "PageNumber", size = "PageSize", max = 100, total = "TotalCount" },
  }

  local function numbered(pages, params, scope)
    return collect(pages, params, scope, NUMBERED)
  end

  it("are asked for by a size or a number, and end at the total", function()
    local seen, asked = numbered({
      { Items = { 1, 2 }, PageNumber = 1, TotalCount = 5, NextToken = "ignored" },
      { Items = { 3, 4 }, PageNumber = 2, TotalCount = 5 },
      { Items = { 5 }, PageNumber = 3, TotalCount = 5 },
    }, { PageSize = 2 })
    assert.same({ 1, 2, 3, 4, 5 }, seen)
    assert.same({ { PageSize = 2, PageNumber = 1 }, { PageSize = 2, PageNumber = 2 },
      { PageSize = 2, PageNumber = 3 } }, asked)
    seen, asked = numbered({ { Items = { 1, 2 }, TotalCount = 4 }, { Items = { 3, 4 },
      TotalCount = 4 } }, { PageSize = 2 })
    assert.same({ 1, 2, 3, 4 }, seen)
    assert.equal(2, #asked)
    seen, asked = numbered({ { Items = { 9 }, TotalCount = 201 } }, { PageNumber = "3" })
    assert.same({ 9 }, seen)
    assert.same({ { PageSize = 100, PageNumber = "3" } }, asked)
  end)

  it("are read from numbers in quotes", function()
    local seen = numbered({ { Items = { 1, 2 }, PageNumber = "1", TotalCount = "3" },
      { Items = { 3 }, PageNumber = "2", TotalCount = "3" } }, { PageSize = 2 })
    assert.same({ 1, 2, 3 }, seen)
  end)

  it("without a total end at a page that is not full, and always at an empty one", function()
    assert.same({ 1, 2, 3 }, (numbered({ { Items = { 1, 2 } }, { Items = { 3 } } },
      { PageSize = 2 })))
    assert.same({ 1, 2 }, (numbered({ { Items = { 1, 2 }, TotalCount = 9 }, { Items = {} } },
      { PageSize = 2 })))
  end)

  it("give way to a token or a number of results, as the service does", function()
    local _, asked = numbered({ { Items = {} } }, { PageSize = 2, MaxResults = 7 })
    assert.same({ { PageSize = 2, MaxResults = 7 } }, asked)
    _, asked = numbered({ { Items = {} } }, { PageSize = 2, NextToken = "t" })
    assert.equal("t", asked[1].NextToken)
    assert.is_nil(asked[1].PageNumber)
  end)

  it("stop a server that stays on its page or goes on for ever", function()
    local same = { Items = { 1 }, PageNumber = 1, TotalCount = 9 }
    local raised = helper.raised(numbered, { same, same }, { PageSize = 1 })
    assert.equal("Client.PageLoop", raised.code)
    assert.matches("answered page 1 instead of 2", raised.message)
    local more = { Items = { 1 }, TotalCount = 1 << 40 }
    raised = helper.raised(numbered, { more, more, more }, { PageSize = 1 }, { max_pages = 2 })
    assert.equal("Client.TooManyPages", raised.code)
  end)
end)

describe("all pages at once", function()
  it("are the first response with the items of all", function()
    local fetch = script {
      { Items = { 1 }, NextToken = "t", RequestId = "first" }, { Items = { 2, 3 }, NextToken = "" },
    }
    local page = assert(pager.all(fetch, PAGING, {}))
    assert.same({ 1, 2, 3 }, page.Items)
    assert.equal("first", page.RequestId)
  end)

  it("are nothing if one of them is missing, broken or repeated", function()
    local broken = errors.new { code = "Forbidden" }
    for code, pages in pairs {
      Forbidden = { { Items = { 1 }, NextToken = "t" }, broken },
      ["Client.PageLoop"] = { { Items = {}, NextToken = "t" }, { Items = {}, NextToken = "t" } },
      ["Client.MalformedPage"] = { { NextToken = "t" }, { Items = { 1 } } },
    } do
      local page, err = pager.all(script(pages), PAGING, {})
      assert.is_nil(page)
      assert.equal(code, err.code)
    end
  end)

  it("keep the absence of a list apart from an empty one", function()
    assert.is_nil(pager.all(script { {} }, PAGING).Items)
    assert.same({}, pager.all(script { { Items = {} } }, PAGING).Items)
  end)
end)
