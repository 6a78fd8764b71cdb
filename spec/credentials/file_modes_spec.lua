-- Whom files with keys belong to, who may read them, and what is said of it.
local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local machines = require "spec.credentials"
local scratch = require "spec.scratch"
local tree = require "spec.tree"

local PROFILE = { name = "x", access_key_id = "LTAIprofile0prf1",
  access_key_secret = "canary-profile" }

describe("a file with keys that others may read", function()
  local function warnings_of(mode)
    local text = core.encode { current = "x", profiles = { PROFILE } }
    local path = scratch.file(text, ".json", mode)
    local machine = machines.new { real_files = true }
    local keys, err = machines.open(machine, credentials.profile { file = path }):get()
    assert(keys, err)
    return machine.warnings, path
  end

  -- As Kubernetes mounts a secret: the name is a link to a link, which changes.
  local function mounted(mode, group)
    local root = scratch.directory()
    local text = core.encode { current = "x", profiles = { PROFILE } }
    tree.run(("mkdir %s/..1 && ln -s ..1 %s/..data && ln -s ..data/config.json %s/config.json")
      :format(root, root, root))
    local path = root .. "/..1/config.json"
    scratch.write(path, text)
    tree.run(("chmod %s %s"):format(mode, path))
    if group then tree.run(("chgrp %s %s"):format(group, path)) end
    return root .. "/config.json", path
  end

  local function warnings_at(path)
    local machine = machines.new { real_files = true }
    assert(machines.open(machine, credentials.profile { file = path }):get())
    return machine.warnings
  end

  it("is no matter of the user's where it is mounted", function()
    for _, mode in ipairs { "440", "444", "640" } do
      assert.same({}, warnings_at((mounted(mode))))
    end
  end)

  it("was given to a group on purpose, where that is not the user's own", function()
    if core.user().uid ~= 0 then pending "only root gives files to others" return end
    local _, path = mounted("440", "2001")
    local plain = scratch.directory() .. "/config.json"
    tree.run(("cp -p %s %s"):format(path, plain))
    assert.same({}, warnings_at(plain))
    tree.run(("chmod 444 %s"):format(plain))
    assert.equal(1, #warnings_at(plain))
    -- Somebody else's is his affair.
    tree.run(("chown 2002 %s"):format(plain))
    assert.same({}, warnings_at(plain))
  end)

  it("is warned of once, and works", function()
    for _, mode in ipairs { "644", "640", "604" } do
      local warnings, path = warnings_of(mode)
      assert.same({ ("%s holds secrets and can be read by other users (mode %s); "
        .. "chmod 600 it"):format(path, mode) }, warnings)
    end
    for _, mode in ipairs { "600", "400", "700" } do assert.same({}, (warnings_of(mode))) end
  end)
end)

describe("a file that names a program to start", function()
  local command = [[printf '{"mode":"AK","access_key_id":"LTAIx","access_key_secret":"s"}']]

  local function ask_file(mode)
    local text = core.encode { current = "x", profiles = { { name = "x", mode = "External",
      process_command = command } } }
    local path = scratch.file(text, ".json", mode)
    local machine = machines.new { real_files = true, loop = machines.real_loop() }
    return machines.open(machine, credentials.profile { file = path }):get()
  end

  it("starts none where others may write it", function()
    assert.equal("LTAIx", ask_file("600").access_key_id)
    for mode, who in pairs { ["660"] = "its group", ["602"] = "everybody" } do
      local keys, err = ask_file(mode)
      assert.is_nil(keys)
      assert.matches("it names a program to start, but .* may be written by " .. who
        .. " %(mode " .. mode .. "%); chmod g", tostring(err))
    end
  end)
end)

describe("a token file that Kubernetes mounts", function()
  it("is read through its links anew for each session", function()
    local root = scratch.directory()
    tree.run(("sh -c 'cd %s && mkdir ..1 ..2 && printf \"one\\n\" >..1/token "
      .. "&& printf \"two\\r\\n\" >..2/token && ln -s ..1 ..data && ln -s ..data/token token'")
      :format(root))
    local session = machines.answer(200, { RequestId = "R",
      Credentials = machines.members(1, 1795317592 + 3600) })
    local machine = machines.new { real_files = true, answers = { session, session }, env = {
      ALIBABA_CLOUD_ROLE_ARN = "acs:ram::1000000000000001:role/r",
      ALIBABA_CLOUD_OIDC_PROVIDER_ARN = "acs:ram::1000000000000001:oidc-provider/p",
      ALIBABA_CLOUD_OIDC_TOKEN_FILE = root .. "/token" } }
    local provider = machines.open(machine, credentials.oidc())
    assert(provider:get())
    tree.run(("sh -c 'cd %s && ln -s ..2 ..new && mv -T ..new ..data'"):format(root))
    machine.control.elapsed = 3000
    assert(provider:get())
    for i, token in ipairs { "one", "two" } do
      assert.matches("OIDCToken=" .. token .. "%f[&%z]", machine.requests[i].body)
    end
    assert.same({}, machine.warnings)
  end)

  it("is not waited for if it is a FIFO", function()
    local path = scratch.directory() .. "/token"
    tree.run("mkfifo " .. path)
    local machine = machines.new { real_files = true, env = {
      ALIBABA_CLOUD_ROLE_ARN = "acs:ram::1000000000000001:role/r",
      ALIBABA_CLOUD_OIDC_PROVIDER_ARN = "acs:ram::1000000000000001:oidc-provider/p",
      ALIBABA_CLOUD_OIDC_TOKEN_FILE = path } }
    local keys, err = machines.open(machine, credentials.oidc()):get()
    assert.is_nil(keys)
    assert.matches("^the OIDC token file .*/token: not a regular file", err.message)
  end)
end)
