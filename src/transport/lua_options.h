/* The options of alicloud.transport, read from a Lua table. */
#ifndef AC_LUA_SETTINGS_H
#define AC_LUA_SETTINGS_H

#include "luax.h"
#include "transport.h"

/* [-0, +n, v]  Reads the table at index 1; the bytes that `options` borrows stay on the stack.
 * Returns the connect timeout in milliseconds. */
long acL_read_settings(lua_State *L, struct ac_transport_options *options);

#endif
