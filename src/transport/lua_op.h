/* An operation of the transport as userdata: whether it is done, and what came of it. */
#ifndef AC_LUA_OP_H
#define AC_LUA_OP_H

#include "luax.h"
#include "transport.h"

struct acL_op {
    struct ac_exchange_box seam; /* first: this much the core knows */
    struct ac_op *op;
};

/* [-0, +0, m]  Registers the class. */
void acL_op_class(lua_State *L);

/* [-0, +1, v]  An operation that is not there yet. Who holds it holds the transport at index 1. */
struct acL_op *acL_push_op(lua_State *L);

/* [-0, +0, m]  Sets a field of the table on top. */
void acL_set_count(lua_State *L, const char *name, uint64_t count);

#endif
