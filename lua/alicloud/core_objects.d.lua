---@meta _
-- Declarations of what the functions of the C module `alicloud.core` take and give, for language
-- servers. Never loaded.

---A secret in a C buffer: Lua can hand it on, not read it. Wiped when closed or collected.
---@class alicloud.Secret
local Secret = {}

---Wipes the bytes. Using the secret afterwards raises.
function Secret:close() end

---@return integer bytes
function Secret:length() end

---Hides the secret in a text that is to be shown. One of less than four bytes is not looked for.
---@param text string
---@return string text with *** in its place
function Secret:mask(text) end

---A file that must survive a crash. What fails returns nil, words and the system's code ("ENOSPC").
---It belongs to the process that opened it: a forked child can close its copy, and all else raises.
---@class alicloud.File
local File = {}

---Appends all of the bytes.
---@param bytes string
---@return boolean|nil ok
---@return string? message
---@return string? code
---@return integer? written how many bytes got there before it failed
function File:append(bytes) end

---@param offset integer
---@param count integer at most 64 MiB
---@return string|nil bytes fewer only at the end of the file
---@return string? message
---@return string? code
function File:read(offset, count) end

---fsync. One that failed must not be tried again: the next may say yes to pages that are lost.
---@return boolean|nil ok
---@return string? message
---@return string? code
function File:sync() end

---@param bytes integer
---@return boolean|nil ok
---@return string? message
---@return string? code
function File:truncate(bytes) end

---Takes blocks for that many bytes without making the file longer.
---@param bytes integer from the start of the file
---@return boolean|nil ok
---@return string? message
---@return string? code "EOPNOTSUPP" where the file system cannot
function File:reserve(bytes) end

---An exclusive lock on one byte, which need not be there: one file holds many locks. It ends when
---the file is closed. If the process dies before, it ends with the last child that the process
---forked meanwhile and that runs no other program.
---@param offset integer
---@return boolean|nil locked false if another open file holds it
---@return string? message
---@return string? code "ENOLCK" where the system has no such locks
function File:lock(offset) end

---@param offset integer of a byte that was locked
---@return boolean|nil ok
---@return string? message
---@return string? code
function File:unlock(offset) end

---Whether another open file holds a lock, of this process too. Takes none itself.
---@param offset integer
---@return boolean|nil locked
---@return string? message
---@return string? code
function File:is_locked(offset) end

---@class alicloud.FileStat
---@field bytes integer
---@field type "file"|"directory"|"link"|"other"
---@field mode integer permission bits, with setuid, setgid and sticky
---@field links integer how many names it has
---@field uid integer
---@field gid integer
---@field own boolean it belongs to the user as which this process acts

---@return alicloud.FileStat|nil about
---@return string? message
---@return string? code
function File:stat() end

function File:close() end

---@class alicloud.SignRequest
---@field algorithm? "ACS3-HMAC-SHA256"|"ACS3-HMAC-SM3"|"HMAC-SHA1" the first unless given
---@field method? string upper-cased; POST unless given
---@field scheme? "https"|"http"
---@field host? string host[:port], signed as given; a `host` header wins
---@field path? string "/" unless given
---@field query? table<string, string|number|boolean> flat parameters; `alicloud.null` is `name=`
---@field form? table<string, string|number|boolean> HMAC-SHA1 only: parameters of a form body
---@field headers? table<string, string> every x-acs-*, host and content-type is signed; these win
---@field body? string
---@field payload_hash? string hex, instead of hashing `body`
---@field action? string
---@field version? string
---@field access_key_id? string without it the request stays unsigned
---@field access_key_secret? string|alicloud.Secret
---@field security_token? string|alicloud.Secret
---@field date? string YYYY-MM-DDTHH:MM:SSZ
---@field nonce? string

---@class alicloud.Signed
---@field method string
---@field url string
---@field host string
---@field headers table<string, string> lower-case names, authorization included
---@field body? string
---@field canonical_request? string nil without a key, like the rest
---@field string_to_sign? string
---@field signature? string hex, or base64 for HMAC-SHA1
---@field authorization? string ACS3 only
---@field signed_headers? string ACS3 only

---@class alicloud.ReadInfo
---@field status? integer
---@field request_id? string
---@field date? integer unix seconds of the Date header
---@field body_bytes integer

---@class alicloud.ReadFields: alicloud.ReadInfo
---@field kind "api"|"http"|"network"|"tls"|"timeout"|"decode"|"limit"|"throttled"|"cancelled"
---@field code string verbatim, or ours: "Client.…"
---@field message string
---@field outcome "not_sent"|"rejected"|"unknown"
---@field retryable boolean
---@field retry_class "never"|"transport"|"server"|"throttle"|"nonce"|"clock"|"credentials"|"pending"
---@field retry_after? number seconds
---@field verdict? "wrong secret"|"our canonical string differs"
---@field host_id? string
---@field recommend? string
---@field access_denied_detail? table
---@field failure? string
---@field detail? string

---Signs a request of the kind that the signer was made for and keeps it in C, ready for
---`Transport:submit`. Pure, and raises on misuse, like `core.sign`.
---@alias alicloud.Signer fun(query: table<string, string|number|boolean>?,
---body_or_form: string|table|nil, date: number, nonce: string, access_key_id: string?,
---access_key_secret: string|alicloud.Secret|nil, security_token: string|alicloud.Secret|nil,
---headers: table<string, string>?): alicloud.SignedRequest

---A signed request in a C buffer; its fields are made when they are asked for.
---@class alicloud.SignedRequest: alicloud.Signed

---What all requests of a kind share.
---@class alicloud.SignKind
---@field algorithm? "ACS3-HMAC-SHA256"|"ACS3-HMAC-SM3"|"HMAC-SHA1" the first unless given
---@field method? string upper-cased; POST unless given
---@field scheme? "https"|"http"
---@field host string host[:port], signed as given
---@field path? string "/" unless given
---@field action? string
---@field version? string
---@field headers? table<string, string>

---@class alicloud.ReadOptions
---@field string_to_sign? string of the request, for the verdict about a refused signature
---@field canonical_request? string the same
---@field max_bytes? integer largest body that is read, 1 MiB unless given

---What somebody reads along. Nothing is waited for. It belongs to the process that opened it.
---@class alicloud.Sink
local Sink = {}

---@param bytes string
---@return integer|nil written how many of them went at once
---@return string? message
---@return string? code "EPIPE" if nobody reads any more
function Sink:write(bytes) end

---@return integer descriptor
function Sink:fd() end

function Sink:close() end

---A program that was started for its output. It can be waited for like a transport. It belongs to
---the process that started it: a forked child can only close its copy, which ends nothing.
---@class alicloud.Process
local Process = {}

---Takes what it has written; never blocks.
---@return boolean over it has ended, and what it wrote is taken; a daemon that it left behind with its
---pipe may go on
function Process:step() end

---Hands over what it has written to its standard error, where that was asked for. A program waits
---once 64 KiB of it are not taken.
---@return string text "" if there is nothing
function Process:errors() end

---@return integer? descriptor the same until it is closed; nil then
function Process:pollfd() end

---@return "r"
function Process:events() end

---@return number? seconds until step() is due even if the descriptor stays silent
function Process:timeout() end

---@class alicloud.Overflow
---@field bytes integer of the whole output
---@field kept integer of them in the file: all, up to 64 MiB
---@field fault? string why it holds fewer

---@return alicloud.Overflow? overflow nil as long as the output is not more than the cap
function Process:overflow() end

---Hands the output over, once; raises before the process is over.
---@return alicloud.Secret? output nil if it was more than the cap
---@return integer? exit_code nil unless it ended by itself; where the host waits for its children
---itself, or ignores SIGCHLD, 128 and the number of a signal that ended it, as of a shell
---@return integer? signal that ended it; without one and without an exit code nobody can know
function Process:result() end

---Kills it with its children, if it still runs. What it has written can be taken yet.
function Process:kill() end

---Kills it with its children, if it still runs, and wipes the output. Idempotent.
function Process:close() end

---@class alicloud.SpawnOptions
---@field errors? boolean its standard error is read (`process:errors`) instead of the host's own
---@field leashed? boolean it is killed with its children when this process ends, however that ends;
---costs one shell beside all of them
---@field overflow? string path of a new file (mode 0600): an output that is more than the cap goes
---there, all of it, and the program is not killed
---@field without? string[] patterns (*, ?, [a-z]) of names of variables that it does not get

--- Operations of versions of APIs: a set that nobody can change.
---@class alicloud.Actions
local Actions = {}

---@param version string
---@param action string
---@return boolean
function Actions:has(version, action) end

--- A program that is talked with over a socket. It belongs to the process that started it: a forked
--- child can only close its copy, which ends nothing.
---@class alicloud.Child
local Child = {}

---@return integer descriptor to poll; never blocks
function Child:fd() end

--- Sends all of it, waiting for the child to take it.
---@param text string
---@param seconds? number longest wait, 0 to 86400 (5)
---@return true|nil ok
---@return string? message
function Child:send(text, seconds) end

--- Takes what it has said; never blocks.
---@param max integer bytes, up to 1 MiB
---@return string? bytes "" if there are none yet, nil at its end
function Child:receive(max) end

--- How it ended; nil while it runs.
---@return { exit: integer?, signal: integer? }? how both are absent where the host ignores its
--- children's ends
function Child:ended() end

--- How long it has computed, without children of its own.
---@return number? seconds nil where nobody can tell
function Child:computed() end

--- Kills it with its children, if it still runs. Idempotent.
function Child:close() end

---@class alicloud.ChildOptions
---@field argv string[] 1 to 64; the first is searched for in PATH
---@field env? string[] "NAME=value", up to 64: all of its environment (none)

---@class alicloud.DecodeOptions
---@field max_bytes? integer largest text that is read, 1 MiB unless given
---@field keep_null? boolean `alicloud.null` for null in an object, whose name is left out else

---Descriptors behind one that is readable when any of them is ready. For a loop that watches only one
---and always the same. A child that was forked has one of its own, with another descriptor and empty
---at first.
---@class alicloud.PollGroup
local PollGroup = {}

---From now on it counts; costs nothing for one that does already. Raises where it is not open.
---@param fd integer
---@param events? "r"|"w"|"rw" "r" unless given
function PollGroup:add(fd, events) end

---Before it is closed, or another one of its number would be taken for it. One that is not in the
---group is fine.
---@param fd integer
function PollGroup:remove(fd) end

---@return integer descriptor the same as long as the group is open
function PollGroup:pollfd() end

---Idempotent; `__close` and `__gc` do the same.
function PollGroup:close() end
