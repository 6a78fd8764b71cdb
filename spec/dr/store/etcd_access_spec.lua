-- Who may use a store in etcd: users whose tokens expire, certificates, and what is said where
-- something is wrong with them.

local bench = require "spec.dr.store.etcd_bench"
local clusters = require "spec.etcd.cluster"
local contract = require "spec.dr.store.contract"
local core = require "alicloud.core"
local scratch = require "spec.scratch"
local tls = require "spec.server.tls"

local it_in_etcd = clusters.missing() and pending or it
local it_over_tls = clusters.missing { tls = true } and pending or it

-- What a process with these options is told when it wants the run.
local function refusal(cluster, options)
  options.prefix = options.prefix or bench.prefix()
  local process <close> = bench.process(cluster.address, options)
  local lease, err = process.store:lease("run", contract.HOLDER)
  assert.is_nil(lease)
  assert.equal("Client.JournalFailed", err.code)
  return err
end

-- Takes the run, and appends a record to it.
local function use(cluster, options)
  options.prefix = options.prefix or bench.prefix()
  local process = bench.process(cluster.address, options)
  assert(process.store:lease("run", contract.HOLDER))
  assert(process.store:load())
  assert(process.store:append(1, "record 1\n", true))
  return process
end

describe("users of etcd", function()
  it_in_etcd("log in again when their token has expired, and when the rules change", function()
    local cluster <close> = clusters.start { auth = true, flags = { "--auth-token-ttl=1" } }
    local process <close> = use(cluster, { user = cluster.user, password = cluster.password })
    local token = process.keys.gateway.token
    -- Tokens live so long after their last use, and are looked at once a second. The process stands
    -- still, so that no renewal of its session uses it.
    core.poll(nil, "r", 3)
    assert(process.store:append(2, "record 2\n", true))
    assert.are_not.equal(token, process.keys.gateway.token)
    cluster:ctl("role", "add", "others")
    assert(process.store:append(3, "record 3\n", true))
    assert.equal("record 1\nrecord 2\nrecord 3\n", process.store:load())
  end)

  it_in_etcd("are told what is missing", function()
    local cluster <close> = clusters.start { auth = true }
    local user, password = cluster.user, cluster.password
    local nobody = refusal(cluster, {})
    assert.matches("ALICLOUD_DR_STORE_USER", nobody.hint)
    local wrong = refusal(cluster, { user = user, password = "wrong" })
    assert.matches("ALICLOUD_DR_STORE_PASSWORD", wrong.hint)
    local elsewhere = refusal(cluster, { user = user, password = password, prefix = "/other" })
    assert.matches("grant%-permission", elsewhere.hint)
    for _, err in ipairs { nobody, wrong, elsewhere } do assert.is_false(err.retryable) end
  end)

  it_in_etcd("are told that the store knows no users", function()
    local cluster <close> = clusters.start()
    assert.matches("unset ALICLOUD_DR_STORE_USER",
      refusal(cluster, { user = "ada", password = "secret" }).hint)
  end)
end)

describe("certificates of etcd", function()
  local cluster

  local function network(name, ca)
    local file = name and cluster.certificates[name]
    return { ca_file = ca or cluster.certificates.ca, client_cert = file, client_key = file }
  end

  it_over_tls("are checked, and a client's is asked for", function()
    cluster = clusters.start { tls = "client" }
    local _guard <close> = cluster
    use(cluster, { network = network "client" }):close()
    use(cluster, { network = network "named" }):close()
    assert.matches("ALICLOUD_DR_STORE_CERT_FILE", refusal(cluster, { network = network() }).hint)
    local other = tls.authority(scratch.directory(), "other")
    local err = refusal(cluster, { network = network("client", other.file) })
    assert.matches("ALICLOUD_DR_STORE_CA_FILE", err.hint)
    assert.is_false(err.retryable)
  end)

  it_over_tls("without a CN go together with a user, and with one do not", function()
    cluster = clusters.start { tls = "client", auth = true }
    local _guard <close> = cluster
    local user, password = cluster.user, cluster.password
    use(cluster, { user = user, password = password, network = network "client" }):close()
    local err = refusal(cluster, { user = user, password = password, network = network "named" })
    assert.matches("without a CN", err.hint)
  end)
end)
