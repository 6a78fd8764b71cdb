/* An operation (a submitted request) for Lua: done(), result(), cancel(). */
#include "lua_transport.h"

#include "header.h"

struct acL_op *acL_push_op(lua_State *L)
{
    struct acL_op *box = lua_newuserdatauv(L, sizeof *box, 2);
    *box = (struct acL_op){0};
    luaL_setmetatable(L, AC_OP_CLASS);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    return box;
}

static struct acL_op *check_open(lua_State *L)
{
    struct acL_op *box = luaL_checkudata(L, 1, AC_OP_CLASS);
    if (!box->op)
        luaL_error(L, "the operation is closed");
    return box;
}

/* [-1, +1, v]  op:ticket() -> integer, see transport:ended() */
static int op_ticket(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)ac_op_ticket(check_open(L)->op));
    return 1;
}

/* [-1, +1, v]  op:done() -> boolean, also true when it is closed */
static int op_done(lua_State *L)
{
    const struct acL_op *box = luaL_checkudata(L, 1, AC_OP_CLASS);
    lua_pushboolean(L, !box->op || box->seam.exchange->done);
    return 1;
}

/* [-1, +0, v]  op:cancel() */
static int op_cancel(lua_State *L)
{
    const struct acL_op *box = luaL_checkudata(L, 1, AC_OP_CLASS);
    if (box->op)
        ac_op_cancel(box->op);
    return 0;
}

/* [-1, +0, -] */
static int op_gc(lua_State *L)
{
    struct acL_op *box = luaL_checkudata(L, 1, AC_OP_CLASS);
    struct acL_op was = *box;
    *box = (struct acL_op){0};
    ac_op_release(was.op);
    if (was.seam.request)
        was.seam.request->release(was.seam.request);
    return 0;
}

/* [-1, +0, -]  While the result is read the operation is only cancelled; collection frees it. */
static int op_close(lua_State *L)
{
    const struct acL_op *box = luaL_checkudata(L, 1, AC_OP_CLASS);
    return box->seam.read ? op_cancel(L) : op_gc(L);
}

/* [-0, +0, m]  Sets headers[lower(name)] = value in the table on top; repeated names are joined as
 * RFC 9110 section 5.3 says. */
static void set_header(lua_State *L, struct ac_str name, struct ac_str value)
{
    luaL_Buffer lower;
    char *p = luaL_buffinitsize(L, &lower, name.n);
    for (size_t i = 0; i < name.n; i++)
        p[i] = ac_lower(name.p[i]);
    luaL_pushresultsize(&lower, name.n);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TNIL) {
        lua_pop(L, 1);
        acL_push_bytes(L, value);
    } else {
        lua_pushliteral(L, ", ");
        acL_push_bytes(L, value);
        lua_concat(L, 3);
    }
    lua_rawset(L, -3);
}

/* [-0, +1, m] */
static void push_headers(lua_State *L, struct ac_str text)
{
    struct ac_str name, value;
    lua_createtable(L, 0, 8);
    while (ac_header_next(&text, &name, &value))
        set_header(L, name, value);
}

/* [-0, +1, m] */
static void push_exchange(lua_State *L, const struct ac_exchange *exchange)
{
    lua_createtable(L, 0, 7);
    if (exchange->status > 0) {
        lua_pushinteger(L, exchange->status);
        lua_setfield(L, -2, "status");
        push_headers(L, ac_buf_str(&exchange->headers));
        lua_setfield(L, -2, "headers");
        acL_push_bytes(L, ac_buf_str(&exchange->body));
        lua_setfield(L, -2, "body");
    }
    if (exchange->failure != AC_FAILURE_NONE) {
        lua_pushstring(L, ac_failure_rule(exchange->failure)->name);
        lua_setfield(L, -2, "failure");
        lua_pushstring(L, exchange->detail);
        lua_setfield(L, -2, "detail");
    }
    lua_pushboolean(L, exchange->sent);
    lua_setfield(L, -2, "sent");
    lua_createtable(L, 0, 4);
    lua_pushnumber(L, exchange->elapsed);
    lua_setfield(L, -2, "elapsed");
    acL_set_integer(L, "new_connections", (uint64_t)exchange->new_connections);
    acL_set_integer(L, "bytes_sent", exchange->bytes_sent);
    acL_set_integer(L, "bytes_received", exchange->bytes_received);
    lua_setfield(L, -2, "stats");
}

/* [-1, +1, v]  op:result() -> exchange; raises before the operation is done */
static int op_result(lua_State *L)
{
    struct acL_op *box = check_open(L);
    acL_push_flag(L, &box->seam.read);
    if (!check_open(L)->seam.exchange->done)
        luaL_error(L, "the operation is not done yet");
    push_exchange(L, box->seam.exchange);
    return 1;
}

/* [-1, +1, m] */
static int op_tostring(lua_State *L)
{
    const struct acL_op *box = luaL_checkudata(L, 1, AC_OP_CLASS);
    const char *state = !box->op ? "closed" : box->seam.exchange->done ? "done" : "in flight";
    lua_pushfstring(L, "alicloud.Op (%s)", state);
    return 1;
}

void acL_op_class(lua_State *L)
{
    acL_flag_class(L);
    const luaL_Reg op_methods[] = {{"done", op_done},
                                   {"ticket", op_ticket},
                                   {"result", op_result},
                                   {"cancel", op_cancel},
                                   {NULL, NULL}};
    const luaL_Reg op_metamethods[] = {
        {"__gc", op_gc}, {"__close", op_close}, {"__tostring", op_tostring}, {NULL, NULL}};
    acL_class(L, AC_OP_CLASS, op_methods, op_metamethods);
}
