/* `alicloud.transport` for Lua: what the Lua files of this folder share. */
#ifndef AC_LUA_TRANSPORT_H
#define AC_LUA_TRANSPORT_H

#include "luax.h"
#include "transport.h"

struct acL_op {
    struct ac_exchange_box seam; /* first: this much the core knows */
    struct ac_op *op;
};

/* [-0, +0, m]  Registers the class. */
void acL_op_class(lua_State *L);

/* [-0, +1, v]  An operation that is not there yet. Who holds it holds the transport at index 1, and
 * can hold one more value: what the request borrows its bytes from. */
struct acL_op *acL_push_op(lua_State *L);
#define ACL_OP_REQUEST 2 /* the user value of that */

/* [-0, +n, v]  Reads the table at index 1; the bytes that `options` borrows stay on the stack. */
void acL_read_transport(lua_State *L, struct ac_transport_options *options);

/* [-0, +n, v]  Reads the table at index 2; the bytes that `request` borrows stay on the stack. */
void acL_read_request(lua_State *L, struct ac_transport_request *request);

/* [-0, +1, m]  A table of all values above `base`, so that they live as long as it does. */
void acL_keep_above(lua_State *L, int base);

#endif
