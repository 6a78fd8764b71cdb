---@meta alicloud.transport
-- Declares the C module for language servers. Never loaded.

---@alias alicloud.Failure
---| "resolve"|"connect"|"proxy"|"proxy_refused"|"proxy_tls"
---| "tls"|"tls_expired"|"tls_not_yet_valid"|"tls_untrusted"|"tls_wrong_host"
---| "send"|"receive"|"closed"|"timeout"|"malformed"|"too_large"
---| "too_late"|"request_too_large"|"refused"|"cancelled"|"other"

---@class alicloud.ExchangeStats
---@field elapsed number seconds
---@field new_connections integer
---@field bytes_sent integer
---@field bytes_received integer

---Result of the built-in transport: an HTTP answer, or the kind of failure if there was none.
---@class alicloud.TransportExchange: alicloud.Exchange
---@field failure? alicloud.Failure
---@field stats alicloud.ExchangeStats

---A call under way. Closing it frees its answer, and cancels a request in flight, at once.
---@class alicloud.Op
local Op = {}

---@return boolean done true also if it is closed
function Op:done() end

---Raises before the operation is done, and if it is closed.
---@return alicloud.TransportExchange
function Op:result() end

---A number that no other operation of this transport has, see Transport:ended.
---@return integer
function Op:ticket() end

---Ends the operation. Its exchange then has the failure "cancelled" and says whether the request
---had left.
function Op:cancel() end

---@class alicloud.TransportOptions
---@field connect_timeout? number seconds (5)
---@field max_body? integer bytes (1 MiB)
---@field max_headers? integer bytes of all header blocks of an answer (64 KiB)
---@field observe? boolean refuses, before a socket is opened, a request that is mutating, that does
---not name one of `reads` in its header fields, query and form, or whose path is not "/"
---@field reads? alicloud.Actions made by `core.actions` (none)
---@field ca_file? string
---@field ca_path? string
---@field client_cert? string PEM file; the key may be in it
---@field client_key? string PEM file without a passphrase
---@field proxy? string [scheme://][user:password@]host[:port] with the scheme http, https, socks5
---or socks5h; "none" for no proxy; nil: that of the environment
---@field no_proxy? string hosts, domains and networks that are asked without the proxy, without
---scheme or port: "a.example,10.0.0.0/8", or "*" for all; nil: those of the environment
---@field resolve? table<string, string[]> IPv4 or IPv6 addresses by "name" or "name:port", tried in
---this order instead of asking a resolver; the name must be that of another machine

---@class alicloud.TransportRequest
---@field method string
---@field url string https, or http to a loopback address; without user and fragment
---@field headers? table<string, string> sent byte for byte, except that "Host" may change its case
---@field body? string
---@field timeout? number seconds for the whole exchange (10)
---@field connect_timeout? number seconds
---@field mutating? boolean uses a connection of its own, which is not reused
---@field plain_http? boolean allows http:// to other hosts
---@field send_by? number core.boottime in seconds after which nothing of the request leaves this
---process; the failure is then "too_late"

---Connections and transfers of one thread, behind one pollable descriptor.
---@class alicloud.Transport
local Transport = {}

---Starts a transfer and returns at once. Raises on misuse. A request that is too large (4 MiB of
---body, 512 KiB of method, URL and header fields), refused or too late gives an operation that is
---done. A signed request is used up even then: its nonce is for one request.
---@overload fun(self, signed: alicloud.SignedRequest, seconds: number, mutating: boolean,
---plain_http?: boolean, send_by?: number): alicloud.Op, boolean  also whether it is done already
---@param request alicloud.TransportRequest
---@return alicloud.Op
function Transport:submit(request) end

---Advances every transfer that can go on; never blocks.
---@return integer finished number of operations that have finished
function Transport:step() end

---Waits until `step` has work or must be called.
---@param seconds number at most, 0 to 86400
function Transport:wait(seconds) end

---The ticket of an operation that has ended, each one once, so that a caller with many operations
---need not ask all of them.
---@return integer|false|nil ticket nil if no further one has ended, false once the transport is
---closed
function Transport:ended() end

---@return integer descriptor readable when `step` has work
function Transport:pollfd() end

---@return "r"
function Transport:events() end

---@return number? seconds until `step` must be called even if the descriptor is not ready
function Transport:timeout() end

---Totals since the transport was made; all except `in_flight` only grow. Bytes are those of HTTP
---without TLS, of transfers that were not cancelled.
---@class alicloud.TransportStats
---@field requests integer submitted requests
---@field connections integer opened connections
---@field reused integer requests sent on a connection that was kept alive
---@field bytes_sent integer
---@field bytes_received integer
---@field in_flight integer

---@return alicloud.TransportStats
function Transport:stats() end

---Cancels the transfers in flight. Idempotent; `__close` and `__gc` do the same.
function Transport:close() end

---@class alicloud.transport
---@field version string versions of libcurl and its TLS library
local transport = {}

---@param options? alicloud.TransportOptions
---@return alicloud.Transport
function transport.new(options) end

---Appends the keys of TLS connections to a file from now on. For a program that owns its process,
---before its first transport. Removes SSLKEYLOGFILE from the environment, which has no other effect
---here.
---@param path string
---@return boolean ok false: the TLS library cannot do that
function transport.log_keys(path) end

---The certificate store that is used if the caller names none: a hashed directory or a bundle,
---never both.
---@return { ca_file?: string, ca_path?: string }
function transport.trust() end

return transport
