#include "lua_sign.h"

#include "lua_secret.h"
#include "lua_signed_request.h"

#define WHAT "sign"

/* [-1, +1, v]  sign(request) -> table */
int acL_sign(lua_State *L)
{
    struct ac_pair pairs[ACL_GIVEN_FEW];
    char digits[ACL_GIVEN_FEW][AC_CODEC_FLOAT_BYTES];
    struct acL_given given = {.pairs = pairs, .digits = digits, .room = ACL_GIVEN_FEW};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_checkstack(L, 12, NULL);
    struct ac_wire_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->wire = NULL;
    luaL_setmetatable(L, AC_WIRE_CLASS);
    do
        acL_given_read(L, &given);
    while (acL_given_grow(L, &given));
    acL_given_check_fields(L, &given);
    acL_given_check_parts(L, &given);
    acL_signed_fill(L, box, &given, acL_digest(L), acL_signed_pool(L));
    acL_signed_table(L, 2);
    return 1;
}

/* What all requests of a kind share; the bytes are its own, behind the headers. */
struct signer {
    struct ac_request request;
    enum ac_sign_algorithm algorithm;
    struct ac_pair headers[];
};

enum upvalue { UP_SIGNER = 1, UP_DIGEST, UP_POOL, UP_CLASS, UP_LAST = UP_CLASS };

static void list_texts(struct ac_request *request, struct ac_str *texts[6])
{
    struct ac_str *const all[6] = {&request->method, &request->scheme, &request->host,
                                   &request->path,   &request->action, &request->version};
    memcpy(texts, all, sizeof all);
}

static size_t bytes_of(struct acL_given *given)
{
    struct ac_str *texts[6];
    const struct ac_pairs *headers = &given->request.headers;
    size_t bytes = sizeof(struct signer) + headers->n * sizeof(struct ac_pair);
    list_texts(&given->request, texts);
    for (size_t i = 0; i < 6; i++)
        bytes += texts[i]->n;
    for (size_t i = 0; i < headers->n; i++)
        bytes += headers->v[i].name.n + headers->v[i].value.n;
    return bytes;
}

static void move(struct ac_str *s, char **to)
{
    char *start = *to;
    if (s->n > 0)
        memcpy(start, s->p, s->n);
    s->p = start;
    *to += s->n;
}

static void keep(struct signer *signer, const struct acL_given *given)
{
    struct ac_str *texts[6];
    struct ac_pairs *headers = &signer->request.headers;
    signer->algorithm = given->algorithm;
    signer->request = given->request;
    char *to = (char *)(signer->headers + headers->n);
    list_texts(&signer->request, texts);
    for (size_t i = 0; i < 6; i++)
        move(texts[i], &to);
    if (headers->n > 0)
        memcpy(signer->headers, headers->v, headers->n * sizeof *headers->v);
    headers->v = signer->headers;
    for (size_t i = 0; i < headers->n; i++) {
        move(&headers->v[i].name, &to);
        move(&headers->v[i].value, &to);
    }
}

/* [-0, +0, v]  Headers first, so that those of one request lie behind those of all. */
static void read_params(lua_State *L, struct acL_given *given, const struct signer *signer)
{
    struct ac_request *request = &given->request;
    const struct ac_pairs *shared = &signer->request.headers;
    given->used = shared->n;
    if (given->used > given->room)
        return;
    if (shared->n > 0)
        memcpy(given->pairs, shared->v, shared->n * sizeof *shared->v);
    request->headers = (struct ac_pairs){given->pairs, shared->n};
    if (!lua_isnoneornil(L, 8)) {
        acL_given_map(L, given, 8, "headers", &request->headers);
        request->headers = (struct ac_pairs){given->pairs, given->used};
    }
    if (!lua_isnil(L, 1))
        acL_given_map(L, given, 1, "query", &request->query);
    if (lua_type(L, 2) == LUA_TSTRING)
        request->body.p = lua_tolstring(L, 2, &request->body.n);
    else if (!lua_isnil(L, 2))
        acL_given_map(L, given, 2, "form", &request->form);
}

/* [-0, +0, v]  Text where text belongs: a number would be made one while pointers into tables are
 * held, which allocates and may run finalizers. */
static void check_texts(lua_State *L)
{
    luaL_checktype(L, 4, LUA_TSTRING);
    if (!lua_isnil(L, 5))
        luaL_checktype(L, 5, LUA_TSTRING);
}

/* [-0, +0, v]  Numbers 3 to 7. */
static void read_rest(lua_State *L, struct acL_given *given, char date[21])
{
    acL_given_date(L, 3, date);
    given->request.date = (struct ac_str){date, 20};
    given->request.nonce.p = lua_tolstring(L, 4, &given->request.nonce.n);
    given->credentials.access_key_id.p = lua_tolstring(L, 5, &given->credentials.access_key_id.n);
    given->credentials.secret = acL_secret_bytes(L, 6, WHAT, "access_key_secret");
    given->credentials.security_token = acL_secret_bytes(L, 7, WHAT, "security_token");
}

static void check(lua_State *L, const struct acL_given *given)
{
    if (ac_str_has_control(given->request.nonce))
        luaL_error(L, WHAT ": option 'nonce': allowed: no control characters");
    if (!lua_isnil(L, 8))
        acL_given_check_fields(L, given);
    acL_given_check_parts(L, given);
}

/* [-8, +1, v]  (query, body or form, unix seconds, nonce, access_key_id, access_key_secret,
 * security_token, headers) -> Signed */
static int sign_one(lua_State *L)
{
    const struct signer *signer = lua_touserdata(L, lua_upvalueindex(UP_SIGNER));
    struct ac_pair pairs[ACL_GIVEN_FEW];
    char digits[ACL_GIVEN_FEW][AC_CODEC_FLOAT_BYTES], date[21];
    struct acL_given given = {.pairs = pairs, .digits = digits, .room = ACL_GIVEN_FEW};
    lua_settop(L, 8);
    luaL_checkstack(L, 12, NULL);
    check_texts(L);
    struct ac_wire_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->wire = NULL;
    lua_pushvalue(L, lua_upvalueindex(UP_CLASS));
    lua_setmetatable(L, -2);
    given.algorithm = signer->algorithm;
    do {
        given.request = signer->request;
        read_params(L, &given, signer);
    } while (acL_given_grow(L, &given));
    read_rest(L, &given, date);
    check(L, &given);
    acL_signed_fill(L, box, &given, lua_touserdata(L, lua_upvalueindex(UP_DIGEST)),
                    lua_touserdata(L, lua_upvalueindex(UP_POOL)));
    lua_settop(L, 9);
    return 1;
}

#define LOOKS_MAX 8

/* [-0, +n, v]  Leaves on top what the table at 1 says. It is read again after memory for it was
 * made, because that may run finalizers which change it. */
static void push_signer(lua_State *L, struct acL_given *given)
{
    struct signer *signer = NULL;
    size_t room = 0, bytes = 0;
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        acL_given_read(L, given);
        if (acL_given_grow(L, given))
            continue;
        acL_given_check_fields(L, given);
        bytes = bytes_of(given);
        if (signer && bytes <= room) {
            keep(signer, given);
            return;
        }
        signer = lua_newuserdatauv(L, bytes, 0);
        room = bytes;
    }
    luaL_error(L, "signer: the table grows while it is read");
}

/* [-1, +1, v]  signer(kind) -> function */
int acL_signer(lua_State *L)
{
    static const char *const names[] = {"algorithm", "method",  "scheme",  "host", "path",
                                        "action",    "version", "headers", NULL};
    struct ac_pair pairs[ACL_GIVEN_FEW];
    char digits[ACL_GIVEN_FEW][AC_CODEC_FLOAT_BYTES];
    struct acL_given given = {.pairs = pairs, .digits = digits, .room = ACL_GIVEN_FEW};
    lua_settop(L, 1);
    acL_check_options(L, 1, "signer", names);
    luaL_checkstack(L, 64, NULL);
    push_signer(L, &given);
    lua_replace(L, 1);
    lua_settop(L, 1);
    acL_digest_push(L);
    acL_signed_pool_push(L);
    luaL_getmetatable(L, AC_WIRE_CLASS);
    lua_pushcclosure(L, sign_one, UP_LAST);
    return 1;
}
