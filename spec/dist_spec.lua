-- What `make dist` makes of this tree. What can be made of that is tried by `.ci/rock`.

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

local sh = process.sh
local VERSION = core.version.core
local NAME = "alicloud-dr-" .. VERSION

local MAKE = "env -u LD_PRELOAD make -s --no-print-directory "

local function dist(directory, words)
  return sh(("%s dist BUILD='%s' %s"):format(MAKE, directory, words or ""))
end

local function rockspec(directory, words)
  local text, code = dist(directory, words)
  assert.equal(0, code, text)
  local spec = {}
  assert(loadfile(("%s/%s-1.rockspec"):format(directory, NAME), "t", spec))()
  return spec
end

describe("make dist", function()
  it("makes the same archive twice, and of what it has unpacked", function()
    local one, two = scratch.directory(), scratch.directory()
    for _, directory in ipairs { one, two } do
      local text, code = dist(directory)
      assert.equal(0, code, text)
    end
    local archive = ("%s/%s.tar.gz"):format(one, NAME)
    local bytes = scratch.read(archive)
    assert.is_true(bytes == scratch.read(("%s/%s.tar.gz"):format(two, NAME)))
    local text, code = sh(("cd %s && tar -xzf %s && cd %s && %s dist && cmp build/%s.tar.gz %s")
      :format(one, archive, NAME, MAKE, NAME, archive))
    assert.equal(0, code, text)
    assert.equal("", (sh(("tar -tvzf %s --numeric-owner | grep -v '^-rw[x-]r-[x-]r-[x-] 0/0 '")
      :format(archive))))
  end)

  it("makes a rockspec that names the archive, on this machine or at URL", function()
    local directory = scratch.directory()
    local spec = rockspec(directory)
    assert.equal(VERSION .. "-1", spec.version)
    assert.equal(("file://%s/%s.tar.gz"):format(directory, NAME), spec.source.url)
    assert.equal("https://example.org/dr.tar.gz",
      rockspec(directory, "URL=https://example.org/dr.tar.gz").source.url)
    local own = {}
    assert(loadfile("rockspec/alicloud-dr-scm-1.rockspec", "t", own))()
    for name, value in pairs(own) do
      if name ~= "version" and name ~= "source" then assert.same(value, spec[name]) end
    end
  end)

  it("makes no release of a version that the tree does not have", function()
    local directory = scratch.directory()
    local text, code = dist(directory, "VERSION=99.0.0")
    assert.equal(2, code)
    assert.matches("^no release of 99%.0%.0: AC_VERSION in src/common/ac%.h is " .. VERSION, text)
    assert.equal("", (sh("ls " .. directory)))
  end)
end)
