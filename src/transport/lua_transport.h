/* What the lua_*.c files of this folder share: the module `alicloud.transport`. */
#ifndef AC_LUA_TRANSPORT_H
#define AC_LUA_TRANSPORT_H

#include "luax.h"
#include "transport.h"

struct acL_op {
    struct ac_exchange_box seam; /* must be first: the core reads only this part */
    struct ac_op *op;
};

/* [-0, +0, m]  Registers the class. */
void acL_op_class(lua_State *L);

/* [-0, +1, v]  Pushes a box without an operation yet. It keeps the transport at index 1 alive, and
 * one more value: the table from which the request borrows its bytes. */
struct acL_op *acL_push_op(lua_State *L);
#define ACL_OP_REQUEST 2 /* the number of the user value that holds this table */

/* [-0, +n, v]  Reads the table at index 1; the bytes that `options` borrows stay on the stack. */
void acL_read_transport(lua_State *L, struct ac_transport_options *options);

/* [-0, +n, v]  Reads the table at index 2; the bytes that `request` borrows stay on the stack. */
void acL_read_request(lua_State *L, struct ac_transport_request *request);

/* [-0, +1, m]  Pushes a table of all values above `base`, which keeps them alive. */
void acL_keep_above(lua_State *L, int base);

#endif
