/* A signed request as userdata: kept in C for the transport, its fields made when asked for. */
#ifndef AC_LUA_SIGNED_H
#define AC_LUA_SIGNED_H

#include "lua_sign_args.h"

/* [-0, +0, m]  Registers the class and the pool of its memory. */
void acL_signed_open(lua_State *L);

/* The pool of this Lua state. */
struct ac_sign_pool *acL_signed_pool(lua_State *L);

/* [-0, +1, m]  The same as the userdata that it is. */
void acL_signed_pool_push(lua_State *L);

/* [-0, +0, v]  Signs what was given into the box. */
void acL_signed_fill(lua_State *L, struct ac_wire_box *box, const struct acL_given *given,
                     struct ac_digest *digest, struct ac_sign_pool *pool);

/* [-0, +1, v]  All fields of the signed request at `index` as a table. */
void acL_signed_table(lua_State *L, int index);

#endif
