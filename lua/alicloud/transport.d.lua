---@meta alicloud.transport
-- Declarations of the C module for language servers. Never loaded.

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

---What the built-in transport gives back: an HTTP answer, or the way in which there was none.
---@class alicloud.TransportExchange: alicloud.Exchange
---@field failure? alicloud.Failure
---@field stats alicloud.ExchangeStats

---One call under way.
---To be closed, so that its answer and a request in flight are let go of at once.
---@class alicloud.Op
local Op = {}

---@return boolean done also true when it is closed
function Op:done() end

---Raises before the operation is done, and when it is closed.
---@return alicloud.TransportExchange
function Op:result() end

---Not the ticket of any other operation of its transport, see Transport:ended.
---@return integer
function Op:ticket() end

---Ends it; the exchange then says "cancelled" and whether the request had left.
function Op:cancel() end

---@class alicloud.TransportOptions
---@field connect_timeout? number seconds, 5 unless given
---@field max_body? integer bytes, 1 MiB unless given
---@field max_headers? integer bytes of all header blocks of an answer, 64 KiB unless given
---@field observe? boolean refuse, before a socket is opened, what is mutating, and what does not say
---in its header fields, query and form that it is one of `reads`, or has another path than "/"
---@field reads? alicloud.Actions of `core.actions`; none unless given
---@field ca_file? string
---@field ca_path? string
---@field client_cert? string PEM file; the key may be in it
---@field client_key? string PEM file without a passphrase
---@field proxy? string [scheme://][user:password@]host[:port], the scheme http, https, socks5 or
---socks5h; the environment's unless given; "none" for no proxy
---@field no_proxy? string hosts, domains and networks that are asked directly, without scheme or
---port, "a.example,10.0.0.0/8", or "*" alone for all; the environment's unless given
---@field resolve? table<string, string[]> IPv4 or IPv6 addresses of "name" or "name:port", tried in
---this order without asking a resolver; the name is another machine's

---@class alicloud.TransportRequest
---@field method string
---@field url string https, or http to a loopback address; without user or fragment
---@field headers? table<string, string> sent byte for byte, but for the letters of "Host"
---@field body? string
---@field timeout? number seconds for the whole exchange, 10 unless given
---@field connect_timeout? number seconds
---@field mutating? boolean own connection, never reused
---@field plain_http? boolean http:// to other hosts is wanted
---@field send_by? number seconds of core.boottime: after it nothing of the request leaves this process
---any more, and the failure is "too_late"

---Connections and transfers of one thread, behind one pollable descriptor.
---@class alicloud.Transport
local Transport = {}

---Starts a transfer and returns at once. Raises on misuse. A request that is over a limit (4 MiB of
---body, 512 KiB of method, URL and header fields), refused or too late is an operation that is done.
---What was signed is used up by it, whatever becomes of it: a nonce is for one request.
---@overload fun(self, signed: alicloud.SignedRequest, seconds: number, mutating: boolean,
---plain_http?: boolean, send_by?: number): alicloud.Op, boolean  and whether it is done already
---@param request alicloud.TransportRequest
---@return alicloud.Op
function Transport:submit(request) end

---Moves every transfer that can move; never blocks.
---@return integer finished
function Transport:step() end

---Waits until step() has something to do or is due.
---@param seconds number at most, 0 to 86400
function Transport:wait(seconds) end

---The operations that have ended since, each once, so that who waits for many need not ask all.
---@return integer|false|nil ticket nil if there is none, false once the transport is closed
function Transport:ended() end

---@return integer descriptor readable when step() has something to do
function Transport:pollfd() end

---@return "r"
function Transport:events() end

---@return number? seconds until step() is due even if the descriptor stays silent
function Transport:timeout() end

---Totals since the transport was made; all but `in_flight` only grow. Bytes are those of HTTP, TLS
---not counted, of transfers that were not cancelled.
---@class alicloud.TransportStats
---@field requests integer submitted
---@field connections integer opened
---@field reused integer requests that left on a connection kept alive
---@field bytes_sent integer
---@field bytes_received integer
---@field in_flight integer

---@return alicloud.TransportStats
function Transport:stats() end

---Cancels what is in flight. Idempotent; `__close` and `__gc` do the same.
function Transport:close() end

---@class alicloud.transport
---@field version string libcurl and its TLS library
local transport = {}

---@param options? alicloud.TransportOptions
---@return alicloud.Transport
function transport.new(options) end

---Has the keys of TLS connections appended to a file from now on. For a program that owns its process,
---before its first transport; its variable SSLKEYLOGFILE, which has no effect otherwise, is gone then.
---@param path string
---@return boolean ok
function transport.log_keys(path) end

---The certificate store used where the caller names none: a hashed directory alone, else a bundle
---alone.
---@return { ca_file?: string, ca_path?: string }
function transport.trust() end

return transport
