-- A journal in a file: who may use it, who holds it, and what happens when the disk fails.

local core = require "alicloud.core"
local files = require "alicloud.dr.store.file"
local journals = require "alicloud.dr.journal"
local posix = require "spec.posix"
local scratch = require "spec.scratch"

local HOLDER = { owner = "ops", host = "here", pid = 4711, since = "2026-11-22T03:19:52Z" }

local function fresh_directory()
  local path = scratch.path() .. "/a/b"
  assert(files.make_directories(path))
  return path
end

local function mode_of(path)
  local pipe <close> = assert(io.popen(("stat -c %%a '%s'"):format(path)))
  return pipe:read "l"
end

describe("a journal's file", function()
  it("is its owner's alone, in a directory that is too", function()
    local directory = fresh_directory()
    local store = assert(files.open(directory .. "/run.jsonl"))
    assert(store:lease("run", HOLDER))
    store:post "x"
    local names = core.list_directory(directory)
    assert.equal(3, #names)
    for _, name in ipairs(names) do assert.equal("600", mode_of(directory .. "/" .. name)) end
    assert.equal("700", mode_of(directory))
    store:close()
  end)

  it("that others may use is refused with the way to mend it", function()
    local path = fresh_directory() .. "/run.jsonl"
    assert(files.open(path)):close()
    os.execute(("chmod 644 '%s'"):format(path))
    local store, err = files.open(path)
    assert.is_nil(store)
    assert.matches("others may use it %(mode 644%)", err.message)
    assert.equal("chmod 600 " .. path, err.hint)
  end)

  it("is never opened through a link", function()
    local directory = fresh_directory()
    os.execute(("ln -s /tmp/somewhere-else '%s/run.jsonl'"):format(directory))
    local store, err = files.open(directory .. "/run.jsonl")
    assert.is_nil(store)
    assert.equal("ELOOP", err.errno)
  end)

  it("that is not there can be told from one that cannot be read", function()
    local _, err = files.read(fresh_directory() .. "/none.jsonl")
    assert.equal("ENOENT", err.errno)
  end)

  it("is refused where a directory is missing or is none", function()
    assert.equal("ENOENT", select(2, files.open(scratch.path() .. "/run.jsonl")).errno)
    local path = fresh_directory() .. "/file"
    assert(core.open_file(path, "create")):close()
    assert.equal("ENOTDIR", select(2, files.make_directories(path .. "/x")).errno)
  end)

  it("is not held by a program that is started meanwhile", function()
    local path = fresh_directory() .. "/run.jsonl"
    local store = assert(files.open(path))
    assert(store:lease("run", HOLDER))
    local program <close> = assert(core.spawn({ "sleep", "600" }, 10))
    store:close()
    local other = assert(files.open(path))
    assert.is_truthy(other:lease("run", HOLDER))
    assert.is_false(program:step())
    other:close()
  end)

  it("is its process's alone: a child that is forked can neither write it nor give its locks up",
    function()
      local path = fresh_directory() .. "/run.jsonl"
      local store = assert(files.open(path))
      store:load()
      assert(store:lease("run", HOLDER))
      assert(store:lease("group pg-orders", HOLDER))
      assert(store:append(1, "first\n", true))
      local child = posix.fork()
      if child == 0 then
        local ok, err = store:append(2, "second\n", true)
        local none, why = store:lease("group pg-payments", HOLDER)
        local refused = not ok and err.code == "Client.JournalForked"
          and not none and why.code == "Client.JournalForked"
        store:close()
        posix.exit(refused and 7 or 1)
      end
      assert.same({ "exit", 7 }, { posix.wait(child) })
      local other = assert(files.open(path))
      assert.equal("first\n", other:load())
      for _, name in ipairs { "run", "group pg-orders" } do
        local none, err = other:lease(name, HOLDER)
        assert.is_nil(none)
        assert.equal("Client.JournalLocked", err.code)
      end
      assert(store:append(2, "second\n", true))
      store:close()
      assert(other:lease("run", HOLDER))
      other:close()
    end)

  it("notes who has a group apart from what is listed for mail, since a fleet has thousands",
    function()
      local directory = fresh_directory()
      local store = assert(files.open(directory .. "/run.jsonl"))
      for _, name in ipairs { "run", "group pg-a", "group pg-b" } do
        assert(store:lease(name, HOLDER))
      end
      local names = core.list_directory(directory)
      table.sort(names)
      assert.same({ "groups.lock", "groups.notes", "run.jsonl", "run.jsonl.lock" }, names)
      store:close()
    end)

  it("is free once its process has closed it, for a child that it has forked too", function()
    local path = fresh_directory() .. "/run.jsonl"
    assert(os.execute(("mkfifo '%s.word'"):format(path)))
    local store = assert(files.open(path))
    assert(store:lease("run", HOLDER))
    assert(store:lease("group pg-orders", HOLDER))
    local child = posix.fork()
    if child == 0 then
      -- It has the open files of its parent still, and waits for its word.
      local word = io.open(path .. ".word", "r")
      local other = word:read "l" == "closed" and files.open(path)
      local free = other and other:lease("run", HOLDER) and other:lease("group pg-orders", HOLDER)
      posix.exit(free and 7 or 1)
    end
    store:close()
    local word = assert(io.open(path .. ".word", "w"))
    word:write "closed\n"
    word:close()
    assert.same({ "exit", 7 }, { posix.wait(child) })
  end)

  it("knows the other journals of its directory, and none that strangers may write", function()
    local directory = fresh_directory()
    local store = assert(files.open(directory .. "/run.jsonl"))
    for name, mode in pairs { ["a.jsonl"] = "600", ["open.jsonl"] = "666", ["a.txt"] = "600" } do
      local path = directory .. "/" .. name
      assert(io.open(path, "w")):write("of ", name):close()
      assert(os.execute(("chmod %s '%s'"):format(mode, path)))
    end
    assert.same({ { name = directory .. "/a.jsonl", text = "of a.jsonl" } }, store:others())
    store:close()
  end)

  it("is read and checked fast enough to be resumed after ten thousand records", function()
    local path = fresh_directory() .. "/run.jsonl"
    local journal = assert(journals.open(assert(files.open(path))))
    for i = 1, 10000 do
      assert(journal:write { type = "step_end", name = "step-" .. i, at = 1795317592.5,
        ok = true, result = { outcome = "failovered", group_id = "pg-orders", rto = 52 } })
    end
    local before = os.clock()
    assert.equal(10000, #assert(journals.open(assert(files.open(path)))).events)
    -- The aim is 0.3 s; sanitizers on a busy machine may take their time.
    assert.is_true(os.clock() - before < 10)
  end)
end)
