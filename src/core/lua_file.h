/* Files for a journal, as Lua sees them: `core.open_file` and what is beside it. */
#ifndef AC_LUA_FILE_H
#define AC_LUA_FILE_H

#include "luax.h"

/* [-0, +0, m]  Registers the class and its functions in the table on top of the stack. */
void acL_file_open(lua_State *L);

#endif
